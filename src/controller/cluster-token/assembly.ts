import type { TokenQuota } from '../../api/capabilities.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { objectKey, parseObjectKey } from '../../kube/client/object-key.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';
import type { Controller } from '../shared/controller.ts';
import type { Watches } from '../shared/watches.ts';
import { ChildKeeper } from './child-keeper.ts';
import { ClusterTokenController } from './cluster-token-controller.ts';
import type { ClusterTokenWatch } from './cluster-token-watch.ts';

export interface AssemblyOptions {
  client: KubeClient;
  watches: Watches;
  clusterTokens: ClusterTokenWatch;
  queue: WorkQueue;
  /** How many tokens a registry lets an account have; undefined: not known. */
  quotaOf: (account: string) => TokenQuota | undefined;
  events: EventRecorder;
  logger: Logger;
  clock: Clock;
}

const WORKERS = 4;

/**
 * The controller of ClusterRegistryTokens and of the RegistryTokens that they have in namespaces. A key without a namespace is one of
 * the former.
 */
export function clusterTokenController(options: AssemblyOptions): Controller {
  const { watches, clusterTokens, queue, quotaOf } = options;
  const known = {
    ...options,
    parent: (name: string) => clusterTokens.get(name),
    token: (name: ObjectName) => watches.token(name),
  };
  const keeper = new ChildKeeper({
    ...known,
    namespace: (name) => watches.namespace(name),
    onProblem: (parent) => clusterTokens.count(parent),
  });
  const controller = new ClusterTokenController({
    ...known,
    keeper,
    namespaces: () => watches.namespaces(),
    children: (parent) => watches.childrenOf(parent),
    account: (name) => ({ tokens: watches.tokensOf(name).length, quota: quotaOf(name) }),
    lookAt: (child) => queue.add(objectKey(child), { priority: 'low' }),
  });
  return {
    name: 'clusterregistrytoken',
    queue,
    workers: WORKERS,
    reconcile: (key, signal) => {
      const name = parseObjectKey(key);
      return name.namespace === undefined
        ? controller.reconcile(name.name, signal)
        : keeper.reconcile(name, signal);
    },
  };
}
