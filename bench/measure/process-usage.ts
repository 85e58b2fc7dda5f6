import { readFile } from 'node:fs/promises';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';

/** What a process has used so far. */
export interface ProcessUsage {
  /** Milliseconds of processor time, in its own code and in the kernel. */
  cpu: number;
  /** Bytes of memory it has now, and the most it has had. */
  rss: number;
  peak: number;
}

/** Units of /proc/PID/stat in a second (USER_HZ, 100 on every Linux that Node runs on). */
const TICKS = 100;
/** A process that uses less of a processor than this share is at rest. */
const RESTING = 0.05;
/** How long it is looked at for that, and how long it may take to come to rest. Milliseconds. */
const LOOK = 500;
const PATIENCE = 60_000;

/** What a Linux process has used. @throws Error when there is no such process */
export async function usageOf(pid: number): Promise<ProcessUsage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  return { cpu: readCpu(stat), ...readMemory(status) };
}

/** Milliseconds of processor time. @param stat text of /proc/PID/stat; the name in it can hold anything, so what follows counts */
export function readCpu(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = NaN, system = NaN] = fields.slice(11, 13).map(Number);
  return ((user + system) * 1000) / TICKS;
}

/** Bytes. @param status text of /proc/PID/status */
export function readMemory(status: string): { rss: number; peak: number } {
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { rss: bytes('VmRSS'), peak: bytes('VmHWM') };
}

/** Milliseconds of processor time that all processes of this machine have used so far, those that nobody here began included. */
export async function machineCpu(): Promise<number> {
  return readMachineCpu(await readFile('/proc/stat', 'utf8'));
}

/** Milliseconds of processor time, of all processors together. @param stat text of /proc/stat */
export function readMachineCpu(stat: string): number {
  const [user = NaN, nice = NaN, system = NaN, , , irq = NaN, softirq = NaN] = (stat.split('\n')[0] ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return ((user + nice + system + irq + softirq) * 1000) / TICKS;
}

/** Waits until a process has next to nothing to do any more, at the most a minute. */
export async function whenAtRest(pid: number): Promise<void> {
  const end = clock.monotonic() + PATIENCE;
  for (let before = (await usageOf(pid)).cpu; clock.monotonic() < end;) {
    await sleep(clock, LOOK);
    const { cpu } = await usageOf(pid);
    if (cpu - before < LOOK * RESTING) return;
    before = cpu;
  }
}
