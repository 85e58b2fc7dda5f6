import type { Clock } from '../../common/clock.ts';

/** Wait after the first failure, and the longest; client-go's reflector (tools/cache/reflector.go). */
const INITIAL = 800;
const LONGEST = 30_000;
/**
 * An attempt that went well for so long: the next failure counts as the first. client-go asks for two minutes without a failure,
 * so that a network that breaks now and then keeps good watches waiting for up to a minute.
 */
const WENT_WELL = 10_000;

/** Growing waits between attempts of one endless loop. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  /** Monotonic time of the last attempt's beginning. */
  #began = -Infinity;

  /** @param random uniform in [0, 1) */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds to wait after a failure now: 0.8 s doubling to 30 s, and up to as much again so that clients spread. */
  next(): number {
    const now = this.#clock.monotonic();
    if (now - this.#began > WENT_WELL) this.#failures = 0;
    const wait = Math.min(LONGEST, INITIAL * 2 ** this.#failures) * (1 + this.#random());
    this.#failures++;
    this.#began = now + wait;
    return wait;
  }
}
