import { Operator, type OperatorMetrics, type OperatorSettings } from '../../src/controller/operator.ts';
import { OPERATOR } from '../../src/api/names.ts';
import { KubeClient } from '../../src/kube/client/client.ts';
import { fenced } from '../../src/kube/election/fence.ts';
import { LeadershipLost } from '../../src/kube/election/leadership-lost.ts';
import { RegistryDirectory } from '../../src/registry/directory.ts';
import { ApiTransport } from './api-transport.ts';
import { Gate } from './gate.ts';
import { ProcessClock } from './process-clock.ts';
import { RegistryNetwork } from './registry-network.ts';
import type { World } from './world.ts';

/** One run of the operator, from its start to its death. */
export class SimulatedProcess {
  readonly name: string;
  readonly gate = new Gate();
  readonly clock: ProcessClock;
  /** Another process leads by now, or may. */
  deposed = false;
  /** It is deposed and can't know yet: its clock stood still as well. */
  unaware = false;
  /** It was so at some time. */
  misled = false;
  readonly #stop = new AbortController();
  readonly #connections = new AbortController();

  constructor(world: World, name: string, skew: number, settings: OperatorSettings) {
    this.name = name;
    this.clock = new ProcessClock(world.clock, this.gate, skew);
    const { clock } = this;
    const guard = (): void => {
      if (this.deposed && !this.unaware) throw new LeadershipLost('another process leads');
    };
    const transport = fenced(new ApiTransport(world, this), guard);
    const operator = new Operator({
      settings,
      client: new KubeClient(transport, { fieldManager: OPERATOR }),
      directory: new RegistryDirectory({
        clock,
        userAgent: OPERATOR,
        timeout: 10_000,
        metrics: { requested: () => undefined },
        guard,
        http: new RegistryNetwork(world, this),
      }),
      identity: name,
      protect: () => undefined,
      metrics: { ...NO_METRICS, workers: { ...NO_METRICS.workers, panic: () => world.audit.mistaken(this) } },
      logger: world.audit.loggerOf(this),
      clock,
      random: world.dice.fork().next,
    });
    for (const work of [operator.watch(this.#stop.signal), operator.lead(this.#stop.signal)]) {
      work.catch((error: unknown) => world.audit.ended(this, error, this.#stop.signal.aborted));
    }
  }

  /** Aborts when the process dies and its connections with it. */
  get connections(): AbortSignal {
    return this.#connections.signal;
  }

  /** As on SIGTERM: finishes what is under way. */
  stop(): void {
    this.#stop.abort();
  }

  /** It learns that it no longer leads. */
  depose(): void {
    this.unaware = false;
    this.#stop.abort(new LeadershipLost('another process leads'));
  }

  /** As by SIGKILL: nothing it was about to do is done. */
  kill(): void {
    this.gate.kill();
    this.#connections.abort();
  }
}

const nothing = (): void => undefined;
const NO_METRICS: OperatorMetrics = {
  token: { minted: nothing, revoked: nothing, repaired: nothing, orphans: nothing, unknownTokens: nothing },
  reflector: { watchEvent: nothing, relisted: nothing, refused: nothing },
  workers: { addController: nothing, start: () => nothing, terminalError: nothing, panic: nothing },
  queue: () => ({ added: nothing, started: nothing, finished: nothing, retried: nothing }),
};
