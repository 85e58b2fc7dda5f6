import type { Reason } from '../api/reasons.ts';
import type { MintIntent, PreviousToken, RegistryToken, TokenSpec } from '../api/registry-token.ts';
import { fromTime } from '../api/time.ts';
import type { Clock } from '../common/clock.ts';
import { RegistryError } from '../registry/errors.ts';
import type { IssuedToken, ListedToken, Registry } from '../registry/port.ts';
import { describe, readTag } from '../token/tag.ts';
import type { AccountSessions } from './account-sessions.ts';
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

/** A token of this RegistryToken that it does not know of. */
export type Stray = Omit<PreviousToken, 'revokeAt'>;

export interface MinterOptions {
  sessions: AccountSessions;
  memory: Memory;
  clusterId: string;
  clock: Clock;
}

/** Creates tokens at registries and finds out what became of a creation whose answer got lost. */
export class Minter {
  readonly #options: MinterOptions;
  /** When this process began to act, milliseconds since 1970. */
  readonly #since: number;

  constructor(options: MinterOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  /** Creates the token of an intent that was just recorded, and for the first time. @throws RegistryError, LeadershipLost */
  async mint(
    token: RegistryToken,
    spec: TokenSpec,
    intent: MintIntent,
    signal: AbortSignal,
  ): Promise<IssuedToken> {
    const { uid } = token.metadata;
    const { sessions, memory, clusterId } = this.#options;
    const tag = { clusterId, uid, revision: intent.revision };
    const registry = sessions.registry(intent.account, intent.region);
    const issued = await registry.mint(
      { description: describe(spec.description, tag), access: intent.access, lifetime: spec.lifetime },
      signal,
    );
    memory.remember(uid, issued);
    memory.rememberIntent(uid, intent.revision, issued.id);
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
    const known = this.#options.memory.recall(uid, this.#options.memory.intentResult(uid, intent.revision));
    if (known) return { result: 'found', issued: known, strays: [] };
    if (stranded) return { result: 'lost', strays: [] };
    const registry = this.#options.sessions.registry(intent.account, intent.region);
    // A list is as old as its request: the process may have been frozen since.
    const now = this.#options.clock.now();
    const rows = await this.tokensOf(uid, registry, signal);
    const strays = this.#strays(token, intent, rows);
    const match = rows.find(({ revision, row }) => revision === intent.revision && !row.revoked);
    if (match && registry.capabilities.readBack) {
      try {
        const issued = await registry.read(match.row.id, signal);
        this.#options.memory.remember(uid, issued);
        return { result: 'found', issued, strays: strays.filter(({ id }) => id !== issued.id) };
      } catch (error) {
        if (!(error instanceof RegistryError && error.code === 'NotFound')) throw error;
      }
    }
    if (match) return { result: 'lost', strays };
    const until = this.#unknownSince(token, intent) + SETTLING_TIME;
    if (until <= now || until > now + SETTLING_TIME) return { result: 'lost', strays };
    return {
      result: 'pending',
      reason: 'MintUnconfirmed',
      message: 'whether the last request created a token is not known yet; it is looked for at the registry',
      until,
    };
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
   * @returns undefined when there is no such token any more
   * @throws RegistryError
   */
  async readBack(token: RegistryToken, signal: AbortSignal): Promise<IssuedToken | undefined> {
    const record = token.status?.token;
    if (!record) return undefined;
    const { sessions, memory } = this.#options;
    const registry = sessions.registry(record.account, record.region);
    if (!registry.capabilities.readBack) return undefined;
    const rows = await this.tokensOf(token.metadata.uid, registry, signal);
    if (!rows.some(({ row }) => row.id === record.id && !row.revoked)) return undefined;
    try {
      const issued = await registry.read(record.id, signal);
      memory.remember(token.metadata.uid, issued);
      return issued;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  /** Every token at a registry that carries this cluster's tag for a RegistryToken. @throws RegistryError */
  async tokensOf(
    uid: string,
    registry: Registry,
    signal: AbortSignal,
  ): Promise<{ revision: number; row: ListedToken }[]> {
    return registry.list((row) => {
      const tag = readTag(row.description);
      return tag?.clusterId === this.#options.clusterId && tag.uid === uid
        ? { revision: tag.revision, row }
        : undefined;
    }, signal);
  }

  #strays(
    { status = {} }: RegistryToken,
    intent: MintIntent,
    rows: readonly { revision: number; row: ListedToken }[],
  ): Stray[] {
    const known = new Set([status.token?.id, ...(status.previousTokens ?? []).map(({ id }) => id)]);
    return rows
      .filter(({ row }) => !known.has(row.id) && !row.revoked)
      .map(({ revision, row: { id } }) => ({
        id,
        revision,
        account: intent.account,
        region: intent.region,
      }));
  }
}
