import { readdir, readFile } from 'node:fs/promises';

/** Ids of the processes of this machine that have something in their environment, and that run a program whose command line matches. */
export async function processesWith(environment: string, command = /^/): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const read = (pid: string, file: string): Promise<string> =>
    readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [variables, line] = [await read(pid, 'environ'), await read(pid, 'cmdline')];
      return variables.includes(environment) && command.test(line.replaceAll('\0', ' '));
    }),
  );
  return pids.filter((_, at) => found[at]).map(Number);
}
