import type { RegistryAccount, RegistryAccountStatus } from '../../api/registry-account.ts';
import type { Place } from '../../api/registry-token.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { RegistryError } from '../../registry/errors.ts';
import { providerOf } from '../../registry/backends.ts';
import { listOf } from '../../token/decide/scope.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import type { Reach } from '../../token/lifecycle/place.ts';
import { clusterIdConflict } from '../../token/sweep/cluster-id-conflict.ts';
import type { Debt } from '../../token/sweep/debts.ts';
import { scopesInUse } from '../../token/sweep/known-scopes.ts';
import type { RetainedToken } from '../../token/sweep/retained.ts';
import { scopesToName } from '../../token/sweep/searched-scopes.ts';
import { afterLostRequest } from '../../token/sweep/sweep-schedule.ts';
import { withoutSweep, withSweep, type SweepReport } from '../../token/sweep/swept-status.ts';
import { changeAccountStatus } from '../account/account-status.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';
import { failureOf } from '../shared/failures.ts';
import { sweepTargets, type SweepTarget } from './sweep-targets.ts';
import { SweptPlace, type SweptPlaceOptions } from './swept-place.ts';

export interface SweeperOptions extends SweptPlaceOptions {
  account: (name: string) => RegistryAccount | undefined;
  client: KubeClient;
  sessions: AccountSessions;
  /** Called when an account should be reconciled before it asked to be. */
  enqueue: (account: string) => void;
}

/** A place of an account, with what is remembered of it. */
type Target = SweepTarget & { swept: SweptPlace };

/**
 * Sweeps the registries of each account: when the operator begins to work, on an interval, and soon after a RegistryToken
 * went without its tokens having been revoked. The registry's own lists are the ledger, so nothing has to be remembered
 * over a restart; what is remembered only makes it sooner.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  /** By account and endpoint: names of regions come and go. */
  readonly #swept = new Map<string, Map<string, SweptPlace>>();

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** A RegistryToken went, or is about to go, and may have left tokens there, whether or not the account leads there now. */
  leftBehind(uid: string, { account, place, scope }: Issued & { scope?: readonly string[] }): void {
    const since = this.#options.clock.monotonic();
    this.#sweptPlace(account, place.endpoint).owe({ uid, place, scope: listOf(scope), since });
    this.#options.enqueue(account);
  }

  /** A request was given up. A token may come of it all the same, if late: it is looked for once it has had time to. */
  requestLost(issued: Issued): void {
    const { account, place } = issued;
    const { sessions, clock, enqueue } = this.#options;
    if (typeof sessions.reach(issued) !== 'object') return;
    const swept = this.#sweptPlace(account, place.endpoint);
    const spec = this.#options.account(account)?.spec;
    const lag = (spec && providerOf(spec)?.capabilities.settling.listing) ?? 0;
    swept.lookLate(afterLostRequest(clock.monotonic(), lag));
    enqueue(account);
  }

  /** A RegistryToken that is about to go may leave tokens in these scopes: that they were searched in vain before says nothing. */
  scopesNoted(account: string, scopes: ReadonlySet<string>): void {
    for (const swept of this.#placesOf(account)) swept.noteScopes(scopes);
  }

  /** An account or its credentials changed: what failed may work now. */
  accountChanged(account: string): void {
    for (const swept of this.#placesOf(account)) swept.accountChanged();
    this.#options.enqueue(account);
  }

  /** Looks at every place of an account that is due. @throws KubeError */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const account = this.#options.account(name);
    const provider = account && providerOf(account.spec);
    if (!provider || account.metadata.deletionTimestamp !== undefined) {
      // Suspects and debts stay: the account may come back, or name a registry again, and is then looked at at once.
      for (const swept of this.#placesOf(name)) swept.pause();
      this.#count(name, []);
      return undefined;
    }
    // Tokens that nobody can list or revoke leave nothing to sweep.
    if (provider.capabilities.issue === 'exchanged') {
      this.#count(name, []);
      await this.#changeStatus(name, withoutSweep, signal);
      return undefined;
    }
    for (const swept of this.#placesOf(name))
      swept.writeOff(({ place }) => this.#reach(name, place) === 'given up');
    const targets = this.#targets(account);
    const goneRetained: RetainedToken[] = [];
    const isShared = (): boolean => targets.some(({ swept }) => swept.sweep.isShared);
    const looks = targets.map(async (target) => {
      goneRetained.push(...(await this.#lookIfDue(account, target, isShared, signal)));
    });
    const results = await Promise.allSettled(looks);
    this.#forgetOthers(name, targets);
    this.#count(name, targets);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const report = this.#report(name, targets, goneRetained);
    await this.#changeStatus(name, (status, now) => withSweep(status, report, now), signal);
    const next = Math.min(...targets.map(({ swept }) => swept.dueAt));
    return { requeueAfter: Math.max(0, next - this.#options.clock.monotonic()) };
  }

  /**
   * Lists of scopes (`listOf`) in which RegistryTokens that are gone may have left tokens where the account leads: what a look found
   * there is looked for again before it is revoked.
   */
  owedScopes(account: string): Set<string> {
    return this.#owedScopes(account, ({ place }) => this.#reach(account, place) !== 'elsewhere');
  }

  #owedScopes(account: string, isMeant: (debt: Debt) => boolean = () => true): Set<string> {
    const scopes = new Set<string>();
    for (const { debts, sweep } of this.#placesOf(account)) {
      for (const debt of debts) if (isMeant(debt)) scopes.add(debt.scope);
      for (const scope of sweep.uncleanScopes) scopes.add(scope);
    }
    return scopes;
  }

  #reach(account: string, place: Place): Reach {
    return this.#options.sessions.reach({ account, region: '', place });
  }

  #targets(account: RegistryAccount): Target[] {
    const { name } = account.metadata;
    const known = [...(this.#swept.get(name) ?? [])];
    const open = new Set(known.flatMap(([endpoint, swept]) => (swept.isOpen ? [endpoint] : [])));
    return sweepTargets(account, this.#options.allTokens(), open).map((target) => ({
      ...target,
      swept: this.#sweptPlace(name, target.endpoint),
    }));
  }

  /** Where the account does not lead any more nothing is looked at; what is owed there waits. */
  #forgetOthers(account: string, targets: readonly Target[]): void {
    const endpoints = new Set(targets.map(({ endpoint }) => endpoint));
    const places = this.#swept.get(account) ?? new Map<string, SweptPlace>();
    for (const [endpoint, swept] of places) {
      if (endpoints.has(endpoint)) continue;
      if (!swept.isOwed) places.delete(endpoint);
      else swept.forget();
    }
  }

  /** @returns tokens kept on purpose that are gone there. @throws KubeError, LeadershipLost */
  async #lookIfDue(
    account: RegistryAccount,
    { endpoint, region, isNamed, swept }: Target,
    isShared: () => boolean,
    signal: AbortSignal,
  ): Promise<RetainedToken[]> {
    const { sessions, clock, logger } = this.#options;
    const { name } = account.metadata;
    const leads = sessions.leadsTo(name, region);
    if (leads?.endpoint === endpoint) swept.leadsTo(leads, clock.monotonic());
    if (swept.dueAt > clock.monotonic()) return [];
    const tell = (what: string, { reason, message }: Failure): void =>
      logger[isNamed ? 'warn' : 'debug']({ account: name, region, reason }, `${what}: ${message}`);
    try {
      const place = sessions.placeOf(name, region);
      if (place.endpoint !== endpoint)
        throw new RegistryError(
          'Unavailable',
          `RegistryAccount ${name} has changed and was not looked at yet`,
        );
      const registry = sessions.registryOf({ account: name, region, place });
      const look = { account, region, place, registry, isShared };
      const { goneRetained, failure } = await swept.look(look, isNamed, signal);
      if (failure) tell('not all swept', failureOf(failure));
      return goneRetained;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const failure = failureOf(error);
      swept.failed(failure, isNamed);
      const isUsable = sessions.problem(name) === undefined;
      tell('not swept', isUsable ? failure : { ...failure, reason: 'AccountNotReady' });
      return [];
    }
  }

  #report(account: string, targets: readonly Target[], goneRetained: readonly RetainedToken[]): SweepReport {
    const { clusterId, allTokens } = this.#options;
    const unknown = new Map(targets.map(({ region, swept }) => [region, swept.sweep.unknown]));
    const times = targets.flatMap(({ isNamed, swept }) => (isNamed ? [swept.sweptAt] : []));
    const known = times.filter((time) => time !== undefined);
    const scopes = {
      places: targets.map(({ swept }) => swept.scopes),
      owed: this.#owedScopes(account),
      unclean: new Set(targets.flatMap(({ swept }) => [...swept.sweep.uncleanScopes])),
      inUse: scopesInUse(account, allTokens()),
    };
    return {
      orphans: targets.reduce((sum, { swept }) => sum + swept.sweep.orphans, 0),
      conflict: clusterIdConflict(unknown, clusterId),
      sweptAt: known.length > 0 && known.length === times.length ? Math.min(...known) : undefined,
      goneRetained,
      scopes: (named) => scopesToName(named, scopes),
    };
  }

  #count(account: string, targets: readonly Target[]): void {
    const { metrics } = this.#options;
    metrics.orphans(account, new Map(targets.map(({ region, swept }) => [region, swept.sweep.orphans])));
    metrics.unknownTokens(
      account,
      new Map(targets.map(({ region, swept }) => [region, swept.sweep.unknown.length])),
    );
  }

  async #changeStatus(
    account: string,
    change: (status: RegistryAccountStatus, now: number) => RegistryAccountStatus,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock } = this.#options;
    await changeAccountStatus(client, account, (status) => change(status, clock.now()), signal);
  }

  #placesOf(account: string): Iterable<SweptPlace> {
    return this.#swept.get(account)?.values() ?? [];
  }

  #sweptPlace(account: string, endpoint: string): SweptPlace {
    let places = this.#swept.get(account);
    if (!places) this.#swept.set(account, (places = new Map()));
    let swept = places.get(endpoint);
    if (!swept) places.set(endpoint, (swept = new SweptPlace(this.#options)));
    return swept;
  }
}
