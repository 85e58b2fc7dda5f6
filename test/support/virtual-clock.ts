import type { Clock } from '../../src/common/clock.ts';
import { Heap } from '../../src/common/heap.ts';

interface Timer {
  due: number;
  sequence: number;
  /** Gone once it fired or was cancelled. */
  callback: (() => void) | undefined;
}

/** A clock that moves only when told to. Timers fire in order of their due time, then of their making. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #wallOffset: number;
  #sequence = 0;
  /** Cancelled timers stay in it until they come first. */
  readonly #heap = new Heap<Timer>(isEarlier);
  #pending = 0;

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
    this.#heap.push(timer);
    this.#pending++;
    return () => {
      if (!timer.callback) return;
      timer.callback = undefined;
      this.#pending--;
    };
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#pending;
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
    while ((this.#next()?.due ?? Infinity) <= end) {
      this.#fireNext();
      await settle();
    }
    this.#elapsed = end;
    await settle();
  }

  /**
   * Moves time on to the next timer and fires that one; what waits for nothing but promises then runs, without a turn of the
   * event loop, which would cost more than most of it.
   * @returns whether there was one
   */
  async step(): Promise<boolean> {
    const fired = this.#fireNext();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    return fired;
  }

  /** Shifts the wall clock without any time passing, as an administrator or NTP would. */
  jump(milliseconds: number): void {
    this.#wallOffset += milliseconds;
  }

  #fireNext(): boolean {
    const next = this.#next();
    if (!next) return false;
    this.#heap.pop();
    const { callback } = next;
    next.callback = undefined;
    this.#pending--;
    this.#elapsed = Math.max(this.#elapsed, next.due);
    callback?.();
    return true;
  }

  #next(): Timer | undefined {
    while (this.#heap.first && !this.#heap.first.callback) this.#heap.pop();
    return this.#heap.first;
  }
}

function isEarlier(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.sequence < b.sequence);
}

/** Lets every promise callback that is due run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
