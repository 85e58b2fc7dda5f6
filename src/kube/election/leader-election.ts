import { sleep, type Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeClient } from '../client/client.ts';
import { LeadershipLost } from './leadership-lost.ts';
import { LeaseLock } from './lease-lock.ts';
import type { LeaderMetrics } from '../metrics.ts';

export interface LeaderElectorOptions {
  client: KubeClient;
  namespace: string;
  /** The Lease's name. */
  name: string;
  /** Unique to this process. */
  identity: string;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  logger: Logger;
  /** Milliseconds for which a lease is safe from others. Default 15 s. */
  leaseDuration?: number;
  /** Milliseconds without renewal after which the leader stops. Default 10 s. */
  renewDeadline?: number;
  /** Milliseconds between attempts. Default 2 s. */
  retryPeriod?: number;
  metrics?: LeaderMetrics;
}

/** client-go's rule for lease times: a leader must be able to try more than once before its renew deadline. */
const JITTER = 1.2;

/**
 * Lets one process at a time lead. A leader that could not renew its lease for the renew deadline stops before the lease
 * can be taken, and so does one that was frozen: the time is the monotonic one, looked at whenever `isLeader` is asked.
 */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #leaseDuration: number;
  readonly #renewDeadline: number;
  readonly #retryPeriod: number;
  readonly #lock: LeaseLock;
  /** Monotonic time of the last renewal; -Infinity while not leading. */
  #renewedAt = -Infinity;
  /** Why this process doesn't lead, as told last: it is told again when that changes, not at each attempt. */
  #told = '';

  /** @throws RangeError when the times would let two lead */
  constructor(options: LeaderElectorOptions) {
    const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options;
    if (!(leaseDuration > renewDeadline && renewDeadline > retryPeriod * JITTER && retryPeriod > 0))
      throw new RangeError(
        'leaseDuration must exceed renewDeadline, and that retryPeriod by a fifth or more',
      );
    this.#options = options;
    this.#leaseDuration = leaseDuration;
    this.#renewDeadline = renewDeadline;
    this.#retryPeriod = retryPeriod;
    this.#lock = new LeaseLock({ ...options, leaseDuration, timeout: Math.max(1_000, renewDeadline / 2) });
    options.metrics?.leading(options.name, false);
  }

  /** Whether this process may act as the leader at this moment. */
  get isLeader(): boolean {
    return this.#options.clock.monotonic() - this.#renewedAt < this.#renewDeadline;
  }

  /** To be called right before acting. @throws LeadershipLost when this process may not */
  assertLeader(): void {
    if (!this.isLeader) throw this.#lost();
  }

  /**
   * Waits for the lease, then leads until `lead` ends. When `signal` aborts, `lead`'s signal does; the lease is renewed until
   * `lead` has ended and then released.
   * @throws LeadershipLost when the lease could not be kept; `lead`'s signal has been aborted with that as its reason
   * @throws what `lead` throws
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics, namespace, name, identity } = this.#options;
    if (!(await this.#acquire(signal))) return;
    logger.info({ identity }, `leading: got lease ${namespace}/${name}`);
    metrics?.leading(name, true);
    const leading = new AbortController();
    const stop = (): void => leading.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const ended = new AbortController();
    const work = (async () => lead(leading.signal))().finally(() => ended.abort());
    try {
      const lost = await this.#renewUntil(ended.signal);
      if (lost) {
        leading.abort(lost);
        const grace = sleep(clock, this.#leaseDuration - this.#renewDeadline, ended.signal);
        await Promise.allSettled([Promise.race([work, grace])]);
        throw lost;
      }
      await this.#release();
      await work;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#renewedAt = -Infinity;
      metrics?.leading(name, false);
    }
  }

  /**
   * Waits until the lease is ours. Asks more often than client-go's candidates, who wait for up to 2.2 retry periods, and again
   * as soon as the lease can run out: work goes on within a retry period after a release, and soon after the lease ends.
   * @returns false when the signal aborts first
   */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, namespace, name } = this.#options;
    while (!signal.aborted) {
      try {
        const from = await this.#lock.hold(signal);
        if (from !== undefined) this.#renewedAt = from;
        if (this.isLeader) return true;
        const { holder } = this.#lock;
        if (holder) this.#tell('info', `standing by: ${holder} holds lease ${namespace}/${name}`);
      } catch (error) {
        if (signal.aborted) break;
        this.#tell('warn', `can't get lease ${namespace}/${name}: ${(error as Error).message}`);
      }
      const wait = Math.min(this.#retryPeriod * (0.4 + 0.4 * random()), this.#lock.freeAfter);
      await sleep(clock, wait, signal).catch(() => undefined);
    }
    await this.#release();
    return false;
  }

  #tell(level: 'info' | 'warn', message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#options.logger[level]({}, message);
  }

  /** Renews the lease until `ended` aborts. @returns what to throw when it could not be kept */
  async #renewUntil(ended: AbortSignal): Promise<LeadershipLost | undefined> {
    const { clock, logger, namespace, name } = this.#options;
    while (!ended.aborted) {
      const left = this.#renewedAt + this.#renewDeadline - clock.monotonic();
      const expiry = Promise.withResolvers<never>();
      const cancel = clock.after(left, () => expiry.reject(this.#lost()));
      try {
        await Promise.race([sleep(clock, this.#retryPeriod, ended), expiry.promise]);
        this.assertLeader();
        const from = await Promise.race([this.#lock.hold(), expiry.promise]);
        if (from === undefined) return this.#lost();
        this.#renewedAt = from;
      } catch (error) {
        if (error instanceof LeadershipLost) return error;
        if (!ended.aborted)
          logger.warn({}, `can't renew lease ${namespace}/${name}: ${(error as Error).message}`);
      } finally {
        cancel();
      }
    }
    return undefined;
  }

  /** Lets another take the lease at once, instead of after its duration. */
  async #release(): Promise<void> {
    const { logger, namespace, name } = this.#options;
    try {
      await this.#lock.release();
    } catch (error) {
      logger.warn({}, `can't release lease ${namespace}/${name}: ${(error as Error).message}`);
    }
  }

  #lost(): LeadershipLost {
    const { name, namespace } = this.#options;
    return new LeadershipLost(
      `lease ${namespace}/${name} could not be kept: stopping, so that another can lead`,
    );
  }
}
