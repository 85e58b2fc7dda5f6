import { parentPort } from 'node:worker_threads';
import { simulate } from './simulation.ts';

/** Runs the seeds it is sent, one at a time. */
parentPort?.on('message', (seed: number) => {
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void simulate({ seed }).then((outcome) => parentPort?.postMessage(outcome));
});
