import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Certain } from '../../token/sweep/findings.ts';
import type { TaggedToken } from '../../token/sweep/tag.ts';
import { findUnusedIdentities, type Identity } from '../../token/sweep/unused-identities.ts';
import { standingOf, type Orphan, type UnknownToken } from '../../token/sweep/unused-tokens.ts';
import type { Users } from '../../token/sweep/users.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import { fieldsOf, where, type Look } from './look.ts';

/** What one look may delete, if nothing uses it by then. */
export interface Removals extends Pick<Certain, 'orphans' | 'expired' | 'identities'> {
  /** All living tokens that were listed: what they hang on stays. */
  alive: readonly TaggedToken[];
}

export interface SweepRevokerOptions {
  /** What uses tokens, as the API server has it now. */
  users: { live(gone: Iterable<string>, signal: AbortSignal): Promise<Users> };
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  clusterId: string;
}

/** What came of it. */
export interface Removed {
  /** Whether time was left for all that the registry let be done. */
  done: boolean;
  /** How the registry failed: at all of them, which ended it, or else at the first of those it failed at. */
  failure: RegistryError | undefined;
}

/** After so many revocations what uses tokens is asked for anew. */
const BATCH = 20;
/** How long one look goes on revoking, in milliseconds: the rest is for the next, at once. Liveness allows no work that never ends. */
const MAX_LOOK = 120_000;

/**
 * All that the sweep deletes at one place, in this order: orphans, tokens that expired long ago, and what tokens hung on. What
 * uses tokens is asked for right before.
 */
export class SweepRevoker {
  readonly #options: SweepRevokerOptions;
  /** Called with the identifier of each that was deleted, or that something uses after all. */
  readonly #onSettled: (id: string) => void;
  /** Orphans that the registry did not revoke. */
  #refused = new Set<string>();
  /** Expired tokens that it did not delete. */
  #keptExpired = new Set<string>();
  /** How the registry failed first at a single one in this look; what it refuses is none of it. */
  #failure: RegistryError | undefined;

  constructor(options: SweepRevokerOptions, onSettled: (id: string) => void) {
    this.#options = options;
    this.#onSettled = onSettled;
  }

  /**
   * One that the registry fails to delete holds up no others.
   * @throws KubeError when what uses tokens can't be found out; LeadershipLost
   */
  async remove(look: Look, removals: Removals, signal: AbortSignal): Promise<Removed> {
    this.#failure = undefined;
    try {
      const done = await this.#removeAll(look, removals, signal);
      return { done, failure: this.#failure };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return { done: true, failure: error };
    }
  }

  /** @returns whether time was left for all. @throws RegistryError when the registry deletes nothing; as `remove` */
  async #removeAll(
    look: Look,
    { orphans, expired, identities, alive }: Removals,
    signal: AbortSignal,
  ): Promise<boolean> {
    const until = this.#options.clock.monotonic() + MAX_LOOK;
    if (!(await this.#revokeOrphans(look, orphans, until, signal))) return false;
    const kept = expired.filter(({ id }) => this.#keptExpired.has(id));
    const others = expired.filter(({ id }) => !this.#keptExpired.has(id));
    this.#keptExpired = new Set(kept.map(({ id }) => id));
    await this.#deleteExpired(look, others, until, signal);
    if (!(await this.#deleteIdentities(look, identities, alive, until, signal))) return false;
    // Those that the registry did not delete before come last: they hold up nothing else.
    await this.#deleteExpired(look, kept, until, signal);
    return true;
  }

  /** Those that the registry did not revoke before come last: they hold up no others. */
  async #revokeOrphans(
    look: Look,
    certain: readonly Orphan[],
    until: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, users } = this.#options;
    this.#refused = new Set(certain.flatMap(({ id }) => (this.#refused.has(id) ? [id] : [])));
    const before = new Set(this.#refused);
    const orphans = certain.toSorted((a, b) => Number(before.has(a.id)) - Number(before.has(b.id)));
    for (let done = 0; done < orphans.length; done += BATCH) {
      const live = await users.live(look.gone, signal);
      for (const orphan of orphans.slice(done, done + BATCH)) {
        if (clock.monotonic() >= until) return before.has(orphan.id);
        if (standingOf(orphan, look.place, live) === orphan.origin)
          await this.#revokeOrphan(look, orphan, signal);
        else this.#onSettled(orphan.id);
      }
    }
    return true;
  }

  async #revokeOrphan(look: Look, orphan: Orphan, signal: AbortSignal): Promise<void> {
    const { metrics, logger, events } = this.#options;
    const { account, registry, region } = look;
    let wasThere: boolean | undefined;
    try {
      wasThere = await registry.revoke?.(orphan.id, signal);
    } catch (error) {
      if (error instanceof RegistryError) metrics.revoked('failure');
      this.#note(error);
      this.#refused.add(orphan.id);
      logger.warn(fieldsOf(look, orphan), `orphan token not revoked: ${error.message}`);
      return;
    }
    this.#onSettled(orphan.id);
    if (wasThere === false) {
      logger.info(fieldsOf(look, orphan), 'orphan token not revoked: the registry no longer has it');
      return;
    }
    metrics.revoked('success');
    logger.info(fieldsOf(look, orphan), 'orphan token revoked');
    const { id, tag } = orphan;
    const note = `token ${id}${where(region)} revoked: nothing in the cluster used it (revision ${tag.revision} of RegistryToken uid ${tag.uid})`;
    events.event(account, 'Normal', 'OrphanRevoked', note);
  }

  /** They are dead, so nobody is told, and what time does not allow is for the next look. */
  async #deleteExpired(
    look: Look,
    expired: readonly UnknownToken[],
    until: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#options;
    for (const token of expired) {
      if (clock.monotonic() >= until) return;
      try {
        await look.registry.revoke?.(token.id, signal);
      } catch (error) {
        this.#note(error);
        this.#keptExpired.add(token.id);
        logger.debug(fieldsOf(look, token), `expired token not deleted: ${error.message}`);
        continue;
      }
      logger.debug(fieldsOf(look, token), 'expired token deleted');
    }
  }

  /** Those that nothing hangs on by now either. */
  async #deleteIdentities(
    look: Look,
    certain: readonly Identity[],
    alive: readonly TaggedToken[],
    until: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { users, clusterId, clock } = this.#options;
    const at = { clusterId, place: look.place };
    for (let done = 0; done < certain.length; done += BATCH) {
      const live = await users.live(look.gone, signal);
      const batch = certain.slice(done, done + BATCH);
      for (const identity of findUnusedIdentities(batch, alive, live, at)) {
        if (clock.monotonic() >= until) return false;
        await this.#deleteIdentity(look, identity, signal);
      }
    }
    return true;
  }

  /** One that the registry does not let go, such as one that a token hangs on by now, is left for later looks. */
  async #deleteIdentity(
    { account, region, registry }: Look,
    { id, uid }: Identity,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.#options;
    const fields = { account: account.metadata.name, region, id, uid };
    try {
      await registry.revoke?.(id, signal);
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'Conflict')) this.#note(error);
      logger.warn(fields, `what tokens of a RegistryToken hung on is not deleted: ${error.message}`);
      return;
    }
    this.#onSettled(id);
    logger.info(fields, 'deleted what tokens of a RegistryToken hung on');
  }

  /** Keeps in mind what goes wrong with one token. @throws what goes wrong with all */
  #note(error: unknown): asserts error is RegistryError {
    if (!(error instanceof RegistryError) || error.concernsAll) throw error;
    if (!error.isRefusal) this.#failure ??= error;
  }
}
