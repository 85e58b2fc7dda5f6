import type { RegistryAccount } from '../api/registry-account.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import { RegistryError } from '../registry/errors.ts';
import type { ListedToken, Registry } from '../registry/port.ts';
import {
  confirm,
  findOrphans,
  isUsed,
  nextCertain,
  type Orphan,
  type Suspects,
  type Users,
} from '../token/sweep.ts';
import { readTag } from '../token/tag.ts';
import type { TokenMetrics } from './metrics.ts';

export interface RegionSweepOptions {
  users: { watched(): Users; live(gone: Iterable<string>, signal: AbortSignal): Promise<Users> };
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  clusterId: string;
  sweep: 'revoke' | 'report';
  /** How far the clock of an account's region is ahead, in milliseconds; 0 where that is not known. */
  skew: (account: string, region: string) => number;
  /** Milliseconds for which a token must have been seen unused. */
  sweepDelay: number;
}

/** After so many revocations what uses tokens is asked for anew. */
const BATCH = 20;
/** How long one look goes on revoking, in milliseconds: the rest is for the next, at once. Liveness allows no work that never ends. */
const LONGEST_LOOK = 120_000;

/**
 * Finds the tokens of one account and region that carry this cluster's tag and that nothing uses, and revokes them once
 * they have been seen so for long enough. Whatever fails leaves what is known as it was.
 */
export class RegionSweep {
  readonly #options: RegionSweepOptions;
  readonly #region: string;
  #suspects: Suspects = new Map();
  /** Those told of already where they are only reported. */
  #reported = new Set<string>();

  constructor(options: RegionSweepOptions, region: string) {
    this.#options = options;
    this.#region = region;
  }

  /** Tokens that nothing used when last looked. */
  get orphans(): number {
    return this.#suspects.size;
  }

  /** When the next of them can be revoked, on the monotonic clock; undefined when there is nothing to wait for. */
  get nextCertain(): number | undefined {
    const { clock, sweepDelay } = this.#options;
    return nextCertain(this.#suspects, clock.monotonic(), sweepDelay);
  }

  /**
   * Looks once.
   * @param gone uids of RegistryTokens that went, or are about to, and may have left tokens here
   * @returns the registry's list, which of those that were to be gone are still there, and whether all is done that can be
   * @throws RegistryError when it has no complete list or does not revoke; KubeError when what uses tokens can't be found
   * out; LeadershipLost
   */
  async run(
    account: RegistryAccount,
    registry: Registry,
    gone: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<{ rows: ListedToken[]; stillThere: string[]; done: boolean }> {
    const { clock, clusterId, sweep, sweepDelay, skew } = this.#options;
    const rows = await registry.list((row) => (readTag(row.description) ? row : undefined), signal);
    // Asked for after the list: what was minted and recorded before it is then known.
    const users = await this.#users(gone, signal);
    const now = clock.now() + skew(account.metadata.name, this.#region);
    const orphans = findOrphans(rows, users, clusterId, now);
    const { suspects, certain } = confirm(orphans, this.#suspects, clock.monotonic(), sweepDelay);
    this.#suspects = suspects;
    this.#reported = new Set([...this.#reported].filter((id) => suspects.has(id)));
    if (sweep === 'report') this.#report(account, certain);
    const done = sweep === 'report' || (await this.#revokeAll(account, registry, certain, gone, signal));
    return { rows, stillThere: [...gone].filter((uid) => users.inHand.has(uid)), done };
  }

  /** A watch can lag. That does no harm where nothing points to an orphan; else the API server is asked. */
  async #users(gone: ReadonlySet<string>, signal: AbortSignal): Promise<Users> {
    const { users } = this.#options;
    return gone.size > 0 || this.#suspects.size > 0 ? users.live(gone, signal) : users.watched();
  }

  /** @returns whether time was left for all of them */
  async #revokeAll(
    account: RegistryAccount,
    registry: Registry,
    certain: readonly Orphan[],
    gone: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.#options;
    const begun = clock.monotonic();
    for (let done = 0; done < certain.length; done += BATCH) {
      const users = await this.#options.users.live(gone, signal);
      for (const orphan of certain.slice(done, done + BATCH)) {
        if (clock.monotonic() - begun >= LONGEST_LOOK) return false;
        if (isUsed(orphan, users)) this.#clear(orphan);
        else await this.#revoke(account, registry, orphan, signal);
      }
    }
    return true;
  }

  async #revoke(
    account: RegistryAccount,
    registry: Registry,
    orphan: Orphan,
    signal: AbortSignal,
  ): Promise<void> {
    const { metrics, logger, events } = this.#options;
    try {
      await registry.revoke(orphan.id, signal);
    } catch (error) {
      if (error instanceof RegistryError) metrics.revoked('failure');
      throw error;
    }
    this.#clear(orphan);
    metrics.revoked('success');
    logger.info(this.#fields(account, orphan), 'orphan token revoked');
    const { id, tag } = orphan;
    const note = `token ${id} in ${this.#region} revoked: nothing in the cluster used it (revision ${tag.revision} of RegistryToken uid ${tag.uid})`;
    events.event(account, 'Normal', 'OrphanRevoked', note);
  }

  #report(account: RegistryAccount, certain: readonly Orphan[]): void {
    const { logger, events } = this.#options;
    for (const orphan of certain.filter(({ id }) => !this.#reported.has(id))) {
      this.#reported.add(orphan.id);
      logger.warn(this.#fields(account, orphan), 'orphan token found; --sweep=report leaves it alone');
      const { id, tag } = orphan;
      const note = `nothing in the cluster uses token ${id} in ${this.#region} (revision ${tag.revision} of RegistryToken uid ${tag.uid}); --sweep=report leaves it alone`;
      events.event(account, 'Warning', 'OrphanFound', note);
    }
  }

  #clear({ id }: Orphan): void {
    this.#suspects = new Map([...this.#suspects].filter(([suspect]) => suspect !== id));
  }

  #fields({ metadata }: RegistryAccount, { id, tag }: Orphan): object {
    return { account: metadata.name, region: this.#region, id, uid: tag.uid, revision: tag.revision };
  }
}
