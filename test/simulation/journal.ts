import type { Clock } from '../../src/common/clock.ts';

/** What happened in a simulation, a line for each event. Kept only on request: a seed that fails is run again with it. */
export class Journal {
  readonly lines: string[] = [];
  readonly #clock: Clock;
  readonly #kept: boolean;

  constructor(clock: Clock, kept: boolean) {
    this.#clock = clock;
    this.#kept = kept;
  }

  /** @param text made only when it is kept */
  note(text: () => string): void {
    if (!this.#kept) return;
    const seconds = (this.#clock.monotonic() / 1000).toFixed(3).padStart(11);
    this.lines.push(`${seconds}  ${text()}`);
  }
}
