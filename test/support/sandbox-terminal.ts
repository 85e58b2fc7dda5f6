import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { recordOutput } from './secrecy.ts';

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Milliseconds that a sandbox may take to start. */
const PATIENCE = 45_000;

/** A terminal in which a sandbox runs, in the project's folder. */
export class SandboxTerminal {
  readonly #shell: ChildProcess;
  /** Path of the one that the sandbox says to go on with. */
  readonly kubeconfig: string;

  private constructor(shell: ChildProcess, kubeconfig: string) {
    this.#shell = shell;
    this.kubeconfig = kubeconfig;
  }

  /**
   * Types the command that starts a sandbox, and waits until that says how to go on in another terminal.
   * @throws Error when it ends before, or takes too long, with nothing of it left
   */
  static async open(command: string, env: NodeJS.ProcessEnv): Promise<SandboxTerminal> {
    const shell = spawn('bash', ['-c', command], {
      cwd: PROJECT,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const lines = createInterface(shell.stdout);
    lines.on('line', (line) => {
      recordOutput(`${line}\n`, 'sandbox');
      const [, path] = /^ *export KUBECONFIG=(.+)$/.exec(line) ?? [];
      if (path !== undefined) resolve(path);
    });
    lines.once('close', () => reject(new Error('the sandbox ended')));
    const late = new Error(`the sandbox did not start within ${PATIENCE / 1000} s`);
    const timer = setTimeout(() => reject(late), PATIENCE);
    try {
      return new SandboxTerminal(shell, await promise);
    } catch (error) {
      await interrupt(shell);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Commands of the documentation, which names the usual folder, with the one that this sandbox has. */
  inFolder(commands: string): string {
    return commands.replaceAll(/(\$PWD\/)?\.sandbox\//g, () => `${dirname(this.kubeconfig)}/`);
  }

  /** Types Ctrl-C, which reaches everything in the terminal, and waits for the end. */
  close(): Promise<void> {
    return interrupt(this.#shell);
  }
}

async function interrupt(shell: ChildProcess): Promise<void> {
  const { exitCode, signalCode, pid } = shell;
  if (exitCode !== null || signalCode !== null || pid === undefined) return;
  const ended = once(shell, 'exit');
  process.kill(-pid, 'SIGINT');
  await ended;
}
