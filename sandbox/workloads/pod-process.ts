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
  /** Takes its log; ends with a slash. */
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

/**
 * Runs the operator as a process until the signal aborts, and again where it ends by itself. Whatever ports the container names, it
 * listens on free ones of the loopback interface.
 */
export async function runPod(options: PodProcessOptions, signal: AbortSignal): Promise<void> {
  const { pod, container, kubeconfig, folder, tell, onState } = options;
  const { name } = pod.metadata;
  const log = `${folder}${name}.log`;
  for (let restarts = 0; ; restarts++) {
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
    tell(`started  pod ${name}: metrics at http://${LOOPBACK}:${metrics}/metrics, log in ${log}`);
    const until = AbortSignal.any([signal, ended.signal]);
    await watchReadiness(`http://${LOOPBACK}:${health}/readyz`, until, (ready) =>
      onState({ ready, restarts }),
    );
    await running.stop();
    if (signal.aborted) return;
    onState({ ready: false, restarts, waiting: `it ended with ${exit}; its log is ${log}` });
    const delay = Math.min(RESTART_DELAY.first * 2 ** restarts, RESTART_DELAY.longest);
    await sleep(clock, delay, signal).catch(() => undefined);
    if (signal.aborted) return;
  }
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
    const ready = await fetch(page, { signal: answered }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (signal.aborted) return;
    if (ready !== last) tell(ready);
    last = ready;
    await sleep(clock, LOOK_EVERY, signal).catch(() => undefined);
  }
}
