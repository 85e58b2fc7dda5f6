import type { Dispatcher } from 'undici';
import { DeadlinePassed } from '../../common/deadline.ts';
import { AnswerBody, type BodyLimits } from './answer-body.ts';
import type { RawAnswer } from './answer.ts';

/** There was no answer, not even a status. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether any part of the request may have reached the server. */
  readonly sent: boolean;

  /** @param reason an error code such as ECONNREFUSED, or words */
  constructor(reason: string, sent: boolean) {
    super(reason);
    this.sent = sent;
  }
}

/**
 * Reads one answer from undici. It relies on undici calling `onRequestStart` before the first byte of the
 * request is written: a failure without it (refused connection, unknown host, TLS) means that nothing was sent.
 */
export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #limits: BodyLimits;
  readonly #signal: AbortSignal;
  readonly #guard: (() => void) | undefined;
  readonly #done = Promise.withResolvers<RawAnswer>();
  readonly #onAbort: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #headers: Dispatcher.ResponseData['headers'] = {};
  #body: AnswerBody | undefined;

  /**
   * @param signal cancels the request
   * @param guard asked right before the request is written
   */
  constructor(limits: BodyLimits, signal: AbortSignal, guard?: () => void) {
    this.#limits = limits;
    this.#signal = signal;
    this.#guard = guard;
    this.#onAbort = () => {
      if (this.#controller) this.#controller.abort(this.#abortion());
      else this.#fail(this.#abortion());
    };
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @throws NoAnswer; what the guard throws */
  get answer(): Promise<RawAnswer> {
    return this.#done.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    try {
      this.#guard?.();
    } catch (error) {
      this.#settle(() => this.#done.reject(error));
      throw error;
    }
    this.#controller = controller;
    if (this.#signal.aborted) controller.abort(this.#abortion());
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Dispatcher.ResponseData['headers'],
  ): void {
    this.#status = status;
    this.#headers = headers;
    this.#body = new AnswerBody(status, this.#limits);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.take(chunk);
    if (this.#body?.flaw) controller.abort(new Error(`the answer ${this.#body.flaw}`));
  }

  onResponseEnd(): void {
    this.#finish();
  }

  /** A status that has arrived counts, even when the body is incomplete. */
  onResponseError(_: unknown, error: Error): void {
    if (this.#status === undefined || this.#status < 200) this.#fail(error);
    else this.#finish('is cut off');
  }

  #finish(interruption?: RawAnswer['flaw']): void {
    const status = this.#status ?? 0;
    const { body, rows, flaw } = (this.#body ?? new AnswerBody(status, this.#limits)).content;
    const answer = { status, headers: this.#headers, body, rows, flaw: flaw ?? interruption };
    this.#settle(() => this.#done.resolve(answer));
  }

  #abortion(): Error {
    const { reason } = this.#signal;
    return reason instanceof Error ? reason : new Error('aborted');
  }

  #fail(error: Error): void {
    this.#settle(() => this.#done.reject(new NoAnswer(reasonOf(error), this.#controller !== undefined)));
  }

  #settle(settle: () => void): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    settle();
  }
}

/** Only a code or a class: messages can quote what was sent or received. */
function reasonOf(error: Error & { code?: unknown }): string {
  if (error instanceof DeadlinePassed) return error.message;
  // The message of undici's ProxyAgent when the proxy refuses a tunnel.
  const [, refusal] = /^Proxy response \((\d{3})\)/.exec(error.message) ?? [];
  if (refusal !== undefined) return `the proxy answered ${refusal}`;
  return typeof error.code === 'string' ? error.code : error.name;
}
