import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where memory is limited, by the version of control groups. */
const HIERARCHIES = [
  { root: '/sys/fs/cgroup', sign: 'cgroup.controllers', limit: 'memory.max' },
  { root: '/sys/fs/cgroup/memory', sign: 'memory.limit_in_bytes', limit: 'memory.limit_in_bytes' },
];
const SWAP_LIMITS = ['memory.swap.max'];
/** The part of a container's memory that V8 takes for its old objects (v8, heap.cc: a quarter, and twice that on 64 bits). */
const V8_SHARE = 0.5;

/** A limit of memory for one process, as a container has it. */
export interface MemoryLimit {
  /** How it is kept, for people. */
  kind: 'a control group' | 'the heap limit of V8';
  /** Begins a command under the limit. */
  wrap: (command: readonly string[]) => readonly string[];
  remove: () => Promise<void>;
}

/** Limits memory by a control group where one can be made, which takes root, else V8's heap as a container would have it. */
export async function limitMemory(bytes: number): Promise<MemoryLimit> {
  return (await controlGroup(bytes)) ?? heapLimit(bytes);
}

async function controlGroup(bytes: number): Promise<MemoryLimit | undefined> {
  for (const { root, sign, limit } of HIERARCHIES) {
    const folder = join(root, `memory-test-${process.pid}`);
    try {
      await readFile(join(root, sign));
      await mkdir(folder);
    } catch {
      continue;
    }
    try {
      await writeFile(join(folder, limit), String(bytes));
    } catch {
      await rmdir(folder);
      continue;
    }
    for (const name of SWAP_LIMITS)
      await writeFile(join(folder, name), '0', { flag: 'r+' }).catch(() => undefined);
    return {
      kind: 'a control group',
      wrap: (command) => [
        'sh',
        '-c',
        'echo $$ > "$0" && exec "$@"',
        join(folder, 'cgroup.procs'),
        ...command,
      ],
      remove: () => rmdir(folder),
    };
  }
  return undefined;
}

function heapLimit(bytes: number): MemoryLimit {
  const megabytes = Math.floor((bytes * V8_SHARE) / 2 ** 20);
  return {
    kind: 'the heap limit of V8',
    wrap: ([program = '', ...rest]) => [program, `--max-old-space-size=${megabytes}`, ...rest],
    remove: () => Promise.resolve(),
  };
}

/** The most memory that a process has had at once, in bytes; Linux only. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
