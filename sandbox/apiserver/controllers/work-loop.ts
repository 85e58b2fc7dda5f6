import type { Clock } from '../../../src/common/clock.ts';

/** How long after a change a controller looks at it: long enough for the answer to the write to be on its way. */
const DELAY = 1;

/** Runs a function soon after it was asked to, once for many askings. */
export class WorkLoop {
  readonly #clock: Clock;
  readonly #work: () => void;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(clock: Clock, work: () => void) {
    this.#clock = clock;
    this.#work = work;
  }

  wake(): void {
    if (this.#stopped) return;
    this.#cancel ??= this.#clock.after(DELAY, () => {
      this.#cancel = undefined;
      this.#work();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}
