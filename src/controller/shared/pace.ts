import { sleep, type Clock } from '../../common/clock.ts';

/** Lets work begin at most so often. A few turns that were not taken are kept, so that little work does not wait. */
export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  /** When the next turn is due; monotonic milliseconds. */
  #due = -Infinity;

  /** @param perSecond turns, and how many can be kept */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Resolves when it is the caller's turn. @throws the signal's reason */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const due = Math.max(this.#due, now - 1_000);
    this.#due = due + 1_000 / this.#perSecond;
    if (due > now) await sleep(this.#clock, due - now, signal);
  }
}
