import { OWNER_UID_LABEL } from '../../api/names.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';
import { accountName, type RegistryToken } from '../../api/registry-token.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { Change } from '../../kube/cache/replica.ts';
import type { Priority } from '../../kube/queue/waiting-keys.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';
import { isChild } from '../../token/cluster-token/child.ts';
import { lacksFinalizer } from '../../token/lifecycle/deletion.ts';
import { wantedSecret, winnerOf } from '../../token/secret/claimants.ts';
import type { ServiceAccountWatch } from '../service-accounts/service-account-watch.ts';

/** Numbers in a status follow the RegistryTokens or pods that they count at this distance, in milliseconds, many at a time. */
const COUNT_DELAY = 5_000;

/** What takes the keys of RegistryTokens, accounts and ServiceAccounts that a change concerns. */
export interface FedQueues {
  token: WorkQueue;
  account: WorkQueue;
  link: WorkQueue;
  /** RegistryTokens whose pods are to be counted. */
  pods: WorkQueue;
}

/** What the watches know of the objects that a change can concern. */
export interface ChangeSources {
  readonly serviceAccounts: Pick<ServiceAccountWatch, 'onToken'>;
  tokenOf(uid: string): RegistryToken | undefined;
  claimants(namespace: string, secret: string): RegistryToken[];
  tokensIn(namespace: string | undefined): RegistryToken[];
  accounts(): RegistryAccount[];
}

/**
 * Which RegistryTokens, accounts and ServiceAccounts a change concerns. Queues are fed from `feed` on: before it this process does
 * not lead, and what waits would only be remembered, objects long gone included.
 */
export class WatchedChanges {
  readonly #sources: ChangeSources;
  #queues: FedQueues | undefined;

  constructor(sources: ChangeSources) {
    this.#sources = sources;
  }

  /** From now on changes go into these queues. */
  feed(queues: FedQueues): void {
    this.#queues = queues;
  }

  enqueue({ metadata }: { metadata: ObjectName }, priority: Priority = 'high'): void {
    this.#queues?.token.add(objectKey(metadata), { priority });
  }

  enqueueServiceAccount(name: ObjectName, priority: Priority): void {
    this.#queues?.link.add(objectKey(name), { priority });
  }

  enqueueCount({ metadata }: { metadata: ObjectName }): void {
    this.#queues?.pods.addAfter(objectKey(metadata), COUNT_DELAY);
  }

  onToken({ type, object, previous, initial }: Change<RegistryToken>): void {
    if (previous && toldByAccount(previous) !== toldByAccount(object))
      this.#enqueueAccount(accountName(object.spec), COUNT_DELAY);
    this.#sources.serviceAccounts.onToken(object, type === 'deleted' ? undefined : previous);
    if (type === 'updated' && previous && !concerns(previous, object)) return;
    // There can be thousands of one ClusterRegistryToken: they do not hold up what somebody does in a namespace.
    this.enqueue(object, initial || isChild(object) ? 'low' : 'high');
    for (const account of new Set(
      [object, previous].flatMap((each) => (each ? [accountName(each.spec)] : [])),
    ))
      this.#enqueueAccount(account, COUNT_DELAY);
    if (!initial) this.#onClaim(type === 'deleted' ? undefined : object, previous);
  }

  /** Of those that name one Secret, the others are looked at only when another one gets it. */
  #onClaim(now: RegistryToken | undefined, before: RegistryToken | undefined): void {
    const claims = [now, before].flatMap((each) => (each ? [wantedSecret(each)] : []));
    const { namespace = '', uid } = (now ?? before)?.metadata ?? { uid: '' };
    for (const name of new Set(claims)) {
      const others = this.#sources.claimants(namespace, name).filter(({ metadata }) => metadata.uid !== uid);
      const winnerWith = (each: RegistryToken | undefined): RegistryToken | undefined =>
        winnerOf(each && wantedSecret(each) === name ? [...others, each] : others);
      const winner = winnerWith(now);
      if (winner?.metadata.uid === winnerWith(before)?.metadata.uid) continue;
      if (winner) this.enqueue(winner);
      for (const other of others) this.enqueue(other, 'low');
    }
  }

  onSecret({ object, previous, initial }: Change<KubeObject>): void {
    for (const { metadata } of previous ? [object, previous] : [object]) {
      const uid = metadata.labels?.[OWNER_UID_LABEL];
      if (uid === undefined) continue;
      const bearer = this.#sources.tokenOf(uid);
      // Elsewhere it is a copy, which does not concern whom it was copied from.
      const owner = bearer?.metadata.namespace === metadata.namespace ? bearer : undefined;
      const claimants = this.#sources.claimants(metadata.namespace ?? '', metadata.name);
      // One that its RegistryToken gives up, and one whose RegistryToken is gone, as after a restore, may be another's by now.
      const concerned = owner ? new Set([owner, winnerOf(claimants) ?? owner]) : claimants;
      for (const token of concerned) this.enqueue(token, initial || !owner ? 'low' : 'high');
    }
  }

  onAccount({ type, object, previous, initial }: Change<RegistryAccount>): void {
    if (type === 'updated' && previous?.metadata.generation === object.metadata.generation) return;
    // Those there are from the start are tried before anything else.
    if (initial) return;
    // Once it was looked at, so are its RegistryTokens.
    this.#enqueueAccount(object.metadata.name);
  }

  onNamespace({ object, previous, initial }: Change<KubeObject>): void {
    if (initial) return;
    const was = previous?.metadata;
    const is = object.metadata;
    const same = JSON.stringify(was?.labels) === JSON.stringify(is.labels);
    if (was && same && was.deletionTimestamp === is.deletionTimestamp) return;
    for (const token of this.#sources.tokensIn(is.name)) this.enqueue(token);
  }

  onCredentials({ object, initial }: Change<KubeObject>): void {
    if (initial) return;
    for (const account of this.#sources.accounts()) {
      if (account.spec.credentialsSecretRef?.name === object.metadata.name) {
        this.#enqueueAccount(account.metadata.name);
      }
    }
  }

  #enqueueAccount(name: string, delay = 0): void {
    if (delay === 0) this.#queues?.account.add(name);
    else this.#queues?.account.addAfter(name, delay);
  }
}

/** Whether a change of a RegistryToken calls for anything; the operator's own writes of status and finalizers do not. */
function concerns(previous: RegistryToken, object: RegistryToken): boolean {
  const { metadata: before } = previous;
  const { metadata: after } = object;
  return (
    (lacksFinalizer(object) && !lacksFinalizer(previous)) ||
    before.uid !== after.uid ||
    before.generation !== after.generation ||
    before.deletionTimestamp !== after.deletionTimestamp ||
    JSON.stringify(before.annotations) !== JSON.stringify(after.annotations)
  );
}

/** What an account's status says of its RegistryTokens. */
const toldByAccount = ({ status }: RegistryToken): string =>
  JSON.stringify([status?.lastHandledAccountRotation, status?.pendingHost]);
