import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { RegistryError, type RegistryErrorCode } from '../../registry/errors.ts';
import type { Certain } from '../../token/sweep/findings.ts';
import type { TaggedToken } from '../../token/sweep/tag.ts';
import { findUnusedIdentities, type Identity } from '../../token/sweep/unused-identities.ts';
import { standingOf, type Orphan, type UnknownToken } from '../../token/sweep/unused-tokens.ts';
import type { Users } from '../../token/sweep/users.ts';
import { MAX_FAILURES } from '../shared/failures.ts';
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
  /** How the registry failed: at what ended it or, where nothing did, at the first of those it failed at. */
  failure: RegistryError | undefined;
}

/** One of those that are to be deleted. */
type Removal =
  | { kind: 'orphan'; id: string; orphan: Orphan }
  | { kind: 'expired'; id: string; token: UnknownToken }
  | { kind: 'identity'; id: string; identity: Identity };

/** After so many deletions what uses tokens is asked for anew. */
const BATCH = 20;
/** How long one look goes on revoking, in milliseconds: the rest is for the next, at once. Liveness allows no work that never ends. */
const MAX_LOOK = 120_000;

/**
 * All that the sweep deletes at one place, in this order: orphans, tokens that expired long ago, and what tokens hung on; last,
 * what the registry did not delete before. What uses tokens is asked for right before.
 */
export class SweepRevoker {
  readonly #options: SweepRevokerOptions;
  /** Called with the identifier of each that was deleted, or that something uses after all. */
  readonly #onSettled: (id: string) => void;
  /** Those that the registry did not delete, the one first that was tried longest ago. */
  readonly #kept = new Set<string>();
  /** How the registry failed first in this look; what it refuses is none of it. */
  #failure: RegistryError | undefined;
  /** Failures since the registry last deleted one, or refused to. */
  #inARow = 0;

  constructor(options: SweepRevokerOptions, onSettled: (id: string) => void) {
    this.#options = options;
    this.#onSettled = onSettled;
  }

  /**
   * One that the registry does not delete holds up no others.
   * @throws KubeError when what uses tokens can't be found out; LeadershipLost
   */
  async remove(look: Look, removals: Removals, signal: AbortSignal): Promise<Removed> {
    const inTurn = this.#inTurn(removals);
    this.#failure = undefined;
    this.#inARow = 0;
    try {
      const done = await this.#removeAll(look, inTurn, removals.alive, signal);
      return { done, failure: this.#failure };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return { done: true, failure: error };
    }
  }

  /** Those last that the registry did not delete before. */
  #inTurn({ orphans, expired, identities }: Removals): Removal[] {
    const all = new Map<string, Removal>([
      ...orphans.map((orphan) => [orphan.id, { kind: 'orphan', id: orphan.id, orphan }] as const),
      ...expired.map((token) => [token.id, { kind: 'expired', id: token.id, token }] as const),
      ...identities.map(
        (identity) => [identity.id, { kind: 'identity', id: identity.id, identity }] as const,
      ),
    ]);
    for (const id of this.#kept) {
      const removal = all.get(id);
      all.delete(id);
      if (removal) all.set(id, removal);
      else this.#kept.delete(id);
    }
    return [...all.values()];
  }

  /**
   * @returns whether time was left for all that was not tried before. Expired ones are dead, and may wait
   * @throws RegistryError that ends it; as `remove`
   */
  async #removeAll(
    look: Look,
    inTurn: readonly Removal[],
    alive: readonly TaggedToken[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, users, clusterId } = this.#options;
    const at = { clusterId, place: look.place };
    const until = clock.monotonic() + MAX_LOOK;
    const before = new Set(this.#kept);
    let live: Users | undefined;
    /** Since that was asked for. */
    let tried = 0;
    for (const [index, removal] of inTurn.entries()) {
      if (clock.monotonic() >= until)
        return inTurn.slice(index).every(({ kind, id }) => kind === 'expired' || before.has(id));
      tried++;
      if (removal.kind === 'expired') {
        await this.#deleteExpired(look, removal.token, signal);
        continue;
      }
      if (!live || tried > BATCH) {
        live = await users.live(look.gone, signal);
        tried = 1;
      }
      if (removal.kind === 'orphan') await this.#revokeOrphan(look, removal.orphan, live, signal);
      else if (findUnusedIdentities([removal.identity], alive, live, at).length > 0)
        await this.#deleteIdentity(look, removal.identity, signal);
    }
    return true;
  }

  async #revokeOrphan(look: Look, orphan: Orphan, live: Users, signal: AbortSignal): Promise<void> {
    const { metrics, logger, events } = this.#options;
    const { account, registry, region, place } = look;
    if (standingOf(orphan, place, live) !== orphan.origin) {
      this.#onSettled(orphan.id);
      return;
    }
    let wasThere: boolean | undefined;
    try {
      wasThere = await registry.revoke?.(orphan.id, signal);
    } catch (error) {
      if (error instanceof RegistryError) metrics.revoked('failure');
      this.#noteKept(orphan.id, error);
      logger.warn(fieldsOf(look, orphan), `orphan token not revoked: ${error.message}`);
      return;
    }
    this.#noteDeleted(orphan.id);
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

  /** It is dead, so nobody is told. */
  async #deleteExpired(look: Look, token: UnknownToken, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    try {
      await look.registry.revoke?.(token.id, signal);
    } catch (error) {
      this.#noteKept(token.id, error);
      logger.debug(fieldsOf(look, token), `expired token not deleted: ${error.message}`);
      return;
    }
    this.#noteDeleted(token.id);
    logger.debug(fieldsOf(look, token), 'expired token deleted');
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
      this.#noteKept(id, error, 'Conflict');
      logger.warn(fields, `what tokens of a RegistryToken hung on is not deleted: ${error.message}`);
      return;
    }
    this.#noteDeleted(id);
    this.#onSettled(id);
    logger.info(fields, 'deleted what tokens of a RegistryToken hung on');
  }

  #noteDeleted(id: string): void {
    this.#kept.delete(id);
    this.#inARow = 0;
  }

  /**
   * Keeps in mind that one was not deleted.
   * @param refusal a code that counts as a refusal here
   * @throws what goes wrong with all, and what went wrong too often in a row
   */
  #noteKept(id: string, error: unknown, refusal?: RegistryErrorCode): asserts error is RegistryError {
    if (!(error instanceof RegistryError) || error.concernsAll) throw error;
    this.#kept.delete(id);
    this.#kept.add(id);
    if (error.isRefusal || error.code === refusal) {
      this.#inARow = 0;
      return;
    }
    this.#failure ??= error;
    if (++this.#inARow >= MAX_FAILURES) throw error;
  }
}
