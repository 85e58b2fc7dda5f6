import { shorten } from '../../api/syntax/text.ts';
import type { Clock } from '../../common/clock.ts';
import type { KubeObject } from '../../common/objects.ts';
import type { KubeClient } from '../client/client.ts';
import { KubeError } from '../client/errors.ts';
import { microTime } from './micro-time.ts';
import { apiVersionOf, LEASES } from '../client/resources.ts';

export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface LeaseLockOptions {
  client: KubeClient;
  clock: Clock;
  namespace: string;
  name: string;
  identity: string;
  /** Milliseconds. */
  leaseDuration: number;
  /** Milliseconds for one call. */
  timeout: number;
}

/** Characters of a holder's name that are shown; that of a pod and more has room. */
const MAX_HOLDER = 300;
/** What giving the lease up may take, in milliseconds: the process is about to end, and killed if it takes long. */
const RELEASE_TIME = 3_000;

/**
 * A Lease used as a lock, by client-go's rules (tools/leaderelection): another's lease may be taken when it has not changed
 * for its whole duration as seen from here. Times written by other machines are never compared with our own.
 */
export class LeaseLock {
  readonly #options: LeaseLockOptions;
  /** The lease as we wrote it last; its version is enough to renew it. */
  #own: Lease | undefined;
  #observed = '';
  /** Monotonic time from which on the lease may be taken if it stays as observed. */
  #freeAt = -Infinity;
  #holder: string | undefined;

  constructor(options: LeaseLockOptions) {
    this.#options = options;
  }

  /** Milliseconds until another's lease, as last seen, may be taken; Infinity when that is past or none was seen. */
  get freeAfter(): number {
    const left = this.#freeAt - this.#options.clock.monotonic();
    return left > 0 ? left : Infinity;
  }

  /** The identity of the other that kept the lease from the last `hold`; undefined when nobody did. */
  get holder(): string | undefined {
    return this.#holder;
  }

  /**
   * Takes or renews the lease if that is allowed.
   * @param signal aborts before anything is written; a write under way ends by itself, so that what it did is known
   * @returns the monotonic time from which on it is ours for a lease duration; undefined when another holds it, or was faster
   * @throws KubeError when the server cannot be asked, or the lease's namespace does not exist
   */
  async hold(signal?: AbortSignal): Promise<number | undefined> {
    const { clock, identity } = this.#options;
    const known = this.#own;
    this.#own = undefined;
    this.#holder = undefined;
    const lease = known ?? (await this.#read(signal));
    signal?.throwIfAborted();
    const holder = lease?.spec?.holderIdentity ?? undefined;
    if (lease && holder !== identity && !this.#isFree(lease)) {
      this.#holder = holder && shorten(holder, MAX_HOLDER);
      return undefined;
    }
    // The time before the call: others count from when they see the change, which is later.
    const from = clock.monotonic();
    try {
      this.#own = lease ? await this.#update(lease) : await this.#create();
    } catch (error) {
      if (error instanceof KubeError && (error.isConflict || error.isAlreadyExists || error.isNotFound))
        return known ? this.hold(signal) : undefined;
      throw error;
    }
    return from;
  }

  /** Gives the lease up within three seconds, so that another can take it at once; nothing is done unless it is known to be ours. */
  async release(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    if (!own) return;
    const now = microTime(this.#options.clock.now());
    const nobody = { holderIdentity: null, leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    await this.#patch(own, nobody, Math.min(RELEASE_TIME, this.#options.timeout));
  }

  /** Whether the lease is nobody's, judged by how long it has not changed. */
  #isFree(lease: Lease): boolean {
    const now = this.#options.clock.monotonic();
    const state = JSON.stringify(lease.spec ?? null);
    const { holderIdentity, leaseDurationSeconds } = lease.spec ?? {};
    if (state !== this.#observed) {
      const duration = leaseDurationSeconds ? leaseDurationSeconds * 1000 : this.#options.leaseDuration;
      this.#observed = state;
      this.#freeAt = now + duration;
    }
    return !holderIdentity || now >= this.#freeAt;
  }

  async #read(signal?: AbortSignal): Promise<Lease | undefined> {
    const { client, namespace, name, timeout } = this.#options;
    try {
      return await client.get<Lease>(LEASES, { namespace, name }, { signal, timeout });
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  async #create(): Promise<Lease> {
    const { client, clock, namespace, name, identity, leaseDuration, timeout } = this.#options;
    const now = microTime(clock.now());
    const lease = {
      apiVersion: apiVersionOf(LEASES),
      kind: LEASES.kind,
      metadata: { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: leaseDuration / 1000,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      },
    };
    try {
      return await client.create<Lease>(LEASES, lease, { timeout });
    } catch (error) {
      // All that creating an object can't find.
      if (error instanceof KubeError && error.isNotFound)
        throw new KubeError(
          `namespace ${namespace} does not exist; create it, or give another --operator-namespace`,
        );
      throw error;
    }
  }

  #update(lease: Lease): Promise<Lease> {
    const { clock, identity, leaseDuration } = this.#options;
    const now = microTime(clock.now());
    const { holderIdentity, leaseTransitions = 0 } = lease.spec ?? {};
    const taken = { acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: leaseDuration / 1000,
      renewTime: now,
      ...(holderIdentity !== identity && taken),
    };
    return this.#patch(lease, spec);
  }

  #patch(lease: Lease, spec: Lease['spec'], timeout = this.#options.timeout): Promise<Lease> {
    const { client } = this.#options;
    const { namespace, name, resourceVersion } = lease.metadata;
    const patch = { metadata: { resourceVersion }, spec };
    return client.mergePatch<Lease>(LEASES, { namespace, name }, patch, { timeout });
  }
}
