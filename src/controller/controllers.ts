import type { Capabilities } from '../api/capabilities.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { ObjectName } from '../common/objects.ts';
import { objectKey, parseObjectKey } from '../kube/client/object-key.ts';
import type { EventRecorder } from '../kube/events/event-recorder.ts';
import type { WorkQueue } from '../kube/queue/work-queue.ts';
import { providerOf } from '../registry/backends.ts';
import { listOf } from '../token/decide/scope.ts';
import { isUntied } from '../token/secret/secret.ts';
import type { RecordedToken } from '../token/sweep/absence.ts';
import { knownScopes, scopesInUse } from '../token/sweep/known-scopes.ts';
import { placesOf } from '../token/sweep/sweep-regions.ts';
import { AccountController } from './account/account-controller.ts';
import { AccountSessions, type Issued } from './account/account-sessions.ts';
import { noteScopes } from './account/account-status.ts';
import { clusterTokenController } from './cluster-token/assembly.ts';
import type { OperatorOptions } from './operator.ts';
import { PodCounter } from './pods/pod-counter.ts';
import { PodEvictor } from './pods/pod-evictor.ts';
import { ServiceAccountLinker } from './service-accounts/service-account-linker.ts';
import type { Controller } from './shared/controller.ts';
import { OutageWaiters } from './shared/outage-waiters.ts';
import { TokenLists } from './shared/token-lists.ts';
import type { Watches } from './shared/watches.ts';
import { Sweeper } from './sweep/sweeper.ts';
import { TokenUsers } from './sweep/token-users.ts';
import { Assessor } from './token/assessor.ts';
import { Conclusion } from './token/conclusion.ts';
import { CredentialFinder } from './token/credential-finder.ts';
import { Executor } from './token/executor.ts';
import { FormerSecrets } from './token/former-secrets.ts';
import { HostMover } from './token/host-mover.ts';
import { Issuer } from './token/issuer.ts';
import { Memory } from './token/memory.ts';
import { Repairer } from './token/repairer.ts';
import { Retention } from './token/retention.ts';
import { Revoker } from './token/revoker.ts';
import { SecretStore } from './token/secret-store.ts';
import { StatusWriter } from './token/status-writer.ts';
import { TaggedTokens } from './token/tagged-tokens.ts';
import { TokenClient } from './token/token-client.ts';
import { TokenController } from './token/token-controller.ts';
import { TokenFinalizer } from './token/token-finalizer.ts';
import { Verifier } from './token/verifier.ts';

/**
 * What waits for each controller: keys of RegistryTokens (for three of them), of accounts (for two), of ServiceAccounts and of
 * ClusterRegistryTokens.
 */
export interface Queues {
  token: WorkQueue;
  account: WorkQueue;
  sweep: WorkQueue;
  link: WorkQueue;
  pods: WorkQueue;
  eviction: WorkQueue;
  clusterToken: WorkQueue;
}

export interface Controllers {
  /** Of which the accounts are to be tried before all else. */
  accounts: AccountController;
  all: readonly Controller[];
}

const ACCOUNT_WORKERS = 4;
const SWEEP_WORKERS = 4;
export const LINK_WORKERS = 4;
/** Milliseconds to the next look at whether all namespaces can be read, as the sweep needs. */
const UNREADABLE_WAIT = 60_000;

/** Puts the controllers of one leader together. @param clusterId tells this cluster's tokens from another's */
export function assembleControllers(
  options: OperatorOptions,
  {
    watches,
    queues,
    events,
    clusterId,
  }: { watches: Watches; queues: Queues; events: EventRecorder; clusterId: string },
): Controllers {
  const { settings, client, directory, protect, metrics, logger, clock, random } = options;
  const common = { client, directory, logger, clock, random, events, metrics: metrics.token };
  const memory = new Memory();
  const sessions = new AccountSessions(directory, clock, (name) => watches.account(name) !== undefined);
  const retention = new Retention(client, () => watches.accounts(), logger);
  const secrets = new SecretStore({ ...common, cached: (name) => watches.secret(name), retention });
  const tokens = new TokenClient(client, (name) => watches.token(name));
  watches.onToken((token) => tokens.seen(token));
  const capabilitiesOf = (account: string): Capabilities | undefined => {
    const spec = watches.account(account)?.spec;
    return spec && providerOf(spec)?.capabilities;
  };
  const listsApart = (account: string): boolean => capabilitiesOf(account)?.scope?.listedApart ?? false;
  const scopesOf = (account: string): ReadonlySet<string> => {
    const known = knownScopes(account, watches.account(account), watches.tokens());
    return new Set([...known, ...(sweeper?.owedScopes(account) ?? [])]);
  };
  // What is for all, or for several names, is looked for in any case: a backup can have undone all that says that it is there.
  const lists = new TokenLists(sessions, clock, { listsApart, scopesOf, alsoTried: [listOf([])] });
  const tagged = new TaggedTokens({ sessions, memory, lists, clusterId, clock });
  const verifier = new Verifier({ sessions, memory, clock });
  const revoker = new Revoker({ ...common, sessions, lists, memory, clusterId });
  const registryNow = (account: string, region: string): number => sessions.registryNow(account, region);
  const shared = {
    ...common,
    ...settings,
    memory,
    sessions,
    secrets,
    tokens,
    statuses: new StatusWriter({ ...common, tokens }),
    tagged,
    lists,
    verifier,
    revoker,
    registryNow,
    issueAt: (issued: Pick<Issued, 'account' | 'place'>) => sessions.issueAt(issued),
  };
  const { sweep, watchNamespaces } = settings;
  const sweeping = {
    users: new TokenUsers(client, watches, watchNamespaces),
    account: (name: string) => watches.account(name),
    allTokens: () => watches.tokens(),
    onGone: (token: RecordedToken) => {
      const { uid, name } = token;
      if (!watches.tokenOf(uid) || memory.isGone(uid, token)) return;
      memory.markGone(uid, token);
      queues.token.add(objectKey(name));
    },
    enqueue: (account: string) => queues.sweep.add(account),
  };
  const sweeper = sweep === 'off' ? undefined : new Sweeper({ ...shared, ...sweeping, sweep, clusterId });
  const { serviceAccounts } = watches;
  const pods = {
    token: (name: ObjectName) => watches.token(name),
    secret: (name: ObjectName) => watches.secret(name),
    queue: queues.eviction,
  };
  const evictor = settings.evictPods ? new PodEvictor({ ...shared, ...pods, serviceAccounts }) : undefined;
  const linker = new ServiceAccountLinker({
    ...common,
    serviceAccounts,
    claimants: (name) => watches.claimantsOf(name),
    outlived: (uid, name) => {
      const secret = watches.secret(name);
      return (
        secret !== undefined &&
        isUntied(secret, uid) &&
        !watches.tokens().some(({ metadata }) => metadata.uid === uid)
      );
    },
    onProblem: ({ metadata }) => queues.token.add(objectKey(metadata)),
    onLinked: (token, serviceAccount, before) => evictor?.linked(token, serviceAccount, before),
  });
  const formerSecrets = new FormerSecrets({ ...shared, watches, linker });
  const placing = { ...shared, credentials: new CredentialFinder({ ...shared, formerSecrets }) };
  /** Writes down where tokens are left, or may come, that no status tells of. */
  const noteLeft = async (account: string, left: ReadonlySet<string>, signal: AbortSignal): Promise<void> => {
    // One list of all needs no scopes. A registry without lists can have taken the place of one that lists them apart.
    if (capabilitiesOf(account)?.issue === 'minted' && !listsApart(account)) return;
    await noteScopes(client, account, left, signal);
    sweeper?.scopesNoted(account, left);
  };
  const onUnauthorized = (account: string): void => queues.account.add(account);
  directory.whenBack((account) => watches.enqueueTokensOf(account));
  const accounts = new AccountController({
    ...shared,
    protect,
    account: (name) => watches.account(name),
    tokensOf: (account) => watches.tokensOf(account),
    unreadable: () => watches.unreadable,
    onChange: (account) => {
      lists.forget(account);
      watches.enqueueTokensOf(account);
      sweeper?.accountChanged(account);
    },
  });
  const assessor = new Assessor({ ...shared, sources: watches });
  const executor = new Executor({
    issuer: new Issuer({
      ...placing,
      onUnauthorized,
      onLost: async (request, signal) => {
        await noteLeft(request.account, new Set([listOf(request.scope)]), signal);
        sweeper?.requestLost(request);
      },
    }),
    repairer: new Repairer(placing),
    mover: new HostMover(placing),
  });
  const waiters = new OutageWaiters((key) => queues.token.add(key, { priority: 'low' }));
  const onGood = (token: RegistryToken): void => evictor?.secretIsGood(token);
  const tokenController = new TokenController({
    ...shared,
    sources: watches,
    assessor,
    executor,
    conclusion: new Conclusion({
      ...shared,
      formerSecrets,
      linker,
      waiters,
      onGood,
      podCounts: (token) => (watches.pods ? watches.pods.counts(token) : 'off'),
    }),
    waiters,
    tryNow: (account, region) => sessions.tryNow(account, region),
    tryAccount: (account) => queues.account.add(account),
    finalizer: new TokenFinalizer({
      ...shared,
      linker,
      deletions: watches.deletions,
      retention,
      noteScopes: async (token, signal) => {
        for (const account of new Set(placesOf(token).map((place) => place.account)))
          await noteLeft(account, scopesInUse(account, [token]), signal);
      },
      onLeftBehind: (uid, issued) => sweeper?.leftBehind(uid, issued),
    }),
  });
  const all: Controller[] = [
    {
      name: 'registryaccount',
      queue: queues.account,
      workers: ACCOUNT_WORKERS,
      reconcile: (key, signal) => accounts.reconcile(key, signal),
    },
    {
      name: 'registrytoken',
      queue: queues.token,
      workers: settings.workers,
      reconcile: async (key, signal) => {
        const name = parseObjectKey(key);
        // In a namespace that can't be read nothing can be done; once it can be, its RegistryTokens are enqueued again.
        return watches.isUnreadable(name.namespace) ? undefined : tokenController.reconcile(name, signal);
      },
    },
    {
      name: 'serviceaccount',
      queue: queues.link,
      workers: LINK_WORKERS,
      // Without knowing the ServiceAccounts nothing can be done to them.
      ready: (signal) => serviceAccounts.whenSynced(signal).catch(() => undefined),
      reconcile: (key, signal) => linker.reconcile(parseObjectKey(key), signal),
    },
  ];
  if (sweeper)
    all.push({
      name: 'sweep',
      queue: queues.sweep,
      workers: SWEEP_WORKERS,
      // It lists scope by scope, or identity by identity, of which there can be thousands, under the rate limit of the account.
      progressedAt: () => directory.lastRequestAt,
      // While a namespace can't be read, what uses tokens there is not known: no token may be called an orphan.
      reconcile: async (key, signal) =>
        watches.unreadable ? { requeueAfter: UNREADABLE_WAIT } : sweeper.reconcile(key, signal),
    });
  const { pods: podWatch } = watches;
  if (podWatch) {
    const counter = new PodCounter({
      token: (name) => watches.token(name),
      counts: (token) => podWatch.counts(token),
      onChanged: ({ metadata }) => queues.token.add(objectKey(metadata), { priority: 'low' }),
      clock,
    });
    all.push({
      name: 'pods',
      queue: queues.pods,
      workers: 1,
      // Until all pods are known, the counts would be wrong.
      ready: (signal) => podWatch.whenSynced(signal).catch(() => undefined),
      reconcile: (key, signal) => counter.reconcile(parseObjectKey(key), signal),
    });
  }
  if (evictor)
    all.push({
      name: 'eviction',
      queue: queues.eviction,
      workers: 1,
      reconcile: (key, signal) => evictor.reconcile(key, signal),
    });
  if (watches.clusterTokens)
    all.push(
      clusterTokenController({
        ...common,
        watches,
        clusterTokens: watches.clusterTokens,
        queue: queues.clusterToken,
        quotaOf: (account) => capabilitiesOf(account)?.quota,
      }),
    );
  return { accounts, all };
}
