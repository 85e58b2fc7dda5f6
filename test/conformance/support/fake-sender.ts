import type { FakeRegistry } from '../../../sandbox/registries/shared/fake-registry.ts';
import { ConnectionBroken } from '../../../sandbox/registries/shared/message.ts';
import type { Clock } from '../../../src/common/clock.ts';
import { AnswerBody } from '../../../src/registry/http/answer-body.ts';
import { NoAnswer } from '../../../src/registry/http/answer-reader.ts';
import { readAnswer, type HttpAnswer } from '../../../src/registry/http/answer.ts';
import type { HttpRequest, HttpSender } from '../../../src/registry/http/http-client.ts';

/** What becomes of one request. */
export type Fate = 'through' | 'never sent' | 'broken before its effect' | 'answer lost';

/** Bytes, as for requests over HTTP that do not say. */
const MAX_BODY = 2 ** 20;

/** Sends requests to a fake in this process. */
export class FakeSender implements HttpSender {
  /** Method and path of every request that was sent, in order. */
  readonly sent: string[] = [];
  /** What stood in the first line of every request that there ever was. */
  readonly urls: string[] = [];
  /** Decides about a request. @param index of the request since the last `restart`, from 0 */
  fate: (index: number) => Fate = () => 'through';
  readonly #fakes: ReadonlyMap<string, FakeRegistry>;
  readonly #clock: Clock;
  /** Requests since the last `restart`, those included that were never sent. */
  asked = 0;

  /** @param fakes by origin */
  constructor(fakes: ReadonlyMap<string, FakeRegistry>, clock: Clock) {
    this.#fakes = fakes;
    this.#clock = clock;
  }

  /** Counts requests from 0 again. */
  restart(fate: (index: number) => Fate = () => 'through'): void {
    this.asked = 0;
    this.fate = fate;
    this.sent.length = 0;
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    request.guard?.();
    const fate = this.fate(this.asked++);
    if (fate === 'never sent') throw new NoAnswer('ECONNREFUSED', false);
    const { method, url, headers, body = '' } = request;
    this.sent.push(`${method} ${url.pathname}`);
    this.urls.push(url.href);
    if (fate === 'broken before its effect') throw new NoAnswer('ECONNRESET', true);
    const fake = this.#fakes.get(url.origin);
    if (!fake) throw new NoAnswer('ENOTFOUND', false);
    const lowered = Object.fromEntries(
      Object.entries({ ...headers, host: url.host }).map(([name, value]) => [name.toLowerCase(), value]),
    );
    let answer;
    try {
      answer = await fake.handle({ method, path: url.pathname + url.search, headers: lowered, body }, signal);
    } catch (error) {
      if (error instanceof ConnectionBroken) throw new NoAnswer('ECONNRESET', true);
      throw error;
    }
    if (fate === 'answer lost') throw new NoAnswer('there was no answer in time', true);
    const received = new AnswerBody(answer.status, {
      maxBody: request.maxBody ?? MAX_BODY,
      rows: request.rows,
    });
    received.take(Buffer.from(answer.body));
    for (const part of answer.rest ?? []) received.take(Buffer.from(part));
    return readAnswer(
      { status: answer.status, headers: answer.headers, ...received.content },
      this.#clock.now(),
    );
  }
}
