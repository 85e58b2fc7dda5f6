import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { recordOutput } from './secrecy.ts';

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A terminal in which a sandbox runs, in the project's folder. */
export class SandboxTerminal {
  readonly #shell: ChildProcess;

  private constructor(shell: ChildProcess) {
    this.#shell = shell;
  }

  /**
   * Types the command that starts a sandbox, and waits until that says how to go on in another terminal.
   * @throws Error when it ends before
   */
  static async open(command: string, env: NodeJS.ProcessEnv): Promise<SandboxTerminal> {
    const shell = spawn('bash', ['-c', command], {
      cwd: PROJECT,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      const lines = createInterface(shell.stdout);
      lines.on('line', (line) => {
        recordOutput(`${line}\n`, 'sandbox');
        if (line.startsWith('In another terminal')) resolve();
      });
      lines.once('close', () => reject(new Error('the sandbox ended')));
    });
    return new SandboxTerminal(shell);
  }

  /** Types Ctrl-C, which reaches everything in the terminal, and waits for the end. */
  async close(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#shell;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const ended = once(this.#shell, 'exit');
    process.kill(-pid, 'SIGINT');
    await ended;
  }
}
