import { expect } from 'chai';
import type { KubeObject } from '../../../../src/common/objects.ts';
import { Reflector, type ReflectorOptions } from '../../../../src/kube/cache/reflector.ts';
import type { Change } from '../../../../src/kube/cache/replica.ts';
import { KubeClient } from '../../../../src/kube/client/client.ts';
import { PODS } from '../../../../src/kube/client/resources.ts';
import { settle, VirtualClock } from '../../../support/virtual-clock.ts';
import { Logs } from './logs.ts';
import { ModelServer } from './model-server.ts';

export interface Thing extends KubeObject {
  color?: string;
}

export const THINGS = '/api/v1/pods';

/** A reflector of things on a server that the test rules, and what it told. */
export class ReflectorStage {
  readonly server = new ModelServer();
  readonly clock = new VirtualClock();
  readonly logs = new Logs();
  readonly changes: Change<Thing>[] = [];
  readonly stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  create(options: Partial<ReflectorOptions<Thing>> = {}): Reflector<Thing> {
    const client = new KubeClient(this.server, { fieldManager: 'test' });
    const { clock, logs: logger } = this;
    const reflector = new Reflector<Thing>({
      client,
      resource: PODS,
      clock,
      random: () => 0,
      logger,
      ...options,
    });
    reflector.onChange((change) => this.changes.push(change));
    return reflector;
  }

  async start(options: Partial<ReflectorOptions<Thing>> = {}): Promise<Reflector<Thing>> {
    const reflector = this.create(options);
    this.run(reflector);
    await settle();
    return reflector;
  }

  run(reflector: Reflector<Thing>): void {
    this.#running = reflector.run(this.stop.signal);
  }

  /** Stops the reflector, which must leave no timer behind. */
  async end(): Promise<void> {
    this.stop.abort();
    await this.#running;
    expect(this.clock.pending, 'timers left behind').to.equal(0);
  }

  told(): string[] {
    return this.changes.map(({ type, object }) => `${type} ${object.metadata.name}`);
  }

  /** What was asked of the server, in order. */
  kinds(): string[] {
    return this.server.calls.map(({ query }) => (query?.['watch'] ? 'watch' : 'list'));
  }
}
