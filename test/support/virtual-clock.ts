import type { Clock } from '../../src/common/clock.ts';

interface Timer {
  due: number;
  sequence: number;
  callback: () => void;
}

/** A clock that moves only when told to. Timers fire in order of their due time, then of their making. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #wallOffset: number;
  #sequence = 0;
  readonly #timers = new Set<Timer>();

  /** @param start wall-clock time at the beginning, milliseconds since 1970 */
  constructor(start = Date.parse('2026-01-01T00:00:00Z')) {
    this.#wallOffset = start;
  }

  now(): number {
    return this.#wallOffset + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = {
      due: this.#elapsed + Math.max(0, milliseconds),
      sequence: this.#sequence++,
      callback,
    };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer fires; undefined when none is pending. */
  get untilNext(): number | undefined {
    const next = this.#next();
    return next && next.due - this.#elapsed;
  }

  /** Moves time on, firing what comes due, and lets promises settle after each timer. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await settle();
    for (let next = this.#next(); next && next.due <= end; next = this.#next()) {
      this.#elapsed = Math.max(this.#elapsed, next.due);
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#elapsed = end;
    await settle();
  }

  /** Shifts the wall clock without any time passing, as an administrator or NTP would. */
  jump(milliseconds: number): void {
    this.#wallOffset += milliseconds;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.due < first.due || (timer.due === first.due && timer.sequence < first.sequence))
        first = timer;
    }
    return first;
  }
}

/** Lets every promise callback that is due run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
