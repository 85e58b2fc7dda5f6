import { FINALIZER, TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { MintIntent, RegistryToken } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import type { Clock } from '../../common/clock.ts';
import { DeadlinePassed, withDeadline } from '../../common/deadline.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject } from '../../common/objects.ts';
import { KubeError } from '../../kube/client/errors.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import { belongsTo, isUntied } from '../../token/secret/secret.ts';
import { deletionDeadline, tryPatience } from '../../token/lifecycle/deletion-deadline.ts';
import { planDeletion, type DeletionPlan } from '../../token/lifecycle/deletion.ts';
import { withTrueEnding, type IssueAt } from '../../token/lifecycle/ending.ts';
import { retryDelay, type Failure } from '../../token/lifecycle/failure.ts';
import { includesToken, isSamePlace, type TokenKey } from '../../token/lifecycle/place.ts';
import { strayOf, type Stray } from '../../token/lifecycle/token-record.ts';
import { placesOf } from '../../token/sweep/sweep-regions.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';
import type { Deletions } from './deletions.ts';
import { failureOf } from '../shared/failures.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Memory } from './memory.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import type { TaggedTokens } from './tagged-tokens.ts';
import type { Retention } from './retention.ts';
import type { Revoker } from './revoker.ts';
import type { SecretStore } from './secret-store.ts';
import type { ServiceAccountLinker } from '../service-accounts/service-account-linker.ts';
import { nameOf, type TokenClient } from './token-client.ts';

export interface FinalizerOptions {
  sessions: Pick<AccountSessions, 'reach' | 'moment'>;
  issueAt: IssueAt;
  tokens: TokenClient;
  secrets: SecretStore;
  tagged: Pick<TaggedTokens, 'resultsOf'>;
  revoker: Revoker;
  memory: Memory;
  deletions: Pick<Deletions, 'noticedAt'>;
  retention: Retention;
  linker: Pick<ServiceAccountLinker, 'release'>;
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
  /** How long a registry that does not answer may hold a RegistryToken, in milliseconds. */
  revocationDeadline: number;
  /** Writes down where tokens of a RegistryToken that goes are to be looked for. */
  noteScopes: (token: RegistryToken, signal: AbortSignal) => Promise<void>;
  /** Called when a RegistryToken went and may have left tokens there. */
  onLeftBehind: (uid: string, issued: Issued & { scope?: readonly string[] }) => void;
}

/**
 * Takes down what a deleted RegistryToken leaves: the mentions of its Secret, the Secret, then its tokens. Neither a registry
 * that can't be reached nor ServiceAccounts that can't be changed hold the object, nor its namespace, for longer than the
 * deadline and one short try each: tokens that are left then are found at the registry by their tag, mentions by the record
 * beside them.
 */
export class TokenFinalizer {
  readonly #options: FinalizerOptions;
  /** Milliseconds of the monotonic clock. */
  readonly #leadsSince: number;

  constructor(options: FinalizerOptions) {
    this.#options = options;
    this.#leadsSince = options.clock.monotonic();
  }

  /**
   * What the watch knows of a RegistryToken will do: its finalizer is removed under that version, and only where no other version has
   * been there since. Else it is read, and all is done again of which there is more to do.
   * @throws KubeError
   */
  async finalize(seen: RegistryToken, signal: AbortSignal): Promise<ReconcileResult> {
    const { finalizers = [] } = seen.metadata;
    if (!finalizers.includes(FINALIZER)) return undefined;
    // Whoever writes finalizers has to know those there are.
    if (finalizers.length === 1) {
      try {
        return await this.#takeDown(seen, false, signal);
      } catch (error) {
        if (!(error instanceof KubeError && error.isConflict)) throw error;
      }
    }
    const stored = await this.#options.tokens.read(nameOf(seen), signal);
    return stored?.metadata.uid === seen.metadata.uid ? this.#takeDown(stored, true, signal) : undefined;
  }

  /** @param live look at its Secrets themselves, not at what the watch knows @throws KubeError */
  async #takeDown(stored: RegistryToken, live: boolean, signal: AbortSignal): Promise<ReconcileResult> {
    const { tokens, secrets, memory, deletions, retention, clock, random, logger } = this.#options;
    const { revocationDeadline, onLeftBehind, issueAt } = this.#options;
    const token = { ...stored, status: withTrueEnding(stored.status ?? {}, issueAt) };
    const { uid } = token.metadata;
    const begun = memory.beginDeletion(uid, clock.monotonic());
    // Before it led, a process could do nothing; and a watch can be slower than the first look.
    const noticedAt = Math.max(deletions.noticedAt(uid) ?? Infinity, this.#leadsSince);
    const progress = { ...begun, noticedAt: Math.min(noticedAt, begun.begunAt) };
    const left = (): number => deletionDeadline(progress, revocationDeadline) - clock.monotonic();
    const own = await this.#secretsOf(token, live, signal);
    const staying = own.filter((secret) => isUntied(secret, uid));
    const held = staying.flatMap(({ metadata }) => metadata.annotations?.[TOKEN_ID_ANNOTATION] ?? []);
    const plan = planDeletion(token, clock.now(), held);
    const mention = await this.#release(token, !plan.deleteSecret, tryPatience(progress, left()), signal);
    // Of one that was not read it is known what it was at that version, and no more.
    const remove = live ? secrets.remove.bind(secrets) : secrets.removeUnchanged.bind(secrets);
    if (plan.deleteSecret) for (const secret of own) await remove(secret, signal);
    const rest = await this.#revokeAll(token, plan, tryPatience(progress, left()), signal);
    const remaining = left();
    const obstacle = rest?.failure ?? mention;
    if (obstacle && remaining > 0) {
      const delay = retryDelay(obstacle, memory.countDeletionTry(uid), random());
      return { requeueAfter: Math.min(delay, remaining) };
    }
    for (const { id, tokens: meant } of plan.retain) {
      const known = meant.filter((each) => this.#isKnown(token, each));
      for (const each of known) await retention.remember(token, each, signal);
      if (known.length === 0)
        logger.warn({ ...idsOf(token), id }, 'its Secret names a token that is not known to be its own');
    }
    if (mention) this.#leaveMentions(token, mention.message);
    if (rest) this.#giveUp(token, rest);
    // What may yet come of a mint that was begun is to be found too.
    if (rest?.tokens || plan.search) await this.#options.noteScopes(token, signal);
    try {
      await tokens.removeFinalizer(token, signal);
    } finally {
      // The patch may have taken effect although its answer got lost.
      if (rest) for (const issued of placesOf(token)) onLeftBehind(uid, issued);
    }
    return undefined;
  }

  /** Its Secrets under the name that it wants and the one that its status knows: a crash on the way to the first leaves both. */
  async #secretsOf(token: RegistryToken, live: boolean, signal: AbortSignal): Promise<KubeObject[]> {
    const { uid, namespace } = token.metadata;
    const wanted = wantedSecret(token);
    const { secrets } = this.#options;
    const found: KubeObject[] = [];
    for (const name of new Set([wanted, token.status?.secretRef?.name ?? wanted])) {
      const known = live ? undefined : secrets.asRecorded(token, name);
      const secret = known ?? (await secrets.read({ namespace, name }, signal));
      if (secret && belongsTo(secret, uid)) found.push(secret);
    }
    return found;
  }

  /** @returns what kept ServiceAccounts from being released, if anything did: Secret and tokens do not wait for it */
  async #release(
    token: RegistryToken,
    keepEntries: boolean,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<{ message: string; retryable: true } | undefined> {
    const { clock, linker } = this.#options;
    try {
      await withDeadline(clock, milliseconds, signal, (limited) =>
        linker.release(token, keepEntries, limited),
      );
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeError || error instanceof DeadlinePassed)) throw error;
      return { message: shorten(error.message, 256), retryable: true };
    }
  }

  /** @returns what is left at the registry, if anything is or may be */
  async #revokeAll(
    token: RegistryToken,
    plan: DeletionPlan,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<Rest | undefined> {
    const { clock, revoker } = this.#options;
    let tokens = true;
    try {
      return await withDeadline(clock, milliseconds, signal, async (limited) => {
        let failure: Failure | undefined;
        const found = plan.search ? await this.#search(token, plan.search, limited) : [];
        if ('reason' in found) failure = found;
        const due = [...plan.revoke, ...('reason' in found ? [] : found)];
        const settled: TokenKey[] = plan.retain.flatMap((retained) => retained.tokens);
        for (const each of due) {
          if (includesToken(settled, each)) continue;
          settled.push(each);
          failure = (await revoker.revoke(token, each, limited)) ?? failure;
        }
        if (failure) return { failure, tokens };
        tokens = false;
        if (plan.retain.length > 0) return undefined;
        for (const where of distinctPlaces(token))
          failure = (await revoker.release(token, where, [], limited)) ?? failure;
        return failure && { failure, tokens };
      });
    } catch (error) {
      if (!(error instanceof DeadlinePassed)) throw error;
      return { failure: { reason: 'RegistryUnavailable', message: error.message, retryable: true }, tokens };
    }
  }

  /** Whether a token is surely the RegistryToken's own: whoever may write its Secret can name any token there. */
  #isKnown({ metadata, status = {} }: RegistryToken, kept: TokenKey): boolean {
    const { token, previousTokens = [] } = status;
    const recorded = token ? [token, ...previousTokens] : previousTokens;
    return includesToken(recorded, kept) || this.#options.memory.isOwn(metadata.uid, kept);
  }

  /** What a mint that was begun left at the registry, or why that is not known. */
  async #search(token: RegistryToken, intent: MintIntent, signal: AbortSignal): Promise<Stray[] | Failure> {
    const { sessions, tagged } = this.#options;
    if (sessions.reach(intent) === 'given up') return [];
    try {
      const { uid } = token.metadata;
      const found = await tagged.resultsOf(uid, intent, signal);
      const strays = found?.map((id) => strayOf(intent, { id }, sessions.moment(intent)));
      for (const stray of strays ?? []) this.#options.memory.noteOwn(uid, stray);
      return strays ?? UNSETTLED;
    } catch (error) {
      return failureOf(error);
    }
  }

  #leaveMentions(token: RegistryToken, message: string): void {
    const { events, logger } = this.#options;
    const note = `deleted, but its ServiceAccounts could not be released in time, which goes on being tried: ${message}`;
    logger.warn(idsOf(token), note);
    events.event(token, 'Warning', 'ReleaseFailed', note);
  }

  #giveUp(token: RegistryToken, { failure: { reason, message }, tokens }: Rest): void {
    const { events, metrics, logger } = this.#options;
    const fields = { ...idsOf(token), reason };
    if (tokens) {
      metrics.revoked('abandoned');
      logger.error(fields, `deleted without revoking its tokens: ${message}`);
    } else logger.warn(fields, `deleted without what its tokens hung on: ${message}`);
    const what = tokens ? 'its tokens could not be revoked' : 'what its tokens hung on could not be deleted';
    events.event(token, 'Warning', 'RevocationFailed', `deleted, but ${what} in time: ${message}`);
  }
}

/** A list can lag: what it lacks may be there. Where it still lacks it at the deadline, the sweep goes on looking. */
const UNSETTLED: Failure = {
  reason: 'MintUnconfirmed',
  message: 'the registry’s lists do not show yet whether the last request created a token',
  retryable: true,
};

/** What a RegistryToken leaves at the registry. */
interface Rest {
  failure: Failure;
  /** Whether tokens are left, or only what they hung on. */
  tokens: boolean;
}

/** Where a RegistryToken has, or may have, tokens; each account and place once. */
function distinctPlaces(token: RegistryToken): Issued[] {
  return placesOf(token).filter(
    (one, at, all) =>
      all.findIndex((other) => other.account === one.account && isSamePlace(other.place, one.place)) === at,
  );
}
