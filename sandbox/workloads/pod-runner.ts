import { systemClock as clock } from '../../src/common/clock.ts';
import type { KubeClient } from '../../src/kube/client/client.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { PODS } from '../../src/kube/client/resources.ts';
import { timeText } from '../apiserver/time-text.ts';
import type { Pod } from './objects.ts';
import { LOOPBACK, readOperatorContainer } from './operator-container.ts';
import { runPod, type PodProcessOptions, type PodState } from './pod-process.ts';

type PodRunnerOptions = Pick<PodProcessOptions, 'kubeconfig' | 'folder' | 'tell'> & { client: KubeClient };

interface Running {
  stop: AbortController;
  ended: Promise<void>;
}

/** Has a process run for each pod of the operator's image, and says in the pod's status how it is. */
export class PodRunner {
  readonly #options: PodRunnerOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: PodRunnerOptions) {
    this.#options = options;
  }

  /** Starts what is new, and stops what is not among these pods any more. */
  follow(pods: readonly Pod[]): void {
    const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const uids = new Set(alive.map(({ metadata }) => metadata.uid));
    for (const [uid, { stop }] of this.#running) if (!uids.has(uid)) stop.abort();
    for (const pod of alive) if (!this.#running.has(pod.metadata.uid)) this.#start(pod);
  }

  /** Stops all. */
  async stop(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #start(pod: Pod): void {
    const container = readOperatorContainer(pod);
    if ('refusal' in container) {
      this.#refuse(pod, container.refusal);
      return;
    }
    const stop = new AbortController();
    const started = timeText(clock.now());
    // One after the other, so that the last is the one that stays.
    let written = Promise.resolve();
    const onState = (state: PodState): void => {
      written = written.then(() => this.#write(pod, statusOf(pod, state, started)));
    };
    const { uid } = pod.metadata;
    const ended = runPod({ ...this.#options, pod, container, onState }, stop.signal)
      .then(() => written)
      .finally(() => this.#running.delete(uid));
    this.#running.set(uid, { stop, ended });
  }

  /** Fails a pod that somebody may wait to see finished, such as one of `helm test`. Others stay pending. */
  #refuse(pod: Pod, why: string): void {
    if ((pod.spec.restartPolicy ?? 'Always') === 'Always' || pod.status?.phase === 'Failed') return;
    const message = `The sandbox does not run it: ${why}.`;
    void this.#write(pod, { phase: 'Failed', reason: 'NotRun', message });
  }

  /** Never rejects: a pod's status that can't be written is told, and ends nothing else. */
  async #write({ metadata }: Pod, status: object): Promise<void> {
    const { name, namespace, uid } = metadata;
    try {
      const patch = { metadata: { uid }, status };
      await this.#options.client.mergePatch(PODS, { name, namespace }, patch, { subresource: 'status' });
    } catch (error) {
      // Gone, or another of its name: then nobody asks for this one any more.
      if (error instanceof KubeError && (error.isNotFound || error.isConflict)) return;
      const why = error instanceof Error ? error.message : String(error);
      this.#options.tell(`the status of pod ${name} could not be written: ${why}`);
    }
  }
}

function statusOf(pod: Pod, { ready, restarts, waiting }: PodState, started: string): object {
  const [{ name, image } = { name: '', image: '' }] = pod.spec.containers;
  const status = ready ? 'True' : 'False';
  const now = timeText(clock.now());
  const condition = (type: string): object => ({ type, status, lastTransitionTime: now });
  return {
    phase: 'Running',
    podIP: LOOPBACK,
    startTime: started,
    conditions: [condition('ContainersReady'), condition('Ready')],
    containerStatuses: [
      {
        name,
        image,
        imageID: '',
        ready,
        restartCount: restarts,
        state:
          waiting === undefined
            ? { running: { startedAt: started } }
            : { waiting: { reason: 'CrashLoopBackOff', message: waiting } },
      },
    ],
  };
}
