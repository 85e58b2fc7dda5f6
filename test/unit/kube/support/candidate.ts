import { expect } from 'chai';
import type { Clock } from '../../../../src/common/clock.ts';
import { KubeClient } from '../../../../src/kube/client/client.ts';
import { KubeError } from '../../../../src/kube/client/errors.ts';
import { LeaderElector, type LeaderElectorOptions } from '../../../../src/kube/election/leader-election.ts';
import { LeadershipLost } from '../../../../src/kube/election/leadership-lost.ts';
import { Logs } from './logs.ts';
import type { ModelServer } from './model-server.ts';

/** One process that wants to lead. */
export class Candidate {
  readonly elector: LeaderElector;
  readonly stop = new AbortController();
  readonly led: string[] = [];
  readonly logs = new Logs();
  /** Whether this process reaches the server. */
  cut = false;
  result: unknown;
  /** What `lead` waits for after it was told to stop. */
  cleanup: Promise<void> = Promise.resolve();
  readonly running: Promise<void>;

  constructor(
    server: ModelServer,
    clock: Clock,
    identity: string,
    options: Partial<LeaderElectorOptions> = {},
  ) {
    const transport = {
      request: (call: Parameters<ModelServer['request']>[0]) => {
        if (this.cut) throw new KubeError('cut off');
        return server.request(call);
      },
      stream: () => expect.fail('elections watch nothing'),
      close: () => Promise.resolve(),
    };
    this.elector = new LeaderElector({
      client: new KubeClient(transport, { fieldManager: 'test' }),
      namespace: 'ns',
      name: 'lease',
      identity,
      clock,
      random: () => 0,
      logger: this.logs,
      ...options,
    });
    this.running = this.elector
      .run((signal) => this.#lead(signal), this.stop.signal)
      .then(
        () => void (this.result = 'ended'),
        (error: unknown) => void (this.result = error),
      );
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.led.push('began');
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.led.push(signal.reason instanceof LeadershipLost ? 'lost' : 'stopped');
    await this.cleanup;
  }
}
