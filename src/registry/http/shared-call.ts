import { abortable } from '../../common/abortable.ts';

/** Why a call is cancelled. Nobody sees it: no caller is left. Made once, since an error costs more than a short call. */
const NO_CALLERS = new DOMException('no caller is left', 'AbortError');

/** One call that several callers wait for. It is cancelled only when the last of them cancels. */
export class SharedCall<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;
  #isRunning = true;
  #isAbandoned = false;

  constructor(call: (signal: AbortSignal) => Promise<T>) {
    const ended = (): void => {
      this.#isRunning = false;
    };
    this.#result = call(this.#controller.signal);
    // Callers get the failure; without callers it must not be an unhandled rejection.
    this.#result.then(ended, ended);
  }

  /** The last caller has left: no other may join any more. */
  get abandoned(): boolean {
    return this.#isAbandoned;
  }

  /** @throws what the call throws; the signal's reason when it aborts first */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#waiting++;
    try {
      return await abortable(this.#result, signal);
    } finally {
      if (--this.#waiting === 0) {
        this.#isAbandoned = true;
        if (this.#isRunning) this.#controller.abort(NO_CALLERS);
      }
    }
  }

  /** Lets it run to its end, even without callers. */
  keep(): void {
    this.#waiting++;
  }
}
