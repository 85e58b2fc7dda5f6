/** Failures in a row after which a registry is taken to be down. */
const THRESHOLD = 5;
/** Milliseconds that it is left alone at first; doubles while it stays down. */
const FIRST_BREAK = 15_000;
const LONGEST_BREAK = 60_000;

/**
 * Tells when to leave a registry alone because it is down, so that requests to it neither pile up nor hold up work on
 * others. Once a break is over, the next requests are the test: one more failure begins a longer break, one answer ends it all.
 */
export class CircuitBreaker {
  #failures = 0;
  /** When the last break began; monotonic milliseconds. */
  #brokenAt = -Infinity;

  /** The registry answered, if only to refuse. */
  answered(): void {
    this.#failures = 0;
  }

  /**
   * The registry did not answer, or said that it is not able to. What was under way when a break began does not count.
   * @param begun when the request began; both in monotonic milliseconds
   * @returns for how long to leave it alone, in milliseconds; undefined while that is too early to say
   */
  failed(begun: number, now: number): number | undefined {
    if (begun <= this.#brokenAt) return undefined;
    this.#failures++;
    if (this.#failures < THRESHOLD) return undefined;
    this.#brokenAt = now;
    return Math.min(LONGEST_BREAK, FIRST_BREAK * 2 ** (this.#failures - THRESHOLD));
  }
}
