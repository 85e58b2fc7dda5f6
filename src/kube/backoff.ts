import type { Clock } from '../common/clock.ts';

/** Wait after the first failure, and the longest; client-go's reflector (tools/cache/reflector.go). */
const INITIAL = 800;
const LONGEST = 30_000;
/** A time without failures after which the next one counts as the first. */
const RESET_AFTER = 120_000;

/** Growing waits between attempts of one endless loop. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #lastFailure = -Infinity;

  /** @param random uniform in [0, 1) */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds to wait after a failure now: 0.8 s doubling to 30 s, and up to as much again so that clients spread. */
  next(): number {
    const now = this.#clock.monotonic();
    if (now - this.#lastFailure > RESET_AFTER) this.#failures = 0;
    this.#lastFailure = now;
    const wait = Math.min(LONGEST, INITIAL * 2 ** this.#failures);
    this.#failures++;
    return wait * (1 + this.#random());
  }
}
