import type { NetworkFault } from './proxied-connection.ts';

export interface ApiRefusal {
  code: number;
  reason: string;
  retryAfterSeconds?: number;
  /** Which requests are refused, by `METHOD path?query`; all when left out. */
  to?: RegExp;
  /** How many. */
  times: number;
}

/** A fault of the network by which requests are refused as an API server does, without its knowing. */
export function apiRefusal({ code, reason, retryAfterSeconds, to = /^/, times }: ApiRefusal): NetworkFault {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: 'ordered failure',
    ...(retryAfterSeconds !== undefined && { details: { retryAfterSeconds } }),
  };
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${code} ${reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
    'Connection: close',
  ];
  return { kind: 'answer', to, text: `${head.join('\r\n')}\r\n\r\n${body}`, times };
}
