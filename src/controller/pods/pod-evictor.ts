import type { RegistryToken } from '../../api/registry-token.ts';
import { sleep, type Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, ObjectMeta, ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { Evictions } from '../../kube/client/evictions.ts';
import { objectKey, parseObjectKey } from '../../kube/client/object-key.ts';
import { PODS } from '../../kube/client/resources.ts';
import { named } from '../../kube/client/selection.ts';
import { TerminalError, type ReconcileResult } from '../../kube/queue/worker-pool.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';
import { holdsLiveToken, isCurable, type Cure, type Linking } from '../../token/workloads/cure.ts';
import type { Pod } from '../../token/workloads/pods.ts';
import { pullHosts } from '../../token/workloads/secret-use.ts';
import type { Links, ServiceAccount } from '../../token/workloads/service-accounts.ts';
import { idsOf } from '../shared/log-fields.ts';

export interface PodEvictorOptions {
  client: Pick<KubeClient, 'get' | 'listAll' | 'discover' | 'createSubresource'>;
  token: (name: ObjectName) => RegistryToken | undefined;
  /** Metadata of a Secret that the operator manages. */
  secret: (name: ObjectName) => Pick<KubeObject, 'metadata'> | undefined;
  serviceAccounts: { get(name: ObjectName): ServiceAccount | undefined };
  /** Keys of RegistryTokens whose pods are to be looked at. One worker is to work on it, so that evictions keep their pace. */
  queue: WorkQueue;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
  clock: Clock;
}

/** Pods that a Secret came too late for are looked for this long after it came: some have not failed yet at first. */
const MAX_LOOK_AFTER = 300_000;
const LOOKS = [1_000, 15_000, 60_000, MAX_LOOK_AFTER];
/** At most one eviction is asked for in this time, whatever RegistryToken it is for and whatever the answer. */
const PACE = 1_000;

interface Watchfulness extends Pick<Cure, 'goodSince'> {
  /** Of the RegistryToken. */
  uid: string;
  /** Of the monotonic clock. */
  start: number;
  /** Looks taken. */
  looks: number;
  /** By ServiceAccount: how it got the Secret since a pod could last be looked for. */
  linkings: Map<string, Linking[]>;
  /** Uids of pods evicted. */
  evicted: Set<string>;
  /** Uids of pods that this look has been at. */
  seen: Set<string>;
}

/** Pods that are tried to be evicted in one go, at a second each: what is left comes next, so that no reconcile goes on for minutes. */
const MOST = 60;

/**
 * Evicts pods that could not pull because a Secret was not there yet, or not good. Pods are listed when a Secret has become
 * good, or a ServiceAccount has got it, a few times, and not watched: at all other times a pod that fails to pull fails for
 * another reason.
 */
export class PodEvictor {
  readonly #options: PodEvictorOptions;
  readonly #evictions: Evictions;
  /** By key of the RegistryToken. Replaced by whatever is new, and looks begin anew. */
  readonly #watchful = new Map<string, Watchfulness>();

  constructor(options: PodEvictorOptions) {
    this.#options = options;
    this.#evictions = new Evictions(options.client);
  }

  /** A RegistryToken's Secret was missing or dead, and has become good to pull with. */
  secretIsGood(token: RegistryToken): void {
    this.#watch(token, () => ({ goodSince: this.#options.clock.now() }));
  }

  /** A ServiceAccount has got a RegistryToken's Secret. @param before what it had until then */
  linked(token: RegistryToken, serviceAccount: string, before: Links): void {
    const at = this.#options.clock.now();
    this.#watch(token, ({ linkings }) => {
      // What was seen to the last look is over: a pattern can link ServiceAccounts for as long as there are new ones.
      const isOver = (linking: Linking): boolean => linking.at < at - MAX_LOOK_AFTER;
      for (const [name, linked] of linkings) {
        if (!linked.every(isOver)) break;
        linkings.delete(name);
      }
      const known = linkings.get(serviceAccount) ?? [];
      linkings.delete(serviceAccount);
      linkings.set(serviceAccount, [...known.filter((each) => !isOver(each)), { before, at }]);
      return {};
    });
  }

  #watch({ metadata }: RegistryToken, news: (known: Watchfulness) => Partial<Watchfulness>): void {
    const { uid } = metadata;
    const key = objectKey(metadata);
    const start = this.#options.clock.monotonic();
    const last = this.#watchful.get(key);
    const unknown = {
      uid,
      goodSince: undefined,
      linkings: new Map<string, Linking[]>(),
      evicted: new Set<string>(),
    };
    const known: Watchfulness = { ...(last?.uid === uid ? last : unknown), start, looks: 0, seen: new Set() };
    this.#watchful.set(key, { ...known, ...news(known) });
    this.#options.queue.addAfter(key, LOOKS[0] ?? 0);
  }

  /** Looks at the pods of a RegistryToken. @throws KubeError, TerminalError */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const watchful = this.#watchful.get(key);
    if (!watchful) return undefined;
    try {
      const all = !this.#cure(key, watchful) || (await this.#cureAll(key, watchful, signal));
      if (!all) return { requeueAfter: PACE };
    } catch (error) {
      if (error instanceof TerminalError) this.#watchful.delete(key);
      throw error;
    }
    // What is new has a look of its own waiting.
    if (this.#watchful.get(key) !== watchful) return undefined;
    watchful.looks++;
    watchful.seen.clear();
    const next = LOOKS[watchful.looks];
    if (next !== undefined && this.#token(key, watchful)) {
      const { clock } = this.#options;
      return { requeueAfter: Math.max(watchful.start + next - clock.monotonic(), PACE) };
    }
    this.#watchful.delete(key);
    return undefined;
  }

  /**
   * Evicting takes a second a pod, and kubelet goes on trying meanwhile: each is looked at again when its turn comes.
   * @returns whether all have had their turn
   */
  async #cureAll(key: string, watchful: Watchfulness, signal: AbortSignal): Promise<boolean> {
    const { seen } = watchful;
    let tried = 0;
    const curable = (pod: Pod): boolean => {
      const cure = this.#cure(key, watchful);
      return cure !== undefined && !watchful.evicted.has(pod.metadata.uid) && isCurable(pod, cure);
    };
    const { namespace } = parseObjectKey(key);
    for (const listed of await this.#pending(namespace, signal)) {
      if (seen.has(listed.metadata.uid) || !curable(listed)) continue;
      if (tried++ === MOST) return false;
      seen.add(listed.metadata.uid);
      const pod = await this.#read(listed.metadata, signal);
      const token = this.#token(key, watchful);
      if (pod && token && curable(pod)) await this.#evict(token, pod, watchful, signal);
    }
    return true;
  }

  async #pending(namespace: string | undefined, signal: AbortSignal): Promise<Pod[]> {
    const selection = { namespace, fieldSelector: 'status.phase=Pending', signal };
    return permitted(this.#options.client.listAll<Pod>(PODS, selection));
  }

  async #read({ namespace, name }: ObjectMeta, signal: AbortSignal): Promise<Pod | undefined> {
    try {
      return await permitted(this.#options.client.get<Pod>(PODS, { namespace, name }, { signal }));
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** The RegistryToken, if it is still that one. */
  #token(key: string, { uid }: Watchfulness): RegistryToken | undefined {
    const token = this.#options.token(parseObjectKey(key));
    return token?.metadata.uid === uid ? token : undefined;
  }

  /** @returns undefined when there is nothing that would help a pod */
  #cure(key: string, watchful: Watchfulness): Cure | undefined {
    const token = this.#token(key, watchful);
    if (!token || token.metadata.deletionTimestamp !== undefined) return undefined;
    const hosts = pullHosts(token);
    const { secretRef } = token.status ?? {};
    if (!secretRef || !hosts) return undefined;
    const secret = secretRef.name;
    const { namespace } = token.metadata;
    const { clock } = this.#options;
    if (!holdsLiveToken(this.#options.secret({ namespace, name: secret }), token, clock.now()))
      return undefined;
    const linkingsOf = (name: string): readonly Linking[] => {
      const linkings = watchful.linkings.get(name) ?? [];
      const { imagePullSecrets = [] } = this.#options.serviceAccounts.get({ namespace, name }) ?? {};
      return imagePullSecrets.some((entry) => entry.name === secret) ? linkings : [];
    };
    return { secret, hosts, goodSince: watchful.goodSince, linkingsOf };
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
      evicted.add(pod.metadata.uid);
      const { secretRef: { name: secret = '' } = {} } = token.status ?? {};
      const note = `could not pull its image before Secret ${secret} of RegistryToken ${token.metadata.name} was good, and was evicted to start anew`;
      logger.info(fields, `pod ${note}`);
      // Told of the pod: events are limited by object, and pods can be many.
      const regarding = named(PODS, pod);
      events.event(regarding, 'Normal', 'PodEvicted', note);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (!error.isNotFound && !error.isConflict)
        logger.warn({ ...fields, error: error.message }, 'a pod that could not pull is not evicted yet');
    }
    await sleep(clock, PACE, signal);
  }
}

/** @throws TerminalError in place of what only an administrator can mend */
async function permitted<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof KubeError && error.isForbidden)) throw error;
    throw new TerminalError(
      `${error.message}; let the operator get and list pods and create pods/eviction, or set --evict-pods=false`,
    );
  }
}
