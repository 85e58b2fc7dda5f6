import type { Dispatcher } from 'undici';
import type { Rows } from '../../common/row-splitter.ts';

/** Why the body of an answer can't be read; completes a sentence that begins with "the answer". */
export type Flaw = 'has no body' | 'is HTML' | 'is not JSON' | 'is cut off' | 'is too long';

/** An answer, whatever its status. */
export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The body as it came, for APIs that don't speak JSON; without the rows that were read one by one. */
  body: Buffer;
  /** undefined when there is a flaw. Has `{}` in place of each row that was read by itself. */
  json: unknown;
  /** The rows that the request asked to be read one by one. */
  rows: Rows;
  flaw: Flaw | undefined;
  /** IAM's `Transaction-Id`; the registry gives its request id in the body of an error. */
  requestId: string | undefined;
  /** Milliseconds that the server asked to wait. */
  retryAfter: number | undefined;
  /** The server's clock (Date header), milliseconds since 1970. */
  serverTime: number | undefined;
}

/** An answer as it came off the wire. */
export interface RawAnswer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: Buffer;
  rows: Rows;
  /** What went wrong while the body was read. */
  flaw?: Exclude<Flaw, 'has no body' | 'is HTML'> | undefined;
}

/** Longer pauses are cut to this: a day, in milliseconds. */
const MAX_RETRY_AFTER = 86_400_000;

/** @param now wall-clock milliseconds, for a Retry-After that is a date when the server does not tell its own time */
export function readAnswer(raw: RawAnswer, now: number): HttpAnswer {
  const headers = Object.fromEntries(
    Object.entries(raw.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const serverTime = httpDate(headers.date);
  return {
    status: raw.status,
    headers,
    body: raw.body,
    ...readBody(raw, headers['content-type'] ?? ''),
    rows: raw.rows,
    requestId: headers['transaction-id'],
    retryAfter: retryAfter(headers['retry-after'], serverTime ?? now),
    serverTime,
  };
}

function readBody({ body, flaw }: RawAnswer, contentType: string): Pick<HttpAnswer, 'json' | 'flaw'> {
  if (flaw !== undefined) return { json: undefined, flaw };
  const text = body.toString().trim();
  if (text === '') return { json: undefined, flaw: 'has no body' };
  if (contentType.includes('text/html') || text.startsWith('<')) return { json: undefined, flaw: 'is HTML' };
  try {
    return { json: JSON.parse(text), flaw: undefined };
  } catch {
    return { json: undefined, flaw: 'is not JSON' };
  }
}

/** Retry-After in milliseconds from either of its forms (RFC 9110, 10.2.3); undefined when it is neither. */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const date = httpDate(value);
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : date === undefined ? undefined : date - now;
  return wait === undefined ? undefined : Math.min(Math.max(0, wait), MAX_RETRY_AFTER);
}

function httpDate(value: string | undefined): number | undefined {
  const time = value?.endsWith(' GMT') ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
