import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock as clock } from '../src/common/clock.ts';
import { imageCommand } from '../test/support/image-command.ts';
import { OperatorProcess } from '../test/support/operator-process.ts';

/** How long it may take to begin, in milliseconds: among very many objects it reads them first. */
const START_TIME = 600_000;

/** What to begin the operator with, besides the image's own flags. */
export interface Settings {
  workers: number;
  /** Flags of Node.js. */
  nodeFlags: readonly string[];
}

/** The operator as the image runs it: the bundle, with its flags of Node.js. */
export class BundledOperator implements AsyncDisposable {
  readonly #folder: string;
  readonly #command: readonly string[];
  readonly #workers: number;

  static async build({ workers, nodeFlags }: Settings): Promise<BundledOperator> {
    const folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    const [program = '', ...rest] = await imageCommand(folder);
    // Of a flag that is given twice Node.js takes the last, and the program is the last word.
    const command = [program, ...rest.slice(0, -1), ...nodeFlags, ...rest.slice(-1)];
    return new BundledOperator(folder, command, workers);
  }

  private constructor(folder: string, command: readonly string[], workers: number) {
    this.#folder = folder;
    this.#command = command;
    this.#workers = workers;
  }

  async start(kubeconfig: string, flags: readonly string[] = []): Promise<RunningOperator> {
    const all = [`--workers=${this.#workers}`, ...flags];
    return new RunningOperator(
      await OperatorProcess.start({ kubeconfig, command: this.#command, flags: all }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** One process of it. */
export class RunningOperator implements AsyncDisposable {
  readonly #process: OperatorProcess;

  constructor(process: OperatorProcess) {
    this.#process = process;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** @throws Error when it has ended by itself */
  check(): void {
    if (!this.#process.running) throw new Error('the operator has ended');
  }

  /** Waits until it leads and has read what there is. @returns when it was so, milliseconds since 1970 */
  async whenWorking(): Promise<number> {
    for (const end = clock.monotonic() + START_TIME; clock.monotonic() < end;) {
      const line = this.#process.log.find(({ msg }) => msg === 'working');
      if (line) return Date.parse(String(line['time']));
      this.check();
      await sleep(clock, 5);
    }
    throw new Error('the operator did not begin to work');
  }

  /** Waits until /readyz says so. */
  async whenReady(): Promise<void> {
    for (const end = clock.monotonic() + START_TIME; clock.monotonic() < end;) {
      if ((await this.#process.readiness())?.status === 200) return;
      this.check();
      // Answering takes it a millisecond.
      await sleep(clock, 50);
    }
    throw new Error('the operator did not become ready');
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Asks it to stop, and waits until it has. */
  async stop(): Promise<void> {
    this.#process.signal('SIGTERM');
    await this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.running) await this.stop();
  }
}
