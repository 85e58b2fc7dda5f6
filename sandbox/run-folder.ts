import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';

/** Where a sandbox writes its kubeconfig and logs. */
export interface RunFolder {
  /** Ends with a slash. */
  path: string;
  /** Lets the next sandbox have it. */
  release: () => Promise<void>;
}

/**
 * The folder of a run: the usual one, or one of its own inside it while another sandbox that runs has that.
 * @param usual ends with a slash; made when missing
 * @param pid of this process
 * @param isAlive whether there is a process of that id
 */
export async function claimRunFolder(
  usual: string,
  pid = process.pid,
  isAlive: (pid: number) => boolean = isRunning,
): Promise<RunFolder> {
  await mkdir(usual, { recursive: true });
  const lock = `${usual}pid`;
  const holder = await holderOf(lock);
  // One that was killed could not let go of it.
  if (holder !== undefined && !isAlive(holder)) await rm(lock, { force: true });
  try {
    await writeFile(lock, String(pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const path = `${usual}run-${pid}/`;
    await mkdir(path, { recursive: true });
    return { path, release: () => Promise.resolve() };
  }
  return { path: usual, release: () => rm(lock, { force: true }) };
}

/** @returns undefined where nobody has it; NaN where it can't be read */
async function holderOf(lock: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(lock, 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // There is one, of somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
