import type { PreviousToken, RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Registry } from '../../registry/port.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { describePlace, includesToken, type TokenKey } from '../../token/lifecycle/place.ts';
import * as previousTokens from '../../token/lifecycle/previous-tokens.ts';
import { surelyExpiredAt } from '../../token/lifecycle/schedule.ts';
import { readTag, type Tag } from '../../token/sweep/tag.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';
import { failureOf } from '../shared/failures.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import type { TokenLists } from '../shared/token-lists.ts';
import type { Memory } from './memory.ts';

/** How long one look goes on revoking, in milliseconds: the rest is for the next, at once. */
const MAX_LOOK = 60_000;

/** What is known of a token that is to be revoked. */
export type Revocable = Issued & Pick<PreviousToken, 'id' | 'scope' | 'issuedAt'>;

/** A token whose place is down. */
export interface AwaitedToken {
  token: TokenKey;
  /** Milliseconds since 1970. */
  until: number;
}

export interface RevokerOptions {
  sessions: AccountSessions;
  lists: Pick<TokenLists, 'find'>;
  clusterId: string;
  memory: Memory;
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
}

/** Revokes tokens where they were made. One that is gone already counts as revoked. */
export class Revoker {
  readonly #options: RevokerOptions;

  constructor(options: RevokerOptions) {
    this.#options = options;
  }

  /**
   * Revokes the previous tokens that are due; what could not even be asked, since the place is down, is left as it is.
   * Those that surely expired are only struck off. What is not recorded yet as to be revoked
   * waits for the next look: another process could have adopted it meanwhile, and its record would have told.
   * @param token as stored
   * @param held identifiers of tokens that a Secret still holds, which says no more of them: those wait until it holds another
   * @returns the status after it, and which could not be asked
   */
  async revokeDue(
    token: RegistryToken,
    status: RegistryTokenStatus,
    held: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<{ status: RegistryTokenStatus; waiting: readonly AwaitedToken[] }> {
    const { clock, random, memory, sessions } = this.#options;
    const { uid } = token.metadata;
    const recorded = token.status?.previousTokens ?? [];
    memory.keepDead(uid, recorded);
    const begun = clock.monotonic();
    const waiting: AwaitedToken[] = [];
    let next = status;
    const isFreed = (previous: PreviousToken): boolean =>
      memory.wasElsewhere(uid, previous) && sessions.reach(previous) !== 'elsewhere';
    for (const previous of previousTokens.dueForRevocation(status, clock.now(), isFreed)) {
      if (clock.monotonic() - begun >= MAX_LOOK) break;
      if (held.has(previous.id) || !includesToken(recorded, previous)) continue;
      if (surelyExpiredAt(previous) <= clock.now()) memory.noteDead(uid, previous);
      const failure = await this.revoke(token, previous, signal);
      if (failure?.unsent) {
        waiting.push({ token: previous, until: clock.now() + (failure.retryAfter ?? 0) });
        continue;
      }
      if (failure && previous.attempts === undefined) this.#tellFailure(token, previous, failure);
      next = failure
        ? previousTokens.withRevocationFailure(next, previous, failure, clock.now(), random())
        : previousTokens.withoutPrevious(next, previous);
      const { specHash } = previous;
      const keep = previousTokens.specHashesOf(next);
      // What goes wrong with it is left to the sweep.
      if (specHash !== undefined && !keep.has(specHash))
        await this.release(token, previous, [...keep], signal);
    }
    return { status: next, waiting };
  }

  #tellFailure(token: RegistryToken, { id }: PreviousToken, { message }: Failure): void {
    const { events } = this.#options;
    events.event(token, 'Warning', 'RevocationFailed', `token ${id} is not revoked yet: ${message}`);
  }

  /**
   * Revokes one token, once, if it is this RegistryToken's: its status is no proof, since whoever may write it could name any token
   * of the account. One that this process did not create is looked for at the registry by its tag first. Both are asked where it
   * was issued: that it is not known elsewhere says nothing, nor that it is not known so soon after it was issued that the
   * registry need not show it yet.
   * @returns what went wrong, if anything
   */
  async revoke(token: RegistryToken, previous: Revocable, signal: AbortSignal): Promise<Failure | undefined> {
    const { sessions, memory, events, metrics, logger } = this.#options;
    const { id } = previous;
    const { uid } = token.metadata;
    if (memory.isDead(uid, previous)) return undefined;
    const reach = sessions.reach(previous);
    memory.noteElsewhere(uid, previous, reach === 'elsewhere');
    if (reach === 'given up') return this.#giveUp(token, previous);
    try {
      const registry = sessions.registryOf(previous);
      // Also where lists lack it: a list can lag, and to revoke what is gone does no harm.
      if (!(await this.#isOwn(uid, previous, registry, signal))) {
        logger.info(
          { ...idsOf(token), id },
          'nothing to revoke: the registry has no such token with our tag',
        );
        return undefined;
      }
      if ((await registry.revoke?.(id, signal)) === false) this.#assertShown(previous, registry);
      memory.noteDead(uid, previous);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.unsent) return failure;
      metrics.revoked('failure');
      logger.warn({ ...idsOf(token), reason: failure.reason, id }, `token not revoked: ${failure.message}`);
      return failure;
    }
    metrics.revoked('success');
    logger.info({ ...idsOf(token), id }, 'token revoked');
    events.event(token, 'Normal', 'Revoked', `token ${id} revoked`);
    return undefined;
  }

  /**
   * Deletes what tokens of a RegistryToken hung on at a place, save for what those with these specHashes hang on.
   * @returns what went wrong, if anything
   */
  async release(
    token: RegistryToken,
    where: Issued,
    keep: readonly string[],
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const { sessions, clusterId, logger } = this.#options;
    const { uid } = token.metadata;
    if (typeof sessions.reach(where) !== 'object') return undefined;
    try {
      await sessions.registryOf(where).release?.({ clusterId, uid }, keep, signal);
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      logger.warn(
        { ...idsOf(token), reason: failure.reason },
        `what its tokens hung on is not deleted: ${failure.message}`,
      );
      return failure;
    }
  }

  /** @throws RegistryError, also where the registry need not show the token yet */
  async #isOwn(uid: string, token: Revocable, registry: Registry, signal: AbortSignal): Promise<boolean> {
    const { memory, clusterId } = this.#options;
    if (memory.isOwn(uid, token)) return true;
    const tag = await this.#tagOf(token, registry, signal);
    if (tag === undefined) this.#assertShown(token, registry);
    if (!tag || tag.clusterId !== clusterId || tag.uid !== uid) return false;
    memory.noteOwn(uid, token);
    return true;
  }

  /**
   * A token's tag by the registry's lists or, where these lack the token or may not be read, by its id.
   * @returns null where it has none; undefined where there is no such token
   */
  async #tagOf(token: Revocable, registry: Registry, signal: AbortSignal): Promise<Tag | null | undefined> {
    let refusal: RegistryError | undefined;
    try {
      const listed = await this.#options.lists.find(token, ({ tokens }) => tokens.get(token.id)?.tag, signal);
      if (listed) return listed;
    } catch (error) {
      if (!(error instanceof RegistryError && error.isRefusal && registry.lookUp)) throw error;
      refusal = error;
    }
    try {
      const row = await registry.lookUp?.(token.id, signal);
      return row && (readTag(row.description) ?? null);
    } catch (error) {
      throw refusal && error instanceof RegistryError && error.isRefusal ? refusal : error;
    }
  }

  /** An administrator said that where it was issued is gone for good. */
  #giveUp(token: RegistryToken, { id, place }: TokenKey): undefined {
    const { events, metrics, logger } = this.#options;
    const note = `token ${id} given up: it was issued at ${describePlace(place)}, which its account gave up; it may be alive there`;
    metrics.revoked('abandoned');
    logger.warn({ ...idsOf(token), id }, note);
    events.event(token, 'Warning', 'TokenGivenUp', note);
    return undefined;
  }

  /**
   * That a registry does not know a token says nothing so soon after it was issued that the registry need not show it yet.
   * @throws RegistryError Unavailable then
   */
  #assertShown(token: Revocable, { host, capabilities }: Registry): void {
    const { registryNow } = this.#options.sessions.moment(token);
    // A time in the future is no reason to wait for it: clocks differ, and whoever may write a status can write any time.
    const age = Math.abs(registryNow - (fromTime(token.issuedAt) ?? -Infinity));
    if (age >= capabilities.settling.absence) return;
    throw new RegistryError(
      'Unavailable',
      `could not revoke token ${token.id} at ${host}: the registry does not show it yet, ${Math.round(age / 1000)} s after it was issued; will retry`,
    );
  }
}
