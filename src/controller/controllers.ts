import type { ObjectName } from '../common/objects.ts';
import type { EventRecorder } from '../kube/events/event-recorder.ts';
import { objectKey } from '../kube/client/object-key.ts';
import type { WorkQueue } from '../kube/queue/work-queue.ts';
import type { RecordedToken } from '../token/sweep/absence.ts';
import { isUntied } from '../token/secret/secret.ts';
import { AccountController } from './account/account-controller.ts';
import { AccountSessions } from './account/account-sessions.ts';
import { Assessor } from './token/assessor.ts';
import { CredentialFinder } from './token/credential-finder.ts';
import { FormerSecrets } from './token/former-secrets.ts';
import { HostMover } from './token/host-mover.ts';
import { Issuer } from './token/issuer.ts';
import { Memory } from './token/memory.ts';
import { Minter } from './token/minter.ts';
import type { OperatorOptions } from './operator.ts';
import { PodEvictor } from './pods/pod-evictor.ts';
import { Repairer } from './token/repairer.ts';
import { Retention } from './token/retention.ts';
import { Revoker } from './token/revoker.ts';
import { SecretStore } from './token/secret-store.ts';
import { SecretWriter } from './token/secret-writer.ts';
import { ServiceAccountLinker } from './service-accounts/service-account-linker.ts';
import { StatusWriter } from './token/status-writer.ts';
import { Sweeper } from './sweep/sweeper.ts';
import { TokenLists } from './shared/token-lists.ts';
import { TokenClient } from './token/token-client.ts';
import { TokenController } from './token/token-controller.ts';
import { TokenFinalizer } from './token/token-finalizer.ts';
import { TokenUsers } from './sweep/token-users.ts';
import { Verifier } from './token/verifier.ts';
import type { Watches } from './shared/watches.ts';

/** What waits for each controller: keys of RegistryTokens, of accounts (for two of them) and of ServiceAccounts. */
export interface Queues {
  token: WorkQueue;
  account: WorkQueue;
  sweep: WorkQueue;
  link: WorkQueue;
  eviction: WorkQueue;
}

export interface Controllers {
  accounts: AccountController;
  tokens: TokenController;
  /** undefined where nothing is to be swept. */
  sweeper: Sweeper | undefined;
  linker: ServiceAccountLinker;
  /** undefined where no pod is to be evicted. */
  evictor: PodEvictor | undefined;
}

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
  const secrets = new SecretStore(client, (name: ObjectName) => watches.secret(name));
  const tokens = new TokenClient(client, (name) => watches.token(name));
  watches.onToken((token) => tokens.seen(token));
  const lists = new TokenLists(sessions, clock);
  const minter = new Minter({ sessions, memory, lists, clusterId, clock });
  const verifier = new Verifier({ sessions, memory, clock });
  const revoker = new Revoker({ ...common, sessions, lists, memory, clusterId });
  const skew = (account: string, region: string): number => sessions.skew(account, region);
  const shared = {
    ...common,
    ...settings,
    memory,
    sessions,
    secrets,
    tokens,
    statuses: new StatusWriter({ ...common, tokens }),
    minter,
    lists,
    verifier,
    revoker,
    skew,
  };
  const { sweep, watchNamespaces } = settings;
  const sweeping = {
    users: new TokenUsers(client, watches, watchNamespaces),
    account: (name: string) => watches.account(name),
    allTokens: () => watches.tokens(),
    onGone: ({ uid, id, name }: RecordedToken) => {
      if (!watches.tokenOf(uid) || memory.isGone(uid, id)) return;
      memory.markGone(uid, id);
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
  const retention = new Retention(client, () => watches.accounts(), shared.logger);
  const placing = {
    ...shared,
    secrets: new SecretWriter({ ...common, secrets, retention }),
    credentials: new CredentialFinder({ ...shared, formerSecrets }),
  };
  const onUnauthorized = (account: string): void => queues.account.add(account);
  directory.whenBack((account) => watches.enqueueTokensOf(account));
  return {
    accounts: new AccountController({
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
    }),
    tokens: new TokenController({
      ...shared,
      formerSecrets,
      sources: watches,
      linker,
      onGood: (token) => evictor?.secretIsGood(token),
      tryNow: (account, region) => sessions.tryNow(account, region),
      tryAccount: (account) => queues.account.add(account),
      enqueue: (key) => queues.token.add(key, { priority: 'low' }),
      assessor: new Assessor({ ...shared, sources: watches }),
      issuer: new Issuer({
        ...placing,
        onUnauthorized,
        onLost: (request) => sweeper?.requestLost(request),
      }),
      repairer: new Repairer(placing),
      mover: new HostMover(placing),
      finalizer: new TokenFinalizer({
        ...shared,
        linker,
        deletions: watches.deletions,
        retention,
        onLeftBehind: (uid, issued) => sweeper?.leftBehind(uid, issued),
      }),
    }),
    sweeper,
    linker,
    evictor,
  };
}
