import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { BindAddress } from '../config/config.ts';
import { ConnectionLimit } from './connection-limit.ts';

export interface Answer {
  status: number;
  contentType: string;
  body: string;
}

/** What to answer, by path. */
export type Routes = Readonly<Record<string, (query: URLSearchParams) => Answer | Promise<Answer>>>;

export interface HttpServer {
  /** Where it listens; the port is the real one where 0 was asked for. */
  readonly address: { host: string; port: number };
  /** Stops listening and ends every connection. Answers under way have a second to finish. */
  close(): Promise<void>;
}

/** A listener that could not be opened. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** A client that takes longer to send its request, or is silent for longer, is cut off; in milliseconds. */
const REQUEST_TIMEOUT = 10_000;
/** How often Node looks for such clients, in milliseconds. */
const CHECK_INTERVAL = 1_000;
const CLOSE_GRACE = 1_000;
const MAX_CONNECTIONS = 100;
/** Bytes of a request's headers; probes and scrapers send some hundred. */
const MAX_HEADER_SIZE = 8_192;

/**
 * Serves read-only pages to probes and scrapers.
 * @throws ListenError
 */
export async function serve(
  address: BindAddress,
  routes: Routes,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<HttpServer> {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT,
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECK_INTERVAL,
      maxHeaderSize: MAX_HEADER_SIZE,
    },
    (request, response) => {
      answer(request, routes)
        .catch((error: unknown) => {
          log.error({ error, path: pathOf(request) }, 'serving a page failed');
          return plain(500, 'internal error');
        })
        .then((page) => send(response, page, request.method === 'HEAD'))
        .catch((error: unknown) => log.debug({ error }, 'a client left before its answer'));
    },
  );
  // Of the whole connection, so that it also ends one that does not read its answer.
  server.setTimeout(REQUEST_TIMEOUT);
  new ConnectionLimit(MAX_CONNECTIONS).watch(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${address.host ?? ''}:${address.port}`;
      reject(new ListenError(`can't listen on ${where}: ${cause.message}`, { cause }));
    });
    server.listen({ port: address.port, host: address.host }, resolve);
  });
  server.on('error', (error) => log.error({ error }, 'a listener failed'));
  const { address: host, port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    address: { host, port },
    close() {
      closed ??= new Promise((resolve) => {
        const cancel = clock.after(CLOSE_GRACE, () => server.closeAllConnections());
        server.close(() => {
          cancel();
          resolve();
        });
      });
      return closed;
    },
  };
}

async function answer(request: IncomingMessage, routes: Routes): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET and HEAD');
  const path = pathOf(request);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!route) return plain(404, 'no such page');
  return route(new URLSearchParams(request.url?.split('?')[1]));
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split('?')[0] ?? '';
}

function send(response: ServerResponse, page: Answer, headOnly: boolean): void {
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(headOnly ? undefined : page.body);
}

/** A page of plain text, one line ended. */
export function plain(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
