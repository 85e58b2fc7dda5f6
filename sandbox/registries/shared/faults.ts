import { sleep, type Clock } from '../../../src/common/clock.ts';
import { parseFault, type Fault, type Operations } from './fault.ts';
import { ConnectionBroken, text, type Answer } from './message.ts';

/** What goes wrong from here on, in the order in which it was asked for. */
export class Faults {
  readonly operations: Operations;
  #pending: { fault: Fault; left: number }[] = [];

  constructor(operations: Operations) {
    this.operations = operations;
  }

  /** @throws FaultError when there is no such fault */
  add(fault: Fault): void {
    parseFault(fault, this.operations);
    this.#pending.push({ fault, left: fault.times ?? Infinity });
  }

  clear(): void {
    this.#pending = [];
  }

  /** The fault that hits the next request of an operation, counted as used. */
  take(operation: string): Fault | undefined {
    const entry = this.#pending.find(({ fault }) => fault.operation === operation);
    if (entry && --entry.left === 0) this.#pending = this.#pending.filter((other) => other !== entry);
    return entry?.fault;
  }
}

export interface FaultSetting {
  clock: Clock;
  /** The documented answer of a status. */
  problem: (status: number) => Answer;
  /** Does what the request asks for. `lifetime` of a token that it issues, in milliseconds. */
  perform: (lifetime?: number) => Promise<Answer>;
  signal: AbortSignal | undefined;
  /** So many rows of a list, and its end. */
  moreRows: (count: number) => Iterable<string>;
}

const AN_HOUR_AGO = -3_600_000;
/** Three parts, the second of which holds text that is no JSON. */
const BAD_JWT = ['{"alg":"HS256","typ":"JWT"}', 'no claims', 'no signature']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');
const PROXY_PAGE =
  '<!DOCTYPE html>\n<html><head><title>iam-gateway</title></head><body><h1>Error</h1></body></html>\n';

/**
 * Answers a request that a fault hits.
 * @throws ConnectionBroken in place of an answer; the signal's reason when the client left during a slow one
 */
export async function answerWithFault(fault: Fault, setting: FaultSetting): Promise<Answer> {
  const { clock, problem, perform, signal, moreRows } = setting;
  switch (fault.kind) {
    case 'status': {
      const answer = problem(fault.status);
      if (fault.retryAfter === undefined) return answer;
      return { ...answer, headers: { ...answer.headers, 'retry-after': String(fault.retryAfter) } };
    }
    case 'html':
      return text(fault.status ?? 502, PROXY_PAGE, 'text/html');
    case 'reset':
      throw new ConnectionBroken();
    case 'drop-after-effect':
      await perform();
      throw new ConnectionBroken();
    case 'truncated-json':
      return withBody(await perform(), (body) => body.slice(0, Math.floor(body.length / 2)));
    case 'empty':
      return withBody(await perform(), () => '');
    case 'bad-jwt':
      return withBody(await perform(), (body) =>
        body.replaceAll(/"((?:access_)?token)":"[^"]*"/g, `"$1":"${BAD_JWT}"`),
      );
    case 'slow': {
      const answer = await perform();
      await sleep(clock, fault.milliseconds, signal);
      return answer;
    }
    case 'expired':
      return perform(AN_HOUR_AGO);
    case 'more-rows': {
      const answer = await perform();
      const end = answer.body.lastIndexOf(']}');
      if (end < 0) return answer;
      const separator = answer.body.endsWith('[]}') ? '' : ',';
      return { ...answer, body: answer.body.slice(0, end) + separator, rest: moreRows(fault.rows) };
    }
  }
}

function withBody(answer: Answer, edit: (body: string) => string): Answer {
  return { ...answer, body: edit(answer.body) };
}
