import { readTokenSpec, type RegistryToken } from '../api/registry-token.ts';
import { sleep, type Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { ObjectName } from '../common/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import { Evictions } from '../kube/evictions.ts';
import { objectKey, parseObjectKey } from '../kube/object-key.ts';
import { PODS } from '../kube/resources.ts';
import { TerminalError, type ReconcileResult } from '../kube/worker-pool.ts';
import type { WorkQueue } from '../kube/work-queue.ts';
import { isCurable, type Cure, type Pod } from '../token/pods.ts';
import type { ServiceAccount } from '../token/service-accounts.ts';
import { idsOf } from './log-fields.ts';

export interface PodEvictorOptions {
  client: KubeClient;
  token: (name: ObjectName) => RegistryToken | undefined;
  serviceAccounts: { get(name: ObjectName): ServiceAccount | undefined };
  /** Keys of RegistryTokens whose pods are to be looked at. One worker is to work on it, so that evictions keep their pace. */
  queue: WorkQueue;
  events: EventRecorder;
  logger: Logger;
  clock: Clock;
}

/** Pods that a Secret came too late for are looked for this long after it came: some have not failed yet at first. */
const LOOKS = [1_000, 15_000, 60_000, 300_000];
/** At most one eviction in this time, whatever RegistryToken it is for. */
const PACE = 1_000;

interface Watchfulness {
  /** Of the RegistryToken. */
  uid: string;
  /** When the Secret became good: milliseconds since 1970, and of the monotonic clock. */
  since: number;
  start: number;
  /** Looks taken. */
  looks: number;
  /** Uids of pods evicted. */
  evicted: Set<string>;
}

/**
 * Evicts pods that could not pull because a Secret was not there yet, or not good. Pods are listed when a Secret has become
 * good, a few times, and not watched: at all other times a pod that fails to pull fails for another reason.
 */
export class PodEvictor {
  readonly #options: PodEvictorOptions;
  readonly #evictions: Evictions;
  /** By key of the RegistryToken. */
  readonly #watchful = new Map<string, Watchfulness>();

  constructor(options: PodEvictorOptions) {
    this.#options = options;
    this.#evictions = new Evictions(options.client);
  }

  /** A RegistryToken's Secret has become good to pull with, or a ServiceAccount has got it. */
  notice({ metadata }: RegistryToken): void {
    const { clock, queue } = this.#options;
    const { uid } = metadata;
    const key = objectKey(metadata);
    const evicted = this.#watchful.get(key)?.evicted ?? new Set();
    this.#watchful.set(key, { uid, since: clock.now(), start: clock.monotonic(), looks: 0, evicted });
    queue.addAfter(key, LOOKS[0] ?? 0);
  }

  /** Looks at the pods of a RegistryToken. @throws KubeError, TerminalError */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { clock } = this.#options;
    const token = this.#options.token(parseObjectKey(key));
    const watchful = this.#watchful.get(key);
    if (!token || !watchful || token.metadata.uid !== watchful.uid) {
      this.#watchful.delete(key);
      return undefined;
    }
    const cure = this.#cure(token, watchful.since);
    if (cure) {
      const pods = await this.#pending(token, signal);
      const curable = pods.filter((pod) => !watchful.evicted.has(pod.metadata.uid) && isCurable(pod, cure));
      for (const pod of curable) await this.#evict(token, pod, watchful, signal);
    }
    watchful.looks++;
    const next = LOOKS[watchful.looks];
    if (next === undefined) {
      this.#watchful.delete(key);
      return undefined;
    }
    return { requeueAfter: Math.max(watchful.start + next - clock.monotonic(), PACE) };
  }

  async #pending({ metadata: { namespace } }: RegistryToken, signal: AbortSignal): Promise<Pod[]> {
    try {
      const selection = { namespace, fieldSelector: 'status.phase=Pending', signal };
      return await this.#options.client.listAll<Pod>(PODS, selection);
    } catch (error) {
      if (!(error instanceof KubeError && error.isForbidden)) throw error;
      throw new TerminalError(
        `${error.message}; let the operator list pods and create pods/eviction, or set --evict-pods=false`,
      );
    }
  }

  #cure(token: RegistryToken, since: number): Cure | undefined {
    const { metadata, status } = token;
    const { namespace, deletionTimestamp } = metadata;
    const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    if (!ready || !status?.secretRef || !status.host || deletionTimestamp !== undefined) return undefined;
    const secret = status.secretRef.name;
    const entries = (status.serviceAccounts ?? []).flatMap((name) => {
      const all = this.#options.serviceAccounts.get({ namespace, name })?.imagePullSecrets ?? [];
      const others = all.filter((entry) => entry.name !== secret);
      return others.length < all.length ? [[name, others] as const] : [];
    });
    const hosts = [status.host, ...readTokenSpec(token).secret.extraHosts];
    return { secret, hosts, since, serviceAccounts: new Map(entries) };
  }

  /** What is refused for now is tried again at the next look. */
  async #evict(
    token: RegistryToken,
    pod: Pod,
    { evicted }: Watchfulness,
    signal: AbortSignal,
  ): Promise<void> {
    const { events, logger, clock } = this.#options;
    const fields = { ...idsOf(token), pod: pod.metadata.name };
    try {
      await this.#evictions.evict(pod, signal);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.isNotFound || error.isConflict) return;
      logger.warn({ ...fields, error: error.message }, 'a pod that could not pull is not evicted yet');
      return;
    }
    evicted.add(pod.metadata.uid);
    const note = `pod ${pod.metadata.name} could not pull its image before Secret ${token.status?.secretRef?.name ?? ''} was good, and was evicted to start anew`;
    logger.info(fields, note);
    events.event(token, 'Normal', 'PodEvicted', note);
    await sleep(clock, PACE, signal);
  }
}
