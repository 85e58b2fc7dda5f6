import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../errors.ts';
import type { Outage } from './outage.ts';

/** Failures in a row after which a registry counts as down. */
const THRESHOLD = 5;
/** Milliseconds until the first probe; doubles with every probe that fails. */
const MIN_PAUSE = 5_000;
const MAX_PAUSE = 60_000;
/** Milliseconds after which callers that find a probe under way should ask again. */
const PROBE_WAIT = 5_000;
/** A request that its caller cancelled after this many milliseconds without an answer counts as a failure; a younger one does not count. */
export const TELLING_SILENCE = 2_000;

interface Opening {
  /** Wall-clock milliseconds, for messages. */
  since: number;
  /** The last failure. */
  cause: string;
  pause: number;
  /** Monotonic milliseconds. */
  probeAt: number;
  probing: boolean;
}

export interface CircuitBreakerOptions {
  clock: Clock;
  /** What is watched, for messages: `account default in region us-south`. */
  subject: string;
  /** Called when the registry answers again after an outage. */
  onClosed?: (() => void) | undefined;
}

/**
 * Sends nothing to a registry while it is down: each request would block a worker until its timeout.
 * Closed: all requests are sent. Open, after five failures in a row: requests fail at once. Half-open, after a pause or when told
 * to: one request is sent as a probe; success closes the breaker, failure begins a longer pause. Refusals and rate limits are
 * answers, not failures; a request that its caller cancelled after a long silence is a failure.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #subject: string;
  readonly #onClosed: (() => void) | undefined;
  #failures = 0;
  #opening: Opening | undefined;
  #closedAt: number | undefined;
  /** Counts openings and closings: the result of a request that began before the last of them does not count. */
  #era = 0;

  constructor({ clock, subject, onClosed }: CircuitBreakerOptions) {
    this.#clock = clock;
    this.#subject = subject;
    this.#onClosed = onClosed;
  }

  /** undefined while requests are sent. */
  get outage(): Outage | undefined {
    const opening = this.#opening;
    if (!opening) return undefined;
    const { since, cause, probeAt, probing } = opening;
    const wait = probing ? PROBE_WAIT : Math.max(0, probeAt - this.#clock.monotonic());
    return {
      kind: 'Down',
      message: `${this.#subject} has been unavailable since ${toTime(since)}: ${cause}`,
      retryAt: this.#clock.now() + wait,
      isTried: probing,
    };
  }

  /** When it last answered again after an outage, in milliseconds since 1970. */
  get closedAt(): number | undefined {
    return this.#closedAt;
  }

  /** Sends the next request as a probe, even during a pause. */
  probeNow(): void {
    if (this.#opening) this.#opening.probeAt = this.#clock.monotonic();
  }

  /** @throws RegistryError Unavailable, and unsent, while the registry counts as down */
  check(): void {
    const { outage } = this;
    if (!outage) return;
    const wait = outage.retryAt - this.#clock.now();
    if (!outage.isTried && wait <= 0) return;
    throw new RegistryError('Unavailable', outage.message, { retryAfter: wait, unsent: true });
  }

  /**
   * Sends one request.
   * @throws what the request throws; as `check`
   */
  async run<T>(request: () => Promise<T>): Promise<T> {
    this.check();
    const probe = this.#opening;
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
      // A probe that was cancelled early says nothing: the next request is the probe.
      if (probe) probe.probing = false;
    }
  }

  /** @param silence milliseconds that the request took */
  #judge(error: unknown, silence: number): void {
    const told = error instanceof RegistryError;
    if (told && !isFailure(error)) this.#answered();
    else if (told) this.#failed(error.heard);
    else if (silence >= TELLING_SILENCE) this.#failed('the server did not answer in time');
  }

  #answered(): void {
    this.#failures = 0;
    if (!this.#opening) return;
    this.#opening = undefined;
    this.#closedAt = this.#clock.now();
    this.#era++;
    this.#onClosed?.();
  }

  #failed(cause: string): void {
    const now = this.#clock.monotonic();
    if (this.#opening) {
      const pause = Math.min(MAX_PAUSE, this.#opening.pause * 2);
      this.#opening = { ...this.#opening, cause, pause, probeAt: now + pause, probing: false };
    } else {
      this.#failures++;
      if (this.#failures < THRESHOLD) return;
      const probeAt = now + MIN_PAUSE;
      this.#opening = { since: this.#clock.now(), cause, pause: MIN_PAUSE, probeAt, probing: false };
    }
    this.#era++;
  }
}

/** Whether an error means that a registry is down; a 4xx is an answer. */
function isFailure({ code, status = 0 }: RegistryError): boolean {
  return (code === 'Unavailable' || code === 'Ambiguous') && !(status >= 400 && status < 500);
}
