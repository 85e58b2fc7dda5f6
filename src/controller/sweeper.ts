import type { RegistryAccount } from '../api/registry-account.ts';
import { withCondition } from '../api/conditions.ts';
import { toTime } from '../api/time.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReconcileResult } from '../kube/worker-pool.ts';
import { RegistryError } from '../registry/errors.ts';
import { Regions } from '../registry/regions.ts';
import { clusterIdConflict } from '../token/cluster-id-conflict.ts';
import { retryDelay } from '../token/failure.ts';
import { namedRegions } from '../token/sweep-regions.ts';
import { changeAccountStatus } from './account-status.ts';
import type { AccountSessions } from './account-sessions.ts';
import { failureOf } from './failures.ts';
import { RegionSweep, type RegionSweepOptions } from './region-sweep.ts';
import type { TokenList } from './token-lists.ts';

export interface SweeperOptions extends RegionSweepOptions {
  account: (name: string) => RegistryAccount | undefined;
  client: KubeClient;
  sessions: AccountSessions;
  random: () => number;
  /** Milliseconds from one look at a region to the next. */
  sweepInterval: number;
  /** Called when an account should be reconciled before it asked to be. */
  enqueue: (account: string) => void;
}

/** One region of one account. Times are monotonic milliseconds. */
interface Place {
  sweep: RegionSweep;
  dueAt: number;
  failures: number;
  /** Uids of RegistryTokens known to have left tokens there: looked at whatever the cluster says, until they are seen gone. */
  owed: Set<string>;
  /** Wall-clock milliseconds of the last complete look. */
  sweptAt: number | undefined;
}

/** Milliseconds to the next look where a RegistryToken that is about to go is still there: its finalizer is being removed. */
const STILL_THERE = 10_000;

/**
 * Sweeps the registries of each account: when the operator begins to work, on an interval, and soon after a RegistryToken
 * went without its tokens having been revoked. The registry's own lists are the ledger, so nothing has to be remembered
 * over a restart; what is remembered only makes it sooner.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #places = new Map<string, Map<string, Place>>();

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** A RegistryToken went, or is about to go, and may have left tokens there. */
  leftBehind(uid: string, account: string, region: string): void {
    const regions = new Regions(this.#options.account(account)?.spec ?? {});
    const name = regions.find(region)?.name ?? region;
    const place = this.#place(account, name);
    // Where it failed since it was first owed, it is tried again anyhow: asking at each of many would only lengthen the wait.
    if (place.owed.size === 0 || place.failures === 0) place.dueAt = this.#options.clock.monotonic();
    place.owed.add(uid);
    this.#options.enqueue(account);
  }

  /** An account or its credentials changed: what failed may work now. */
  accountChanged(account: string): void {
    for (const place of this.#places.get(account)?.values() ?? []) {
      if (place.failures > 0) place.dueAt = this.#options.clock.monotonic();
    }
    this.#options.enqueue(account);
  }

  /** Looks at every region of an account that is due. @throws KubeError */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const account = this.#options.account(name);
    if (!account || account.metadata.deletionTimestamp !== undefined) {
      // Suspects and debts stay: the account may come back, and is then looked at at once.
      for (const place of this.#places.get(name)?.values() ?? []) place.dueAt = -Infinity;
      this.#count(name, []);
      return undefined;
    }
    const { clock } = this.#options;
    const { named, all } = this.#regions(account);
    const gone = new Set<string>();
    const sweeps = all.map(async (region) => {
      const list = await this.#sweepIfDue(account, region, named.has(region), signal);
      for (const id of list ? retainedBut(account, region, list) : []) gone.add(id);
    });
    const results = await Promise.allSettled(sweeps);
    const places = this.#places.get(name) ?? new Map<string, Place>();
    for (const region of places.keys()) if (!all.includes(region)) places.delete(region);
    this.#count(name, places);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await this.#writeStatus(account, named, gone, signal);
    const next = Math.min(...[...places.values()].map(({ dueAt }) => dueAt));
    return { requeueAfter: Math.max(0, next - clock.monotonic()) };
  }

  #count(account: string, places: Iterable<[string, Place]>): void {
    const { metrics } = this.#options;
    const sweeps = [...places].map(([region, { sweep }]) => [region, sweep] as const);
    metrics.orphans(account, new Map(sweeps.map(([region, sweep]) => [region, sweep.orphans])));
    metrics.unknownTokens(account, new Map(sweeps.map(([region, sweep]) => [region, sweep.unknown.length])));
  }

  #regions(account: RegistryAccount): { named: ReadonlySet<string>; all: string[] } {
    const { allTokens } = this.#options;
    const regions = new Regions(account.spec);
    const canonical = (name: string): string[] => {
      const region = regions.find(name);
      return region ? [region.name] : [];
    };
    const places = [...(this.#places.get(account.metadata.name) ?? [])];
    const open = places.filter(([, { owed, sweep }]) => owed.size > 0 || sweep.orphans > 0);
    const names = [...namedRegions(account, allTokens()), ...open.map(([region]) => region)];
    const named = new Set(names.flatMap(canonical));
    return { named, all: [...new Set([...named, ...regions.names])] };
  }

  /** @returns the registry's list, if it was asked for and given. @throws KubeError, LeadershipLost */
  async #sweepIfDue(
    account: RegistryAccount,
    region: string,
    named: boolean,
    signal: AbortSignal,
  ): Promise<TokenList | undefined> {
    const { sessions, clock, sweepInterval } = this.#options;
    const place = this.#place(account.metadata.name, region);
    if (place.dueAt > clock.monotonic()) return undefined;
    const owed = new Set(place.owed);
    const places = this.#places.get(account.metadata.name)?.values() ?? [];
    const shared = [...places].some(({ sweep }) => sweep.isShared);
    try {
      const registry = sessions.registry(account.metadata.name, region);
      const look = { account, registry, gone: owed, shared };
      const { list, stillThere, done } = await place.sweep.run(look, signal);
      const now = clock.monotonic();
      for (const uid of owed) if (!stillThere.includes(uid)) place.owed.delete(uid);
      // This look may have missed what was reported meanwhile.
      const missed = [...place.owed].some((uid) => !owed.has(uid));
      const pause = place.owed.size > 0 ? STILL_THERE : sweepInterval;
      place.dueAt = Math.min(missed || !done ? now : now + pause, place.sweep.nextCertain ?? Infinity);
      Object.assign(place, { failures: 0, sweptAt: clock.now() });
      return list;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#failed(account, region, place, error, named);
      return undefined;
    }
  }

  /** A region that nothing points to is not worth asking again before its time. */
  #failed(
    { metadata }: RegistryAccount,
    region: string,
    place: Place,
    error: RegistryError,
    named: boolean,
  ): void {
    const { clock, random, logger, sweepInterval } = this.#options;
    place.failures++;
    const failure = failureOf(error);
    const delay = named ? retryDelay(failure, place.failures, random()) : sweepInterval;
    place.dueAt = clock.monotonic() + Math.min(delay, sweepInterval);
    const fields = { account: metadata.name, region, reason: failure.reason };
    logger[named ? 'warn' : 'debug'](fields, `not swept: ${failure.message}`);
  }

  async #writeStatus(
    { metadata }: RegistryAccount,
    named: ReadonlySet<string>,
    gone: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const places = this.#places.get(metadata.name) ?? new Map<string, Place>();
    const orphans = [...places.values()].reduce((sum, { sweep }) => sum + sweep.orphans, 0);
    const unknown = new Map([...places].map(([region, { sweep }]) => [region, sweep.unknown]));
    const conflict = clusterIdConflict(unknown, this.#options.clusterId);
    const now = toTime(this.#options.clock.now());
    const sweptAt = Math.min(...[...named].map((region) => places.get(region)?.sweptAt ?? -Infinity));
    await changeAccountStatus(
      this.#options.client,
      metadata.name,
      ({ retainedTokens, ...rest }) => {
        const kept = retainedTokens?.filter(({ id }) => !gone.has(id)) ?? [];
        return {
          ...withCondition(rest, 'ClusterIdConflict', conflict, now),
          orphans,
          ...(sweptAt === -Infinity ? {} : { lastSweepTime: toTime(sweptAt) }),
          ...(kept.length > 0 ? { retainedTokens: kept } : {}),
        };
      },
      signal,
    );
  }

  #place(account: string, region: string): Place {
    let places = this.#places.get(account);
    if (!places) this.#places.set(account, (places = new Map()));
    let place = places.get(region);
    if (!place) {
      const sweep = new RegionSweep(this.#options, region);
      place = { sweep, dueAt: -Infinity, failures: 0, owed: new Set(), sweptAt: undefined };
      places.set(region, place);
    }
    return place;
  }
}

/** Tokens kept on purpose, as they stood before the list was asked for, that the list no longer has. */
function retainedBut({ status }: RegistryAccount, region: string, { tokens }: TokenList): string[] {
  return (status?.retainedTokens ?? [])
    .filter((token) => token.region === region && !tokens.has(token.id))
    .map(({ id }) => id);
}
