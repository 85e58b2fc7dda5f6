import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../sandbox/free-port.ts';
import { recordOutput } from './secrecy.ts';
import { OPERATOR_NAMESPACE } from './world.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const GAUGE = new URL('gauge.ts', import.meta.url).href;

export interface OperatorProcessOptions {
  /** A kubeconfig file's text. */
  kubeconfig: string;
  /** Besides those that every test needs. */
  flags?: readonly string[];
  /** What begins it; the sources, as tests run, unless told. */
  command?: readonly string[] | undefined;
  /** Whether `gauge` will be asked for. */
  gauged?: boolean;
}

/** What a process holds, after a garbage collection. */
export interface Gauge {
  /** Bytes. */
  heap: number;
  sockets: number;
  timers: number;
}

/** What a page of health says: the status, and the failed checks; undefined in place of it while it does not answer. */
export interface Probe {
  status: number;
  failed: string[];
}

/** The operator as a process of its own, as users run it. */
export class OperatorProcess {
  /** What it logged. */
  readonly log: Record<string, unknown>[] = [];
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  readonly #health: string;

  static async start(options: OperatorProcessOptions): Promise<OperatorProcess> {
    return new OperatorProcess(options, await freePort());
  }

  private constructor(
    { kubeconfig, flags = [], command, gauged = false }: OperatorProcessOptions,
    port: number,
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'operator-'));
    const file = join(folder, 'kubeconfig');
    writeFileSync(file, kubeconfig, { mode: 0o600 });
    this.#health = `127.0.0.1:${port}`;
    const own = [
      `--operator-namespace=${OPERATOR_NAMESPACE}`,
      `--health-probe-bind-address=${this.#health}`,
      '--metrics-bind-address=0',
      '--mint-budget=0',
      '--sweep-delay=1s',
    ];
    const gauge = gauged ? ['--expose-gc', '--import', GAUGE] : [];
    const [program = '', ...rest] = command ?? [process.execPath, ...gauge, MAIN];
    this.#child = spawn(program, [...rest, ...own, ...flags], {
      env: { ...process.env, KUBECONFIG: file },
      stdio: ['ignore', 'pipe', 'pipe', ...(gauged ? (['ipc'] as const) : [])],
    });
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('the operator has no output');
    createInterface(stdout).on('line', (line) => {
      recordOutput(`${line}\n`, 'operator process');
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as Record<string, unknown>);
    });
    stderr.on('data', (chunk: Buffer) => {
      recordOutput(chunk.toString(), "operator process's stderr");
      process.stderr.write(chunk);
    });
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      rmSync(folder, { recursive: true });
      return (code ?? signal) as number | NodeJS.Signals;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it at once, frozen or not. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  readiness(): Promise<Probe | undefined> {
    return this.#probe('readyz');
  }

  liveness(): Promise<Probe | undefined> {
    return this.#probe('livez');
  }

  async #probe(page: 'livez' | 'readyz'): Promise<Probe | undefined> {
    try {
      const answer = await fetch(`http://${this.#health}/${page}`);
      const lines = (await answer.text()).split('\n');
      return { status: answer.status, failed: lines.filter((line) => line.startsWith('[-]')) };
    } catch {
      return undefined;
    }
  }

  async gauge(): Promise<Gauge> {
    this.#child.send('gauge');
    const [gauge] = (await once(this.#child, 'message')) as [Gauge];
    return gauge;
  }
}
