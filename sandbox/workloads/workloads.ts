import { isDeepStrictEqual } from 'node:util';
import { pino } from 'pino';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName, Resource } from '../../src/common/objects.ts';
import { Reflector } from '../../src/kube/cache/reflector.ts';
import type { KubeClient } from '../../src/kube/client/client.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { PODS } from '../../src/kube/client/resources.ts';
import { timeText } from '../apiserver/time-text.ts';
import { clockTime } from '../narrator.ts';
import { DEPLOYMENTS, REPLICA_SETS, type Deployment, type Pod, type ReplicaSet } from './objects.ts';
import { PodRunner } from './pod-runner.ts';
import { rolloutOf, withReplicaFailure, type Adoption, type Rollout } from './rollout.ts';

export interface WorkloadsOptions {
  client: KubeClient;
  /** Path of the one that the operator is to reach the API server with. */
  kubeconfig: string;
  /** Takes logs; ends with a slash. */
  folder: string;
  /** Takes a line for the person at the terminal. */
  tell: (line: string) => void;
}

/** Milliseconds until it tries again what the API server refused. */
const RETRY_DELAY = 1_000;

/**
 * What becomes of Deployments where there is neither kube-controller-manager nor a node: they get ReplicaSets and pods, and the pods
 * of the operator's image are run as processes of this machine.
 */
export class Workloads {
  readonly #client: KubeClient;
  readonly #tell: WorkloadsOptions['tell'];
  readonly #runner: PodRunner;
  readonly #deployments: Reflector<Deployment>;
  readonly #replicaSets: Reflector<ReplicaSet>;
  readonly #pods: Reflector<Pod>;
  #changed = Promise.withResolvers<void>();
  /** What the last pass was refused, by uids of Deployments. */
  #waiting = new Map<string, string>();
  #retrying = false;

  constructor({ client, kubeconfig, folder, tell }: WorkloadsOptions) {
    this.#client = client;
    this.#tell = (line) => tell(`${clockTime(clock.now())}  ${line}`);
    this.#runner = new PodRunner({ client, kubeconfig, folder, tell: this.#tell });
    this.#deployments = this.#follow<Deployment>(DEPLOYMENTS);
    this.#replicaSets = this.#follow<ReplicaSet>(REPLICA_SETS);
    this.#pods = this.#follow<Pod>(PODS);
  }

  /** Runs until the signal aborts, and returns when no process is left. */
  async run(signal: AbortSignal): Promise<void> {
    const reflectors = [this.#deployments, this.#replicaSets, this.#pods];
    const following = reflectors.map((each) => each.run(signal));
    signal.addEventListener('abort', () => this.#changed.resolve(), { once: true });
    try {
      for (const each of reflectors) await each.whenSynced(signal);
      while (!signal.aborted) {
        this.#changed = Promise.withResolvers();
        await this.#pass(signal);
        await this.#changed.promise;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#runner.stop();
    }
    await Promise.all(following);
  }

  #follow<T extends KubeObject>(resource: Resource): Reflector<T> {
    const logger = pino({ level: 'silent' });
    const reflector = new Reflector<T>({
      client: this.#client,
      resource,
      clock,
      random: Math.random,
      logger,
    });
    reflector.onChange(() => this.#changed.resolve());
    return reflector;
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const pods = this.#pods.store.list();
    this.#runner.follow(pods);
    const all = { replicaSets: this.#replicaSets.store.list(), pods };
    const waiting = new Map<string, string>();
    for (const deployment of this.#deployments.store.list()) {
      const { uid, deletionTimestamp } = deployment.metadata;
      if (deletionTimestamp !== undefined) continue;
      const refusal = await this.#bringAbout(deployment, all);
      if (refusal !== undefined) waiting.set(uid, refusal);
    }
    this.#waiting = waiting;
    if (waiting.size > 0) this.#passAgain(signal);
  }

  /** @returns why the API server refused something, for which it is to be tried again */
  async #bringAbout(
    deployment: Deployment,
    all: { replicaSets: readonly ReplicaSet[]; pods: readonly Pod[] },
  ): Promise<string | undefined> {
    const now = timeText(clock.now());
    const rollout = rolloutOf(deployment, all, now);
    const status = rollout.statuses.deployment;
    try {
      await this.#carryOut(deployment, rollout);
      await this.#writeStatus(DEPLOYMENTS, deployment, status);
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // What was seen may be old by now: then a change is on its way.
      if (error.isConflict || error.isNotFound) return '';
      const { name, uid } = deployment.metadata;
      if (this.#waiting.get(uid) !== error.message) this.#tell(`Deployment ${name} waits: ${error.message}`);
      const failed = withReplicaFailure(deployment, status, error.message, now);
      await this.#writeStatus(DEPLOYMENTS, deployment, failed).catch((failure: unknown) => {
        if (!(failure instanceof KubeError)) throw failure;
      });
      return error.message;
    }
  }

  #passAgain(signal: AbortSignal): void {
    if (this.#retrying) return;
    this.#retrying = true;
    void sleep(clock, RETRY_DELAY, signal).then(
      () => {
        this.#retrying = false;
        this.#changed.resolve();
      },
      () => undefined,
    );
  }

  async #carryOut(
    deployment: Deployment,
    { adopt, create, remove, scale, statuses }: Rollout,
  ): Promise<void> {
    const client = this.#client;
    for (const each of adopt.replicaSets) await this.#adopt(REPLICA_SETS, each);
    for (const each of adopt.pods) await this.#adopt(PODS, each);
    for (const replicaSet of create.replicaSets) await client.create(REPLICA_SETS, replicaSet);
    for (const { metadata } of scale)
      await client.mergePatch(REPLICA_SETS, metadata, { spec: { replicas: deployment.spec.replicas } });
    for (const pod of create.pods) await client.create(PODS, pod);
    for (const pod of remove.pods) await client.delete(PODS, pod.metadata, { uid: pod.metadata.uid });
    for (const { metadata } of remove.replicaSets)
      await client.delete(REPLICA_SETS, metadata, { uid: metadata.uid, propagationPolicy: 'Background' });
    for (const [replicaSet, status] of statuses.replicaSets)
      await this.#writeStatus(REPLICA_SETS, replicaSet, status);
  }

  async #adopt(
    resource: Resource,
    { object: { metadata }, ownerReferences }: Adoption<KubeObject>,
  ): Promise<void> {
    const { uid, resourceVersion } = metadata;
    await this.#client.mergePatch(resource, metadata, {
      metadata: { uid, resourceVersion, ownerReferences },
    });
  }

  async #writeStatus(
    resource: Resource,
    object: { metadata: ObjectName; status?: object },
    status: object,
  ): Promise<void> {
    if (includes(object.status, status)) return;
    await this.#client.mergePatch(resource, object.metadata, { status }, { subresource: 'status' });
  }
}

/** Whether a status as stored, which leaves out counts of zero, says all that another does. */
function includes(stored: object = {}, status: object): boolean {
  const known = new Map(Object.entries(stored));
  return Object.entries(status).every(([field, value]) => isDeepStrictEqual(known.get(field) ?? 0, value));
}
