import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { killAtExit } from './programs.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** How long the operator may take to stop, in milliseconds; then it is killed. */
const STOP_TIME = 10_000;

/** The operator as a child process, its log at the end of a file. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  #stopped = false;

  /**
   * @param logFile made when missing, in a folder that has to be there
   * @param onExit called when it ends without having been stopped, or does not start after all, with its exit code or the reason
   * @param env besides the variables of this process
   * @throws Error when the log can't be written, or no process can have such arguments or variables
   */
  constructor(
    args: readonly string[],
    kubeconfig: string,
    logFile: string,
    onExit: (code: string) => void,
    env: Readonly<Record<string, string>> = {},
  ) {
    const log = openSync(logFile, 'a');
    try {
      this.#child = spawn(process.execPath, [MAIN, ...args], {
        env: { ...process.env, ...env, KUBECONFIG: kubeconfig },
        stdio: ['ignore', log, log],
        // Its own group: Ctrl-C in the terminal reaches the sandbox, which then stops things in order.
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    killAtExit(this.#child);
    const tell = (end: string): void => {
      if (!this.#stopped) onExit(end);
    };
    this.#child.once('exit', (code, signal) => tell(String(code ?? signal)));
    this.#child.once('error', ({ message }) => tell(message));
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#stopped = true;
    this.#child.kill('SIGTERM');
    const exited = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIME);
    await exited;
    clearTimeout(timer);
  }
}
