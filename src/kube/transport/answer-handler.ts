import type { Dispatcher } from 'undici';
import { answerBody, type AnswerBody } from '../client/answer.ts';
import type { Attempt } from './attempt.ts';

/** An answer that has arrived as a whole. */
export interface Answer {
  statusCode: number;
  headers: Dispatcher.ResponseData['headers'];
  /** Of a 2xx what the call asked for, else whatever the server said; undefined where that is not JSON. */
  content: unknown;
}

/**
 * Reads the answer to one request from undici, which writes the request right after `onRequestStart`, or never if that throws. A body as
 * undici's own `request` gives it, a stream, costs about as much processor time as all else of a call.
 */
export class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt;
  readonly #done = Promise.withResolvers<Answer>();
  #controller: Dispatcher.DispatchController | undefined;
  #statusCode = 0;
  #headers: Dispatcher.ResponseData['headers'] = {};
  #body: AnswerBody | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    attempt.onAbort(() => {
      const reason = attempt.abortion?.reason;
      // While it waits for a connection undici has nothing to abort.
      if (this.#controller) this.#controller.abort(reason as Error);
      else this.#done.reject(reason);
    });
  }

  /** @throws why the attempt was aborted; KubeError for a 2xx that can't be read; what undici throws */
  get answer(): Promise<Answer> {
    return this.#done.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { abortion } = this.#attempt;
    if (abortion) return controller.abort(abortion.reason as Error);
    this.#attempt.ask();
    this.#controller = controller;
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    statusCode: number,
    headers: Dispatcher.ResponseData['headers'],
  ): void {
    this.#statusCode = statusCode;
    this.#headers = headers;
    const { call } = this.#attempt;
    this.#body = answerBody(this.#isAccepted ? call : { method: call.method, path: call.path });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.take(chunk);
  }

  onResponseEnd(): void {
    const [statusCode, headers] = [this.#statusCode, this.#headers];
    try {
      this.#done.resolve({ statusCode, headers, content: this.#body?.end() });
    } catch (error) {
      if (this.#isAccepted) this.#done.reject(error);
      else this.#done.resolve({ statusCode, headers, content: undefined });
    }
  }

  /** A refusal that has arrived counts, even when its explanation is incomplete. */
  onResponseError(_: unknown, error: Error): void {
    const [statusCode, headers] = [this.#statusCode, this.#headers];
    const isRefused = statusCode >= 300 && !this.#attempt.abortion;
    if (isRefused) this.#done.resolve({ statusCode, headers, content: undefined });
    else this.#done.reject(error);
  }

  get #isAccepted(): boolean {
    return this.#statusCode >= 200 && this.#statusCode < 300;
  }
}
