import type { RegistryAccount, RegistryAccountStatus } from '../../api/registry-account.ts';
import { withCondition } from '../../api/conditions.ts';
import type { Place } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Places } from '../../registry/port.ts';
import { providerOf } from '../../registry/backends.ts';
import { clusterIdConflict } from '../../token/sweep/cluster-id-conflict.ts';
import { retryDelay } from '../../token/lifecycle/failure.ts';
import { isSamePlace } from '../../token/lifecycle/place.ts';
import { MAX_LIST_LAG } from '../../token/sweep/absence.ts';
import { listOf } from '../../token/decide/scope.ts';
import { scopesInUse } from '../../token/sweep/known-scopes.ts';
import { namedRegions } from '../../token/sweep/sweep-regions.ts';
import { changeAccountStatus, MAX_SCOPES } from '../account/account-status.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';
import { failureOf } from '../shared/failures.ts';
import { RegionSweep, type RegionSweepOptions } from './region-sweep.ts';
import type { TokenList } from '../shared/token-lists.ts';

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

/** A RegistryToken that is known to have left tokens at a place: looked at whatever the cluster says, until it is seen gone. */
interface Debt {
  uid: string;
  place: Place;
  /** The list of its scope (`listOf`). */
  scope: string;
  /** When it was left, on the monotonic clock: what lists lack that were asked for soon after can be there all the same. */
  since: number;
}

/** One place of one account, by the name of a region that leads there. Times are monotonic milliseconds. */
interface SweptRegion {
  sweep: RegionSweep;
  /** Where it led when it was last looked at, or was to be; undefined: not known yet. */
  place: Place | undefined;
  dueAt: number;
  failures: number;
  /** Where it leads now, or led when they were left. */
  owed: readonly Debt[];
  /** Wall-clock milliseconds of the last complete look. */
  sweptAt: number | undefined;
  /** Lists of scopes (`listOf`) in which the last look searched. */
  searched: ReadonlySet<string>;
  /** When the first list of that place was asked for; undefined: not yet. Monotonic milliseconds. */
  firstAskedAt: number | undefined;
  /** When the last list was asked for; monotonic milliseconds. */
  askedAt: number;
  /** Those in which no token was left that nothing uses, by that list and all since this one; monotonic milliseconds. */
  searchedInVain: ReadonlyMap<string, number>;
  /** Retained tokens that the last list lacked, and since when; monotonic milliseconds. */
  lacked: ReadonlyMap<string, number>;
}

/** Milliseconds after which a request that was given up has had its effect, if it ever has. */
const LATE_ARRIVAL = 60_000;
/** Milliseconds to the next look where a RegistryToken that is about to go is still there: its finalizer is being removed. */
const STILL_THERE = 10_000;

/**
 * Sweeps the registries of each account: when the operator begins to work, on an interval, and soon after a RegistryToken
 * went without its tokens having been revoked. The registry's own lists are the ledger, so nothing has to be remembered
 * over a restart; what is remembered only makes it sooner.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #swept = new Map<string, Map<string, SweptRegion>>();

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** A RegistryToken went, or is about to go, and may have left tokens there: in the region that leads there now, if one does. */
  leftBehind(uid: string, issued: Issued & { scope?: readonly string[] }): void {
    const { account, region, place, scope } = issued;
    const reach = this.#options.sessions.reach(issued);
    const spec = this.#options.account(account)?.spec;
    const name = typeof reach === 'object' ? reach.region : region;
    const swept = this.#sweptRegion(account, (spec && sweptFor(spec, name)) ?? name);
    // Where it failed since it was first owed, it is tried again anyhow: asking at each of many would only lengthen the wait.
    const since = this.#options.clock.monotonic();
    if (swept.owed.length === 0 || swept.failures === 0) swept.dueAt = since;
    swept.owed = [...swept.owed, { uid, place, scope: listOf(scope), since }];
    this.#options.enqueue(account);
  }

  /** A request was given up. A token may come of it all the same, if late: it is looked for once it has had time to. */
  requestLost({ account, region, place }: Issued): void {
    const reach = this.#options.sessions.reach({ account, region, place });
    if (typeof reach !== 'object') return;
    const spec = this.#options.account(account)?.spec;
    const swept = this.#sweptRegion(account, (spec && sweptFor(spec, reach.region)) ?? reach.region);
    const lag = (spec && providerOf(spec)?.capabilities.settling.listing) ?? 0;
    swept.dueAt = Math.min(swept.dueAt, this.#options.clock.monotonic() + LATE_ARRIVAL + lag);
    this.#options.enqueue(account);
  }

  /** A RegistryToken that is about to go may leave tokens in these scopes: that they were searched in vain before says nothing. */
  scopesNoted(account: string, scopes: ReadonlySet<string>): void {
    for (const swept of this.#swept.get(account)?.values() ?? [])
      swept.searchedInVain = new Map([...swept.searchedInVain].filter(([scope]) => !scopes.has(scope)));
  }

  /** An account or its credentials changed: what failed may work now. */
  accountChanged(account: string): void {
    for (const swept of this.#swept.get(account)?.values() ?? []) {
      if (swept.failures > 0) swept.dueAt = this.#options.clock.monotonic();
    }
    this.#options.enqueue(account);
  }

  /** Looks at every region of an account that is due. @throws KubeError */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const account = this.#options.account(name);
    const provider = account && providerOf(account.spec);
    if (!provider || account.metadata.deletionTimestamp !== undefined) {
      // Suspects and debts stay: the account may come back, or name a registry again, and is then looked at at once.
      for (const swept of this.#swept.get(name)?.values() ?? []) swept.dueAt = -Infinity;
      this.#count(name, []);
      return undefined;
    }
    // Tokens that nobody can list or revoke leave nothing to sweep.
    if (provider.capabilities.issue === 'exchanged') {
      this.#count(name, []);
      await this.#clearStatus(name, signal);
      return undefined;
    }
    const { clock } = this.#options;
    const { named, all } = this.#regions(account);
    const gone = new Set<string>();
    const sweeps = all.map(async (region) => {
      const result = await this.#sweepIfDue(account, region, named.has(region), signal);
      if (!result) return;
      const swept = this.#sweptRegion(name, region);
      const lacked = retainedBut(account, result);
      const now = clock.monotonic();
      const since = (id: string): number => swept.lacked.get(id) ?? now;
      // A list can lag: what lists lack that are so far apart is gone.
      for (const id of lacked) if (now - since(id) >= MAX_LIST_LAG) gone.add(id);
      swept.lacked = new Map(lacked.map((id) => [id, since(id)]));
    });
    const results = await Promise.allSettled(sweeps);
    const sweptRegions = this.#swept.get(name) ?? new Map<string, SweptRegion>();
    for (const region of sweptRegions.keys()) if (!all.includes(region)) sweptRegions.delete(region);
    this.#count(name, sweptRegions);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await this.#writeStatus(account, named, gone, signal);
    const next = Math.min(...[...sweptRegions.values()].map(({ dueAt }) => dueAt));
    return { requeueAfter: Math.max(0, next - clock.monotonic()) };
  }

  /**
   * Lists of scopes (`listOf`) in which RegistryTokens that are gone may have left tokens with an account: what a look found there is looked for
   * again before it is revoked.
   */
  owedScopes(account: string): string[] {
    const sweptRegions = this.#swept.get(account)?.values() ?? [];
    return [...sweptRegions].flatMap(({ owed, sweep, searched }) => [
      ...owed.map(({ scope }) => scope),
      ...(sweep.isClean ? [] : searched),
    ]);
  }

  #count(account: string, sweptRegions: Iterable<[string, SweptRegion]>): void {
    const { metrics } = this.#options;
    const sweeps = [...sweptRegions].map(([region, { sweep }]) => [region, sweep] as const);
    metrics.orphans(account, new Map(sweeps.map(([region, sweep]) => [region, sweep.orphans])));
    metrics.unknownTokens(account, new Map(sweeps.map(([region, sweep]) => [region, sweep.unknown.length])));
  }

  #regions(account: RegistryAccount): { named: ReadonlySet<string>; all: string[] } {
    const { allTokens } = this.#options;
    const { spec } = account;
    const places = providerOf(spec)?.places;
    const canonical = (name: string): string[] => {
      const swept = sweptFor(spec, name);
      return swept === undefined ? [] : [swept];
    };
    const sweptRegions = [...(this.#swept.get(account.metadata.name) ?? [])];
    const open = sweptRegions.filter(([, { owed, sweep }]) => owed.length > 0 || sweep.orphans > 0);
    const usual = places ? usualRegion(spec, places) : '';
    const names = [...namedRegions(account, usual, allTokens()), ...open.map(([region]) => region)];
    const named = new Set(names.flatMap(canonical));
    const all = places?.all.flatMap(({ region }) => canonical(region)) ?? [];
    return { named, all: [...new Set([...named, ...all])] };
  }

  /** What an account that is now one of another registry says of the sweep. Where tokens are left of before stays. */
  async #clearStatus(name: string, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const cleared = (status: RegistryAccountStatus): RegistryAccountStatus => {
      const { orphans: _, lastSweepTime: __, ...rest } = status;
      return withCondition(rest, 'ClusterIdConflict', undefined, toTime(clock.now()));
    };
    await changeAccountStatus(client, name, cleared, signal);
  }

  /** @returns the registry's list and where it is from, if it was asked for and given. @throws KubeError, LeadershipLost */
  async #sweepIfDue(
    account: RegistryAccount,
    region: string,
    named: boolean,
    signal: AbortSignal,
  ): Promise<{ place: Place; list: TokenList } | undefined> {
    const { sessions, clock, sweepInterval, allTokens } = this.#options;
    const swept = this.#sweptRegion(account.metadata.name, region);
    this.#notePlace(swept, sessions.leadsTo(account.metadata.name, region));
    if (swept.dueAt > clock.monotonic()) return undefined;
    const sweptRegions = this.#swept.get(account.metadata.name)?.values() ?? [];
    const shared = [...sweptRegions].some(({ sweep }) => sweep.isShared);
    try {
      const place = sessions.placeOf(account.metadata.name, region);
      const registry = sessions.registryOf({ account: account.metadata.name, region, place });
      const owed = swept.owed.filter((debt) => isSamePlace(debt.place, place));
      const gone = new Set(owed.map(({ uid }) => uid));
      const look = { account, place, registry, gone, shared };
      const inUse = scopesInUse(account.metadata.name, allTokens());
      const { list, stillThere, done } = await swept.sweep.run(look, signal);
      const now = clock.monotonic();
      const shownAt = ({ since }: Debt): number => since + registry.capabilities.settling.listing;
      swept.owed = swept.owed.filter(
        (debt) => !owed.includes(debt) || stillThere.includes(debt.uid) || list.askedAt < shownAt(debt),
      );
      const left = swept.owed.filter((debt) => isSamePlace(debt.place, place));
      // This look may have missed what was reported meanwhile.
      const missed = left.some((debt) => !owed.includes(debt));
      const again = left.map((debt) =>
        stillThere.includes(debt.uid) ? now + STILL_THERE : Math.max(now, shownAt(debt)),
      );
      // Nobody told this process of what was left before it worked.
      const firstAskedAt = swept.firstAskedAt ?? list.askedAt;
      const allShownAt = firstAskedAt + registry.capabilities.settling.listing;
      if (list.askedAt < allShownAt) again.push(Math.max(now, allShownAt));
      const next = Math.min(now + sweepInterval, ...again);
      swept.dueAt = Math.min(missed || !done ? now : next, swept.sweep.nextCertain ?? Infinity);
      const free = swept.sweep.isClean ? [...list.scopes].filter((scope) => !inUse.has(scope)) : [];
      const since = (scope: string): number => swept.searchedInVain.get(scope) ?? list.askedAt;
      swept.searchedInVain = new Map(free.map((scope) => [scope, since(scope)]));
      const { scopes: searched, askedAt } = list;
      Object.assign(swept, { failures: 0, searched, firstAskedAt, askedAt });
      if (list.unread.size === 0) swept.sweptAt = clock.now();
      return { place, list };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#failed(account, region, swept, error, named);
      return undefined;
    }
  }

  /** What was seen elsewhere says nothing of a place: it is looked at now. */
  #notePlace(swept: SweptRegion, place: Place | undefined): void {
    if (!place || (swept.place && isSamePlace(swept.place, place))) return;
    const dueAt = this.#options.clock.monotonic();
    Object.assign(swept, { place, failures: 0, firstAskedAt: undefined, dueAt });
  }

  /** A region that nothing points to is not worth asking again before its time. */
  #failed(
    { metadata }: RegistryAccount,
    region: string,
    swept: SweptRegion,
    error: RegistryError,
    named: boolean,
  ): void {
    const { clock, random, logger, sweepInterval } = this.#options;
    swept.failures++;
    const failure = failureOf(error);
    const delay = named ? retryDelay(failure, swept.failures, random()) : sweepInterval;
    swept.dueAt = clock.monotonic() + Math.min(delay, sweepInterval);
    const fields = { account: metadata.name, region, reason: failure.reason };
    logger[named ? 'warn' : 'debug'](fields, `not swept: ${failure.message}`);
  }

  async #writeStatus(
    { metadata }: RegistryAccount,
    named: ReadonlySet<string>,
    gone: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const sweptRegions = this.#swept.get(metadata.name) ?? new Map<string, SweptRegion>();
    const orphans = [...sweptRegions.values()].reduce((sum, { sweep }) => sum + sweep.orphans, 0);
    const unknown = new Map([...sweptRegions].map(([region, { sweep }]) => [region, sweep.unknown]));
    const conflict = clusterIdConflict(unknown, this.#options.clusterId);
    const inVain = this.#searchedInVain(metadata.name, sweptRegions);
    // An account that was deleted and created again has lost them from its status.
    const unclean = [...sweptRegions.values()].flatMap(({ sweep, searched }) =>
      sweep.isClean ? [] : [...searched],
    );
    const inUse = scopesInUse(metadata.name, this.#options.allTokens());
    const now = toTime(this.#options.clock.now());
    const times = [...named].map((region) => sweptRegions.get(region)?.sweptAt);
    const isSwept = times.length > 0 && !times.includes(undefined);
    const sweptAt = Math.min(...times.filter((time) => time !== undefined));
    await changeAccountStatus(
      this.#options.client,
      metadata.name,
      ({ retainedTokens, scopes, ...rest }) => {
        const kept = retainedTokens?.filter(({ id }) => !gone.has(id)) ?? [];
        const left = scopes?.filter((scope) => inUse.has(scope) || !inVain.has(scope)) ?? [];
        left.push(...unclean.filter((scope) => !inUse.has(scope) && !left.includes(scope)));
        return {
          ...withCondition(rest, 'ClusterIdConflict', conflict, now),
          orphans,
          ...(isSwept ? { lastSweepTime: toTime(sweptAt) } : {}),
          ...(kept.length > 0 ? { retainedTokens: kept } : {}),
          ...(left.length > 0 ? { scopes: left.slice(0, MAX_SCOPES).sort() } : {}),
        };
      },
      signal,
    );
  }

  /** Scopes in which every place of an account was searched in vain for tokens that are left, for longer than a list can lag. */
  #searchedInVain(account: string, sweptRegions: ReadonlyMap<string, SweptRegion>): Set<string> {
    const owed = new Set(this.owedScopes(account));
    const places = [...sweptRegions.values()];
    const isFree = (scope: string): boolean =>
      !owed.has(scope) &&
      places.every(({ askedAt, searchedInVain }) => {
        const since = searchedInVain.get(scope);
        return since !== undefined && askedAt - since >= MAX_LIST_LAG;
      });
    const scopes = places.flatMap(({ searchedInVain }) => [...searchedInVain.keys()]);
    return new Set(scopes.filter(isFree));
  }

  #sweptRegion(account: string, region: string): SweptRegion {
    let sweptRegions = this.#swept.get(account);
    if (!sweptRegions) this.#swept.set(account, (sweptRegions = new Map()));
    let swept = sweptRegions.get(region);
    if (!swept) {
      const sweep = new RegionSweep(this.#options, region);
      swept = {
        sweep,
        place: undefined,
        dueAt: -Infinity,
        failures: 0,
        owed: [],
        sweptAt: undefined,
        searched: new Set(),
        firstAskedAt: undefined,
        askedAt: -Infinity,
        searchedInVain: new Map(),
        lacked: new Map(),
      };
      sweptRegions.set(region, swept);
    }
    return swept;
  }
}

/**
 * The region that stands for all that lead to the same place, by the name or an alias of one of them: the default, if it is among
 * them. @returns undefined where there is no such region
 */
function sweptFor(spec: RegistryAccount['spec'], region: string): string | undefined {
  const places = providerOf(spec)?.places;
  const place = places?.resolve(region);
  if (!places || !place) return undefined;
  const usual = places.resolve(usualRegion(spec, places));
  if (usual?.endpoint === place.endpoint) return usual.region;
  return (places.all.find(({ endpoint }) => endpoint === place.endpoint) ?? place).region;
}

/** The region of a RegistryToken that names none; empty where the registry has no regions, whatever the account says of them. */
function usualRegion({ defaultRegion }: RegistryAccount['spec'], places: Places): string {
  return places.defaultRegion === undefined ? '' : defaultRegion || places.defaultRegion;
}

/** Tokens kept on purpose, as they stood before the list was asked for, that the list of where they were issued no longer has. */
function retainedBut(
  { status }: RegistryAccount,
  { place, list }: { place: Place; list: TokenList },
): string[] {
  return (status?.retainedTokens ?? [])
    .filter((token) => isSamePlace(token.place, place) && !list.unread.has(listOf(token.scope)))
    .filter(({ id }) => !list.tokens.has(id))
    .map(({ id }) => id);
}
