import { mkdir } from 'node:fs/promises';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { freePort } from '../free-port.ts';
import { OperatorProcess } from '../operator-process.ts';
import type { Pod } from './objects.ts';
import { LOOPBACK, type OperatorContainer } from './operator-container.ts';

/** What is known of the process that stands for a pod. */
export interface PodState {
  ready: boolean;
  /** How often it ended by itself. */
  restarts: number;
  /** Why none runs now; absent while one runs. */
  waiting?: string;
}

export interface PodProcessOptions {
  pod: Pod;
  container: OperatorContainer;
  /** Path of the one to reach the API server with. */
  kubeconfig: string;
  /** Has the folder of the pods' logs; ends with a slash. */
  folder: string;
  /** Takes a line for the person at the terminal. */
  tell: (line: string) => void;
  /** Told of every change, and of the beginning. */
  onState: (state: PodState) => void;
}

/** Milliseconds between looks at /readyz. */
const LOOK_EVERY = 250;
/** Milliseconds that the page may take. */
const PATIENCE = 5_000;
/** How long it stays away after it ended by itself: longer each time, as kubelet does, in milliseconds. */
const RESTART_DELAY = { first: 1_000, longest: 60_000 };
/** Milliseconds of running after which kubelet forgets earlier ends. */
const STEADY = 600_000;

/** Milliseconds until a process that ran so many milliseconds is started again. @param before what it was the last time */
export function restartDelay(before: number | undefined, ran: number): number {
  if (before === undefined || ran >= STEADY) return RESTART_DELAY.first;
  return Math.min(before * 2, RESTART_DELAY.longest);
}

/** Path of a pod's log under a folder, as kubelet names it; a long name is cut, for a file's name has at most 255 bytes. */
export function logOf({ metadata }: Pod): string {
  const { namespace = '', name, uid } = metadata;
  return `pods/${namespace}_${name.slice(0, MAX_NAME)}_${uid}.log`;
}

/** Characters of a pod's name in that of its log: enough to know it again. */
const MAX_NAME = 100;

/**
 * Runs the operator as a process until the signal aborts, and again where it ends by itself or can't be started. Whatever ports the
 * container names, it listens on free ones of the loopback interface.
 */
export async function runPod(options: PodProcessOptions, signal: AbortSignal): Promise<void> {
  let delay: number | undefined;
  for (let restarts = 0; ; restarts++) {
    const began = clock.monotonic();
    const waiting = await runOnce(options, restarts, signal).catch(
      (error: unknown) => `it can't be started: ${error instanceof Error ? error.message : String(error)}`,
    );
    if (signal.aborted) return;
    options.onState({ ready: false, restarts, waiting });
    delay = restartDelay(delay, clock.monotonic() - began);
    await sleep(clock, delay, signal).catch(() => undefined);
    if (signal.aborted) return;
  }
}

/** @returns why none runs any more @throws Error when it does not start */
async function runOnce(options: PodProcessOptions, restarts: number, signal: AbortSignal): Promise<string> {
  const { pod, container, kubeconfig, folder, tell, onState } = options;
  const log = `${folder}${logOf(pod)}`;
  await mkdir(`${folder}pods`, { recursive: true });
  const [health, metrics] = [await freePort(), await freePort()];
  const own = [
    `--health-probe-bind-address=${LOOPBACK}:${health}`,
    `--metrics-bind-address=${LOOPBACK}:${metrics}`,
  ];
  const ended = new AbortController();
  let exit = '';
  const running = new OperatorProcess(
    [...container.args, ...own],
    kubeconfig,
    log,
    (code) => {
      exit = code;
      ended.abort();
    },
    container.env,
  );
  tell(`started  pod ${pod.metadata.name}: metrics at http://${LOOPBACK}:${metrics}/metrics, log in ${log}`);
  const until = AbortSignal.any([signal, ended.signal]);
  await watchReadiness(`http://${LOOPBACK}:${health}/readyz`, until, (ready) => onState({ ready, restarts }));
  await running.stop();
  return `it ended with ${exit}; its log is ${log}`;
}

/** Tells whether the page says yes, at first and whenever that changes, until the signal aborts. */
async function watchReadiness(
  page: string,
  signal: AbortSignal,
  tell: (ready: boolean) => void,
): Promise<void> {
  let last: boolean | undefined;
  while (!signal.aborted) {
    const answered = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
    const ready = await isOk(page, answered).catch(() => false);
    if (signal.aborted) return;
    if (ready !== last) tell(ready);
    last = ready;
    await sleep(clock, LOOK_EVERY, signal).catch(() => undefined);
  }
}

async function isOk(page: string, signal: AbortSignal): Promise<boolean> {
  const { ok, body } = await fetch(page, { signal });
  // One that is not read keeps its connection.
  await body?.cancel();
  return ok;
}
