import type { FedQueues } from '../../../../src/controller/shared/watched-changes.ts';
import { Watches } from '../../../../src/controller/shared/watches.ts';
import { KubeClient } from '../../../../src/kube/client/client.ts';
import { WorkQueue } from '../../../../src/kube/queue/work-queue.ts';
import { settle, VirtualClock } from '../../../support/virtual-clock.ts';
import { Logs } from '../../kube/support/logs.ts';
import { ModelServer } from '../../kube/support/model-server.ts';

export const ACCOUNTS = '/apis/pullsecrets.dev/v1alpha1/registryaccounts';
export const tokensIn = (namespace: string): string =>
  `/apis/pullsecrets.dev/v1alpha1/namespaces/${namespace}/registrytokens`;

/** The watches of an operator in namespace `system`, an API server, and the queues that they feed. */
export class WatchStage {
  readonly server = new ModelServer();
  readonly clock = new VirtualClock(0);
  readonly stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  create(watchNamespaces: string[], countPods = false): Watches {
    return new Watches({
      client: new KubeClient(this.server, { fieldManager: 'test' }),
      operatorNamespace: 'system',
      watchNamespaces,
      clusterTokens: false,
      countPods,
      clock: this.clock,
      random: () => 0,
      logger: new Logs(),
      metrics: { watchEvent: () => undefined, relisted: () => undefined, refused: () => undefined },
    });
  }

  run(watches: Watches): void {
    this.#running = watches.run(this.stop.signal);
  }

  /** Watches, and has seen what there is. */
  async start(watchNamespaces: string[]): Promise<Watches> {
    const watches = this.create(watchNamespaces);
    this.run(watches);
    await watches.whenSynced(this.stop.signal);
    await settle();
    return watches;
  }

  queues(): FedQueues {
    const { clock } = this;
    return {
      token: new WorkQueue({ clock }),
      account: new WorkQueue({ clock }),
      link: new WorkQueue({ clock }),
      pods: new WorkQueue({ clock }),
    };
  }

  /** Takes everything that waits. */
  async drain(queue: WorkQueue): Promise<string[]> {
    const keys: string[] = [];
    while (queue.length > 0) {
      const key = await queue.take(this.stop.signal);
      if (key === undefined) break;
      keys.push(key);
      queue.done(key);
    }
    return keys;
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.#running;
  }
}
