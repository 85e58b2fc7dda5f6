import type { Reason } from '../../api/reasons.ts';
import type { Lifetime, MintIntent, RegistryToken } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { IssuedToken } from '../../registry/port.ts';
import { strayOf, type Stray } from '../../token/lifecycle/token-record.ts';
import { cameOf, describe } from '../../token/sweep/tag.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';
import type { TokenList, TokenLists } from '../shared/token-lists.ts';
import type { Memory } from './memory.ts';

/** A mint whose answer got lost may still be on its way; this long after its answer was given up, it is taken to have failed. */
const SETTLING_TIME = 10_000;

/** What came of a mint that was begun earlier. */
export type Settlement =
  | { result: 'found'; issued: IssuedToken; strays: Stray[] }
  /** It surely did not happen, or left only strays: begin another. */
  | { result: 'lost'; strays: Stray[] }
  /** It may still happen. */
  | { result: 'pending'; reason: Reason; message: string; until: number };

export interface TaggedTokensOptions {
  sessions: Pick<AccountSessions, 'registryOf' | 'moment'>;
  memory: Memory;
  lists: Pick<TokenLists, 'current' | 'find' | 'last'>;
  clusterId: string;
  clock: Clock;
}

/**
 * The tokens of RegistryTokens as registries have them, by their tags: it has them created under one, and finds by it what came of a
 * request whose answer got lost, and their values.
 */
export class TaggedTokens {
  readonly #options: TaggedTokensOptions;
  /** When this process began to act, milliseconds since 1970. */
  readonly #since: number;

  constructor(options: TaggedTokensOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  /**
   * Has the registry create a token, or exchange one, for the first time under its revision.
   * @param lifetime that the registry is to give
   * @throws RegistryError, LeadershipLost
   */
  async issue(
    { metadata: { uid } }: RegistryToken,
    intent: MintIntent,
    description: string,
    lifetime: Lifetime,
    signal: AbortSignal,
  ): Promise<IssuedToken> {
    const { sessions, memory, clusterId } = this.#options;
    const { revision, nonce, access, specHash, scope = [], place } = intent;
    const tag = { clusterId, uid, revision, nonce };
    const request = { tag, specHash, description: describe(description, tag), access, lifetime, scope };
    const registry = sessions.registryOf(intent);
    const issued = await registry.issue(request, signal);
    memory.remember(uid, issued, place, registry.capabilities.issue === 'minted');
    memory.rememberIntent(uid, intent, issued.id);
    return issued;
  }

  /**
   * Finds out what came of an intent recorded earlier: from memory, or by its tag at the registry.
   * @param stranded the registry can't be asked any more: what is not in memory is given up
   * @throws RegistryError
   */
  async settle(
    token: RegistryToken,
    intent: MintIntent,
    stranded: boolean,
    signal: AbortSignal,
  ): Promise<Settlement> {
    const { uid } = token.metadata;
    if (intent.phase === 'Discarded') return { result: 'lost', strays: [] };
    // One that is to be revoked was found to be of no use.
    if (token.status?.previousTokens?.some(({ revision }) => revision === intent.revision))
      return { result: 'lost', strays: [] };
    const known = this.#options.memory.recall(uid, this.#options.memory.intentResult(uid, intent));
    if (known) return { result: 'found', issued: known, strays: [] };
    if (stranded) return { result: 'lost', strays: [] };
    const { sessions, lists, memory, clock } = this.#options;
    const registry = sessions.registryOf(intent);
    const [now, monotonic] = [clock.now(), clock.monotonic()];
    const { settling, readBack } = registry.capabilities;
    const patience = SETTLING_TIME + settling.listing;
    const since = memory.soughtSince(uid, intent, monotonic);
    const end = this.#unknownSince(token, intent) + patience;
    // A time further ahead was written before the clock was set back, or by a process whose clock is ahead: it says nothing.
    const settled = end > now + patience ? since + patience : monotonic - (now - end);
    // One that is long past may be of a clock that is behind. What a list lacks that was asked for then is lost.
    const over = Math.max(settled, since + settling.listing);
    const until = now + (over - monotonic);
    const outcome = (list: TokenList): string[] | undefined => {
      const ids = this.#resultsIn(list, uid, intent);
      return ids.length > 0 || list.askedAt >= over ? ids : undefined;
    };
    const results = await lists.find(intent, outcome, signal);
    if (!results) {
      const message =
        'whether the last request created a token is not known yet; it is looked for at the registry';
      return { result: 'pending', reason: 'MintUnconfirmed', message, until };
    }
    const strays = results.map((id) => strayOf(intent, { id }, sessions.moment(intent)));
    const [id] = results;
    if (id !== undefined && readBack && registry.read) {
      try {
        const issued = await registry.read(id, signal);
        memory.remember(uid, issued, intent.place);
        return { result: 'found', issued, strays: strays.filter((stray) => stray.id !== id) };
      } catch (error) {
        // One that may not be read is of no use, and is known all the same: it is to be revoked.
        const isUseless = error instanceof RegistryError && (error.code === 'NotFound' || error.isRefusal);
        if (!isUseless) throw error;
      }
    }
    return { result: 'lost', strays };
  }

  /**
   * When the last request that may have created the token was over: when its answer was given up, or, after a crash, when
   * this process began at the latest.
   */
  #unknownSince({ status = {} }: RegistryToken, intent: MintIntent): number {
    const started = fromTime(intent.startedAt) ?? 0;
    switch (intent.phase) {
      case 'Announced':
        return Math.max(started, this.#since);
      case 'Unconfirmed':
        return Math.max(started, fromTime(status.lastFailure?.time) ?? 0);
      case 'Verifying':
      case 'Discarded':
        return started;
    }
  }

  /**
   * Reads a recorded token's value back from the registry, if it is this RegistryToken's by its tag: a status that was
   * tampered with must not get somebody else's token out.
   * @returns `gone` when there is no such token any more, `withheld` where the registry gives no values back
   * @throws RegistryError
   */
  async readBack(token: RegistryToken, signal: AbortSignal): Promise<IssuedToken | 'gone' | 'withheld'> {
    const record = token.status?.token;
    if (!record) return 'gone';
    const { sessions, memory, lists, clusterId } = this.#options;
    const registry = sessions.registryOf(record);
    if (!registry.capabilities.readBack || !registry.read) return 'withheld';
    const { uid } = token.metadata;
    const tag = await lists.find(record, ({ tokens }) => tokens.get(record.id)?.tag, signal);
    if (tag?.clusterId !== clusterId || tag.uid !== uid) return 'gone';
    try {
      const issued = await registry.read(record.id, signal);
      memory.remember(uid, issued, record.place);
      return issued;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'NotFound') return 'gone';
      throw error;
    }
  }

  /**
   * Identifiers of the tokens that came of an intent: from memory, or by their tag at the registry.
   * @returns undefined while the registry's lists can lack one
   * @throws RegistryError
   */
  async resultsOf(uid: string, intent: MintIntent, signal: AbortSignal): Promise<string[] | undefined> {
    const { memory, lists, sessions, clock } = this.#options;
    if (memory.isSpent(uid, intent)) return [];
    const known = memory.intentResult(uid, intent);
    if (known) return [known.id];
    const { listing } = sessions.registryOf(intent).capabilities.settling;
    const shownBy = memory.soughtSince(uid, intent, clock.monotonic()) + listing;
    const list = await lists.current(intent, signal);
    const ids = this.#resultsIn(list, uid, intent);
    const [id] = ids;
    if (id === undefined) return list.askedAt >= shownBy ? [] : undefined;
    memory.rememberIntent(uid, intent, id);
    return ids;
  }

  /**
   * The highest revision of a RegistryToken's tokens that is known to be at a registry; 0 when none is.
   * @param isToAsk whether the registry is to be asked, or only what it said last is to be looked at
   * @throws RegistryError
   */
  async highestRevision(
    uid: string,
    where: Issued & { scope?: readonly string[] },
    isToAsk: boolean,
    signal: AbortSignal,
  ): Promise<number> {
    const { lists, clusterId } = this.#options;
    const list = isToAsk ? await lists.current(where, signal) : lists.last(where);
    const tags = [...(list?.tokens.values() ?? [])].map(({ tag }) => tag);
    const own = tags.filter((tag) => tag.clusterId === clusterId && tag.uid === uid);
    return Math.max(0, ...own.map(({ revision }) => revision));
  }

  #resultsIn({ tokens }: TokenList, uid: string, intent: MintIntent): string[] {
    const { clusterId } = this.#options;
    return [...tokens.values()]
      .filter(({ tag }) => tag.clusterId === clusterId && tag.uid === uid && cameOf(tag, intent))
      .map(({ id }) => id);
  }
}
