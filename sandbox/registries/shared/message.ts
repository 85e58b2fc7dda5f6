/** An HTTP request, however it came in. */
export interface Request {
  method: string;
  /** With the query, as it stands in the request line. */
  path: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
}

export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** What comes after `body`, where that is too much to be in memory as a whole. */
  rest?: Iterable<string>;
}

/** Thrown in place of an answer when the connection ends without one. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken';

  constructor() {
    super('the fake registry broke the connection before it answered, because a fault told it to');
  }
}

export function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function text(status: number, body: string, type = 'text/plain'): Answer {
  return { status, headers: { 'content-type': `${type}; charset=utf-8` }, body };
}

/** Without the query. */
export function pathOf(request: Request): string {
  return request.path.replace(/\?.*/s, '');
}

export function queryOf(request: Request): URLSearchParams {
  const start = request.path.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : request.path.slice(start + 1));
}

/** The fields of a form; none when the request says it is something else. */
export function formOf(request: Request): URLSearchParams {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  return new URLSearchParams(type === 'application/x-www-form-urlencoded' ? request.body : '');
}
