import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';

/** A test or a seed that ran. */
export interface Part {
  /** Full title of the test, or the seed. */
  name: string;
  /** File of the test, absolute. */
  file?: string;
  milliseconds: number;
  /** Ids of the mutants whose place it reached. */
  reached: number[];
}

/** What a child process answers. */
export interface Report {
  /** The first part that failed. */
  failed?: string;
  parts: Part[];
  /** Milliseconds from the start of the process until everything was loaded. */
  loading: number;
  /** Mutants whose place was reached outside of any part: while modules load, and in hooks of suites. */
  between: number[];
}

/** What a child process is asked: unit-tests.ts for `files`, simulations.ts for `seeds`. */
export interface Order {
  /** Absolute. */
  files?: string[];
  /** Full titles of the tests to run; default: all. */
  titles?: string[];
  seeds?: number[];
  /** End with the first failure. */
  bail: boolean;
}

export type Ending = Report | 'timed out' | 'broke';

/** What ends a process that used too much CPU time. */
const TOO_LONG = 'SIGXCPU';
/** How much longer than its CPU time a process may take by the clock, where others work as well. */
const SLOWDOWN = 3;
/** Milliseconds by the clock for one that waits and uses no CPU time. */
const MAX_WAIT = 60_000;

/**
 * Runs tests in a process of their own, with a mutant in the code or, without one, with marks for all.
 * @param program file name, beside this one
 * @param mutants path of the JSON file of all mutants
 * @param limit milliseconds of CPU time, rounded up to seconds
 */
export function runChild(
  program: string,
  order: Order,
  { mutants, mutant, limit }: { mutants: string; mutant?: number; limit: number },
): Promise<Ending> {
  const path = (file: string): string => join(import.meta.dirname, file);
  const limited = `ulimit -S -t ${Math.ceil(limit / 1000)} && exec "$0" "$@"`;
  const node = [process.execPath, '--import', path('loader.ts'), '--no-warnings', path(program)];
  const child: ChildProcess = spawn('sh', ['-c', limited, ...node], {
    env: {
      ...process.env,
      MUTANTS: mutants,
      ...(mutant === undefined ? {} : { MUTANT: String(mutant) }),
      NODE_COMPILE_CACHE: join(dirname(mutants), 'cache'),
    },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: MAX_WAIT + SLOWDOWN * Math.ceil(limit),
    killSignal: TOO_LONG,
  });
  return new Promise((resolve) => {
    let ending: Ending = 'broke';
    child.on('message', (report: Report) => (ending = report));
    child.on('error', () => resolve('broke'));
    child.on('close', (_, signal) => resolve(signal === TOO_LONG ? 'timed out' : ending));
    child.send(order);
  });
}

/** Answers the process that started this one, and ends. */
export function answer(report: Report): void {
  process.send?.(report, () => process.exit(0));
}
