import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../errors.ts';
import type { Outage } from './outage.ts';

export interface RateLimiterOptions {
  clock: Clock;
  /** What is limited, for messages: `account default in region us-south`. */
  subject: string;
  requestsPerSecond: number;
}

interface Waiter {
  admit: () => void;
  refuse: (error: Error) => void;
}

/** Milliseconds in any of which at most `requestsPerSecond` requests begin. */
const WINDOW = 1_000;
/** Requests in flight: slow ones must not pile up at a registry. */
const CONCURRENCY = 16;
/** Callers do not wait for a pause longer than this: they get an error that says how long it is. Milliseconds. */
const MAX_WAIT = 10_000;
/** Longest pause that a registry gets, whatever it asks for: a header must not let a token expire. Milliseconds. */
const MAX_PAUSE = 600_000;

/**
 * Admits requests in order: at most `CONCURRENCY` in flight, at most `requestsPerSecond` in any second, none during a pause that
 * the registry asked for.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #subject: string;
  #requestsPerSecond: number;
  readonly #waiting: Waiter[] = [];
  /** When the requests of the last second began. Monotonic milliseconds. */
  readonly #begun: number[] = [];
  #underWay = 0;
  /** Monotonic milliseconds; `#pauseEnds` is the same time on the wall clock, for messages. */
  #pausedUntil = -Infinity;
  #pauseEnds = 0;
  #cancelTimer: () => void = () => {};

  constructor({ clock, subject, requestsPerSecond }: RateLimiterOptions) {
    this.#clock = clock;
    this.#subject = subject;
    this.#requestsPerSecond = requestsPerSecond;
  }

  /** Applies from the next request on. */
  set requestsPerSecond(value: number) {
    if (value === this.#requestsPerSecond) return;
    this.#requestsPerSecond = value;
    this.#admit();
  }

  /** Set during a pause that is too long to wait for. */
  get outage(): Outage | undefined {
    const remaining = this.#pausedUntil - this.#clock.monotonic();
    if (remaining <= MAX_WAIT) return undefined;
    const message = `${this.#subject} is paused: the registry asked to wait until ${toTime(this.#pauseEnds)}`;
    return { kind: 'Paused', message, retryAt: this.#clock.now() + remaining, isTried: false };
  }

  /**
   * Runs a request when its turn has come.
   * @throws RegistryError RateLimited, and unsent, when the registry asked for a long pause; the signal's reason; what the request throws
   */
  async run<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(signal);
    try {
      return await request();
    } finally {
      this.#underWay--;
      this.#admit();
    }
  }

  /** Admits nothing for so many milliseconds. */
  pause(milliseconds: number): void {
    const length = Math.min(milliseconds, MAX_PAUSE);
    const until = this.#clock.monotonic() + length;
    if (until > this.#pausedUntil) {
      this.#pausedUntil = until;
      this.#pauseEnds = this.#clock.now() + length;
    }
    this.#admit();
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
        this.#admit();
      };
      const settled = (settle: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const waiter: Waiter = {
        admit: () => settled(resolve),
        refuse: (error) => settled(() => reject(error)),
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#admit();
    });
  }

  /** Admits the requests that may begin now and sets the timer for the next. */
  #admit(): void {
    this.#cancelTimer();
    const now = this.#clock.monotonic();
    if (this.#pausedUntil - now > MAX_WAIT) this.#refuseAll(this.#pausedUntil - now);
    while (this.#waiting.length > 0 && this.#underWay < CONCURRENCY) {
      const wait = this.#nextBeginning(now) - now;
      if (wait > 0) {
        this.#cancelTimer = this.#clock.after(wait, () => this.#admit());
        return;
      }
      this.#begun.push(now);
      this.#underWay++;
      this.#waiting.shift()?.admit();
    }
  }

  #nextBeginning(now: number): number {
    while (this.#begun.length > 0 && (this.#begun[0] ?? 0) + WINDOW <= now) this.#begun.shift();
    const blocking = this.#begun.at(-this.#requestsPerSecond);
    return Math.max(this.#pausedUntil, blocking === undefined ? -Infinity : blocking + WINDOW);
  }

  #refuseAll(remaining: number): void {
    const message = this.outage?.message ?? '';
    for (const { refuse } of this.#waiting.splice(0)) {
      refuse(new RegistryError('RateLimited', message, { retryAfter: remaining, unsent: true }));
    }
  }
}
