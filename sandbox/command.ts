import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sleep, systemClock as clock } from '../src/common/clock.ts';

/** How long what is to end may take, in milliseconds; then it is killed. */
const STOP_TIME = 5_000;
/** Milliseconds between looks whether anything is left. */
const LOOK_EVERY = 20;

/**
 * Runs a shell command with this process's input and output; when it ends or the signal aborts, so does all that it started. In a
 * terminal Ctrl-C does that: there the command stays in the terminal's own group of processes, so that it can be a shell to work in.
 * @param stopTime milliseconds that it and what it started may take to end when they are to; then they are killed
 * @returns its exit code
 * @throws the signal's reason when it has aborted before
 */
export async function runCommand(
  command: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  stopTime = STOP_TIME,
): Promise<number> {
  signal.throwIfAborted();
  const grouped = !process.stdin.isTTY && process.platform !== 'win32';
  const child = spawn(command, { shell: true, stdio: 'inherit', env, detached: grouped });
  const send = (how: NodeJS.Signals): unknown => (grouped ? signalGroup(child.pid, how) : child.kill(how));
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    send('SIGTERM');
    killing = setTimeout(() => send('SIGKILL'), stopTime);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    clearTimeout(killing);
    signal.removeEventListener('abort', stop);
    if (grouped) await endGroup(child.pid, stopTime);
  }
}

/** Ends every process of a group, if there are any: asks them, waits, and kills those that are still there. */
async function endGroup(pid: number | undefined, stopTime: number): Promise<void> {
  const deadline = clock.monotonic() + stopTime;
  for (let left = signalGroup(pid, 'SIGTERM'); left; left = signalGroup(pid, 0)) {
    if (clock.monotonic() > deadline) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await sleep(clock, LOOK_EVERY);
  }
}

/** Sends a signal to every process of a group. @returns whether there are any */
function signalGroup(pid: number | undefined, how: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, how);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
