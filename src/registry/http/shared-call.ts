import { abortable } from '../../common/abortable.ts';

/** One call that any number of callers wait for. It is broken off only when the last of them no longer does. */
export class SharedCall<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor(call: (signal: AbortSignal) => Promise<T>) {
    this.#result = call(this.#controller.signal);
    // Those who wait hear of a failure; that none does is no crash.
    this.#result.catch(() => {});
  }

  /** Broken off: nobody may join any more. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  /** @throws what the call throws; the signal's reason when it aborts first */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#waiting++;
    try {
      return await abortable(this.#result, signal);
    } finally {
      if (--this.#waiting === 0) this.#controller.abort();
    }
  }

  /** Lets it go on to its end, whoever waits. */
  keep(): void {
    this.#waiting++;
  }
}
