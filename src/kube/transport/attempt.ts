import type { Dispatcher } from 'undici';
import type { Clock } from '../../common/clock.ts';
import { KubeError, noAnswer } from '../client/errors.ts';
import type { Call } from './transport.ts';

/** An API server gives up on a request after a minute itself. */
const DEFAULT_TIMEOUT = 60_000;

/** One HTTP call under way: its signal aborts when the caller's does, when its time is up, or when its guard says no. */
export class Attempt implements Disposable {
  readonly call: Call;
  readonly #controller = new AbortController();
  readonly #onAbort: () => void;
  readonly #cancelTimer: () => void;
  /** The connections it was sent over. */
  pool: Dispatcher | undefined;

  /** @param onTimeout told when the time is up, before the signal aborts */
  constructor(call: Call, clock: Clock, onTimeout: (pool: Dispatcher | undefined) => void) {
    call.signal?.throwIfAborted();
    this.call = call;
    this.#onAbort = () => this.#controller.abort(call.signal?.reason);
    call.signal?.addEventListener('abort', this.#onAbort, { once: true });
    const milliseconds = call.timeout ?? DEFAULT_TIMEOUT;
    this.#cancelTimer = clock.after(milliseconds, () => {
      onTimeout(this.pool);
      const message = `${call.method} ${call.path}: no answer within ${milliseconds / 1000} s`;
      this.#controller.abort(new KubeError(message));
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Takes the time limit off, since a stream has begun. */
  begin(): void {
    this.#cancelTimer();
  }

  /** To be called right before the first byte is sent. @throws what the call's guard does, which then ends the attempt */
  ask(): void {
    try {
      this.call.guard?.();
    } catch (error) {
      this.#controller.abort(error);
      throw error;
    }
  }

  /** What to throw for `error`: why the attempt was aborted, if it was; else a KubeError. */
  failure(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : noAnswer(this.call, error);
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.call.signal?.removeEventListener('abort', this.#onAbort);
  }
}
