import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Done, Order } from './messages.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** The floor in a process of its own. */
export class FloorProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  static async start(order: Omit<Extract<Order, { what: 'connect' }>, 'what'>): Promise<FloorProcess> {
    const floor = new FloorProcess(fork(MAIN));
    await floor.order({ what: 'connect', ...order });
    return floor;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @returns when it began, milliseconds since 1970. @throws Error with what went wrong */
  async order(order: Order): Promise<number> {
    this.#child.send(order);
    const [{ began, problem }] = (await once(this.#child, 'message')) as [Done];
    if (problem !== undefined) throw new Error(`the floor: ${problem}`);
    return began;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
