/** How many writes a thing gets before the operator starts to hold back, and for how long it then does. */
const PATIENCE = 3;
const FIRST_PAUSE = 30_000;
const MAX_PAUSE = 3_600_000;
/** Writes further apart than this are not a fight. */
const CALM = 600_000;

/** Writes of one thing that somebody else may keep changing back. Times of a monotonic clock, in milliseconds. */
export class Contest {
  #writes = 0;
  #last = -Infinity;

  /** Counts one more write. */
  count(now: number): void {
    this.#writes = now - this.#last > CALM + pause(this.#writes) ? 1 : this.#writes + 1;
    this.#last = now;
  }

  /** Milliseconds to wait before the next write: 0 at first, then ever longer while the fight goes on. */
  pause(now: number): number {
    return Math.max(0, this.#last + pause(this.#writes) - now);
  }
}

function pause(writes: number): number {
  return writes < PATIENCE ? 0 : Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** (writes - PATIENCE));
}
