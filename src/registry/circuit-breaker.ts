import { toTime } from '../api/time.ts';
import type { Clock } from '../common/clock.ts';
import { RegistryError } from './errors.ts';

/** Failures in a row after which a registry is taken to be down. */
const THRESHOLD = 5;
/** Milliseconds that it is left alone at first; doubles with every probe that fails. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;
/** Milliseconds after which those who find a probe under way may ask for its result. */
const PROBE_WAIT = 5_000;
/** A request that was given up without an answer after this many milliseconds tells of an outage; a younger one of nothing. */
const TELLING_SILENCE = 2_000;

interface Outage {
  /** Wall-clock milliseconds, for messages. */
  since: number;
  pause: number;
  /** Monotonic milliseconds. */
  probeAt: number;
  probing: boolean;
}

/**
 * Leaves a registry alone while it is down: a request to it takes until its timeout, and workers that wait for one are
 * missed elsewhere. Closed, everything goes through. After five failures in a row it is open: whoever asks fails at
 * once. After a pause it is half-open: one request goes through as a probe, and what becomes of it closes it again or
 * begins a longer pause. Refusals and rate limits are answers, and no failures; a request that its caller gave up after a
 * long silence is one.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #subject: string;
  #failures = 0;
  #outage: Outage | undefined;
  /** Counts its turns: what became of a request that began before the last one says nothing about what is now. */
  #era = 0;

  /** @param subject what is watched, for messages: `account default in region us-south` */
  constructor(clock: Clock, subject: string) {
    this.#clock = clock;
    this.#subject = subject;
  }

  /** @throws RegistryError Unavailable while the registry is left alone: then nothing has been sent */
  check(): void {
    const outage = this.#outage;
    if (!outage) return;
    const now = this.#clock.monotonic();
    if (!outage.probing && outage.probeAt <= now) return;
    const wait = outage.probing ? PROBE_WAIT : outage.probeAt - now;
    const next = outage.probing ? 'it is being tried now' : `it is tried again at ${this.#time(wait)}`;
    throw new RegistryError(
      'Unavailable',
      `${this.#subject} is left alone: it has failed since ${toTime(outage.since)}; ${next}`,
      { retryAfter: wait },
    );
  }

  /**
   * Sends one request.
   * @throws what the request throws; as `check`
   */
  async run<T>(request: () => Promise<T>): Promise<T> {
    this.check();
    const probe = this.#outage;
    if (probe) probe.probing = true;
    const era = this.#era;
    const begun = this.#clock.monotonic();
    try {
      const result = await request();
      if (era === this.#era) this.#answered();
      return result;
    } catch (error) {
      if (era === this.#era) this.#judge(error, this.#clock.monotonic() - begun);
      throw error;
    } finally {
      // A probe that was given up early says nothing: the next request is one.
      if (probe) probe.probing = false;
    }
  }

  /** @param silence milliseconds that the request took */
  #judge(error: unknown, silence: number): void {
    const told = error instanceof RegistryError;
    if (told && !isFailure(error)) this.#answered();
    else if (told || silence >= TELLING_SILENCE) this.#failed();
  }

  #answered(): void {
    this.#failures = 0;
    if (!this.#outage) return;
    this.#outage = undefined;
    this.#era++;
  }

  #failed(): void {
    const now = this.#clock.monotonic();
    if (this.#outage) {
      const pause = Math.min(LONGEST_PAUSE, this.#outage.pause * 2);
      this.#outage = { ...this.#outage, pause, probeAt: now + pause, probing: false };
    } else {
      this.#failures++;
      if (this.#failures < THRESHOLD) return;
      const probeAt = now + FIRST_PAUSE;
      this.#outage = { since: this.#clock.now(), pause: FIRST_PAUSE, probeAt, probing: false };
    }
    this.#era++;
  }

  #time(wait: number): string {
    return toTime(this.#clock.now() + wait);
  }
}

/** Whether an error tells of a registry that is down, not of one that says no (a 4xx, whatever it means). */
function isFailure({ code, status = 0 }: RegistryError): boolean {
  return (code === 'Unavailable' || code === 'Ambiguous') && !(status >= 400 && status < 500);
}
