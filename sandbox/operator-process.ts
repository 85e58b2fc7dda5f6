import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** How long the operator may take to stop, in milliseconds; then it is killed. */
const STOP_TIME = 10_000;

/** The operator as a child process, its log in a file. */
export class OperatorProcess {
  readonly #child: ChildProcess;

  /**
   * @param onExit called when it ends without having been stopped
   * @param env besides the variables of this process
   */
  constructor(
    args: readonly string[],
    kubeconfig: string,
    logFile: string,
    onExit: (code: string) => void,
    env: Readonly<Record<string, string>> = {},
  ) {
    const log = createWriteStream(logFile);
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env, KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own group: Ctrl-C in the terminal reaches the sandbox, which then stops things in order.
      detached: true,
    });
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
    this.#child.once('exit', (code, signal) => onExit(String(code ?? signal)));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGTERM');
    const exited = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIME);
    await exited;
    clearTimeout(timer);
  }
}
