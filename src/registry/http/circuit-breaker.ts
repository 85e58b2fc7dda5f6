import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../errors.ts';
import type { Outage } from './outage.ts';

/** Failures in a row after which a registry is taken to be down. */
const THRESHOLD = 5;
/** Milliseconds until it is tried again, at first; doubles with every probe that fails. */
const MIN_PAUSE = 5_000;
const MAX_PAUSE = 60_000;
/** Milliseconds after which those who find a probe under way may ask for its result. */
const PROBE_WAIT = 5_000;
/** A request that was given up without an answer after this many milliseconds tells of an outage; a younger one of nothing. */
const TELLING_SILENCE = 2_000;

interface Opening {
  /** Wall-clock milliseconds, for messages. */
  since: number;
  /** What was heard last. */
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
  /** Called when it answers again, after an outage. */
  onClosed?: (() => void) | undefined;
}

/**
 * Sends nothing to a registry while it is down: a request to it takes until its timeout, and workers that wait for one are
 * missed elsewhere. Closed, everything goes through. After five failures in a row it is open: whoever asks fails at
 * once. After a pause, or when it is told to, it is half-open: one request goes through as a probe, and what becomes of it
 * closes it again or begins a longer pause. Refusals and rate limits are answers, and no failures; a request that its caller
 * gave up after a long silence is one.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #subject: string;
  readonly #onClosed: (() => void) | undefined;
  #failures = 0;
  #opening: Opening | undefined;
  #closedAt: number | undefined;
  /** Counts its turns: what became of a request that began before the last one says nothing about what is now. */
  #era = 0;

  constructor({ clock, subject, onClosed }: CircuitBreakerOptions) {
    this.#clock = clock;
    this.#subject = subject;
    this.#onClosed = onClosed;
  }

  /** undefined while requests go through. */
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

  /** Lets the next request through as a probe, whatever pause there is. */
  probeNow(): void {
    if (this.#opening) this.#opening.probeAt = this.#clock.monotonic();
  }

  /** @throws RegistryError Unavailable, and unsent, while the registry is taken to be down */
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
      // A probe that was given up early says nothing: the next request is one.
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

/** Whether an error tells of a registry that is down, not of one that says no (a 4xx, whatever it means). */
function isFailure({ code, status = 0 }: RegistryError): boolean {
  return (code === 'Unavailable' || code === 'Ambiguous') && !(status >= 400 && status < 500);
}
