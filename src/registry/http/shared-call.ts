import { abortable } from '../../common/abortable.ts';

/** One call that several callers wait for. It is cancelled only when the last of them cancels. */
export class SharedCall<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor(call: (signal: AbortSignal) => Promise<T>) {
    this.#result = call(this.#controller.signal);
    // Callers get the failure; without callers it must not be an unhandled rejection.
    this.#result.catch(() => {});
  }

  /** Cancelled: no caller may join any more. */
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

  /** Lets it run to its end, even without callers. */
  keep(): void {
    this.#waiting++;
  }
}
