import type { Clock } from '../../src/common/clock.ts';
import type { Gate } from './gate.ts';

/** The clock of one process: a wall clock that can be wrong and jump, timers that come late while it is frozen. */
export class ProcessClock implements Clock {
  readonly #world: Clock;
  readonly #gate: Gate;
  /** How far its wall clock is ahead, in milliseconds. */
  skew: number;

  constructor(world: Clock, gate: Gate, skew: number) {
    this.#world = world;
    this.#gate = gate;
    this.skew = skew;
  }

  now(): number {
    return this.#world.now() + this.skew;
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  after(milliseconds: number, callback: () => void): () => void {
    let cancelled = false;
    const cancel = this.#world.after(milliseconds, () => {
      this.#gate.pass(() => {
        if (!cancelled) callback();
      });
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }
}
