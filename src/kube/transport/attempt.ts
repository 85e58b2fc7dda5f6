import type { Dispatcher } from 'undici';
import type { Clock } from '../../common/clock.ts';
import { KubeError, noAnswer } from '../client/errors.ts';
import type { Call } from './transport.ts';

/** An API server gives up on a request after a minute itself. */
const DEFAULT_TIMEOUT = 60_000;

/**
 * One HTTP call under way: it is aborted when the caller's signal is, when its time is up, or when its guard says no.
 *
 * At its end it lets go of those who listen: V8 was seen to keep ended attempts until it collects its old generation, which every call
 * with all of its answer would fill. For the same reason a signal of its own is made only for who asks for one.
 */
export class Attempt implements Disposable {
  readonly call: Call;
  readonly #onCallerAbort: () => void;
  readonly #cancelTimer: () => void;
  #listeners: (() => void)[] = [];
  #abortion: { reason: unknown } | undefined;
  #controller: AbortController | undefined;
  /** The connections it was sent over. */
  pool: Dispatcher | undefined;

  /** @param onTimeout told when the time is up, before the call is aborted */
  constructor(call: Call, clock: Clock, onTimeout: (pool: Dispatcher | undefined) => void) {
    call.signal?.throwIfAborted();
    this.call = call;
    this.#onCallerAbort = () => this.#abort(call.signal?.reason);
    call.signal?.addEventListener('abort', this.#onCallerAbort, { once: true });
    const milliseconds = call.timeout ?? DEFAULT_TIMEOUT;
    this.#cancelTimer = clock.after(milliseconds, () => {
      onTimeout(this.pool);
      const message = `${call.method} ${call.path}: no answer within ${milliseconds / 1000} s`;
      this.#abort(new KubeError(message));
    });
  }

  /** Why it was aborted, if it was. */
  get abortion(): { readonly reason: unknown } | undefined {
    return this.#abortion;
  }

  /** Calls back when it is aborted; it must not have been. */
  onAbort(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Aborts when this does. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#abortion) controller.abort(this.#abortion.reason);
      this.onAbort(() => controller.abort(this.#abortion?.reason));
    }
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
      this.#abort(error);
      throw error;
    }
  }

  /** What to throw for `error`: why the attempt was aborted, if it was; else a KubeError. */
  failure(error: unknown): unknown {
    return this.#abortion ? this.#abortion.reason : noAnswer(this.call, error);
  }

  #abort(reason: unknown): void {
    if (this.#abortion) return;
    this.#abortion = { reason };
    for (const listener of this.#listeners) listener();
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.call.signal?.removeEventListener('abort', this.#onCallerAbort);
    this.#listeners = [];
    this.pool = undefined;
  }
}
