/** A request as it comes from the network or from a program in the same process. */
export interface ApiRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: Uint8Array | string;
  /** Aborts when the caller goes away; ends a watch. */
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** The whole body, or the lines of a watch as they come. Iterating throws ConnectionLost when the connection breaks. */
  body: string | AsyncIterable<string>;
}

/** The connection breaks without (the rest of) an answer; the HTTP edge closes the socket. */
export class ConnectionLost extends Error {
  constructor() {
    super('connection reset by fault');
    this.name = 'ConnectionLost';
  }
}

/** What a path asks for: an object, a collection, or (when the group exists but the resource doesn't) nothing. */
export interface ResourcePath {
  group: string;
  version: string;
  plural: string;
  namespace: string;
  name: string;
  subresource: string;
}

/** Takes a resource path apart; undefined for paths that are none. */
export function readResourcePath(path: string): ResourcePath | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const [root, ...rest] = parts;
  const isCore = root === 'api';
  if (!isCore && root !== 'apis') return undefined;
  const group = isCore ? '' : (rest.shift() ?? '');
  const version = rest.shift() ?? '';
  if (version === '' || rest.length === 0) return undefined;
  const base = { group, version };
  const [first = '', second = '', third = ''] = rest;
  if (
    first !== 'namespaces' ||
    rest.length < 3 ||
    (isCore && rest.length === 3 && isNamespaceSubresource(third))
  )
    return { ...base, plural: first, namespace: '', name: second, subresource: rest.slice(2).join('/') };
  const [plural = '', name = '', ...subresource] = rest.slice(2);
  return { ...base, plural, namespace: second, name, subresource: subresource.join('/') };
}

function isNamespaceSubresource(part: string): boolean {
  return part === 'status' || part === 'finalize';
}
