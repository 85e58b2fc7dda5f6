import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs a shell command with this process's input and output; when it ends or the signal aborts, so does all that it started. In a
 * terminal Ctrl-C does that: there the command stays in the terminal's own group of processes, so that it can be a shell to work in.
 * @returns its exit code
 */
export async function runCommand(
  command: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const grouped = !process.stdin.isTTY && process.platform !== 'win32';
  const child = spawn(command, { shell: true, stdio: 'inherit', env, detached: grouped });
  const stop = (): void => void (grouped ? endGroup(child.pid) : child.kill('SIGTERM'));
  signal.addEventListener('abort', stop, { once: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  signal.removeEventListener('abort', stop);
  if (grouped) endGroup(child.pid);
  return code ?? 1;
}

/** Ends every process of a group, if there are any. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
