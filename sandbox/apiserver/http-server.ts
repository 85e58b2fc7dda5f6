import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { ConnectionLost, type Answer, type ApiRequest } from './request.ts';
import { answer } from './resource-service.ts';
import type { ApiServer } from './server.ts';
import { internalError, StatusError } from './status-error.ts';

export interface ServingAddress {
  /** A loopback address. */
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Key and certificate in PEM, to serve HTTPS. */
  tls?: { key: string; certificate: string };
}

/** What answers the requests. */
type Handler = Pick<ApiServer, 'handle'>;

export interface Serving {
  url: string;
  /** Ends all connections and stops listening. The ApiServer itself stays as it is. */
  close: () => Promise<void>;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/;

/** Offers the server over HTTP on loopback. */
export async function serve(server: Handler, { host, port, tls }: ServingAddress): Promise<Serving> {
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    void exchange(server, incoming, outgoing);
  const http = tls
    ? createTlsServer({ key: tls.key, cert: tls.certificate }, listener)
    : createServer(listener);
  http.listen(port, host);
  await once(http, 'listening');
  const bound = http.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close: async () => {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

async function exchange(server: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  try {
    const given = LOOPBACK.test(incoming.headers.host ?? '')
      ? await server.handle(await readRequest(incoming, gone.signal))
      : foreignHost();
    await send(given, outgoing, gone.signal);
  } catch (error) {
    if (error instanceof ConnectionLost || gone.signal.aborted) outgoing.destroy();
    else await send(failure(error as Error), outgoing, gone.signal);
  }
}

async function readRequest(incoming: IncomingMessage, signal: AbortSignal): Promise<ApiRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://loopback');
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
  const body = await buffer(incoming);
  return { method: incoming.method ?? 'GET', path: pathname, query: searchParams, headers, body, signal };
}

/** @throws AbortError when the client goes away while it is waited for */
async function send(
  { status, headers, body }: Answer,
  outgoing: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  outgoing.writeHead(status, headers);
  if (typeof body === 'string') return void outgoing.end(body);
  outgoing.flushHeaders();
  for await (const line of body) if (!outgoing.write(line)) await once(outgoing, 'drain', { signal: gone });
  outgoing.end();
}

/** A web page whose name was rebound to loopback sends its own name as Host. */
function foreignHost(): Answer {
  const { code, status } = new StatusError(
    403,
    'Forbidden',
    'only requests to a loopback host name are answered',
  );
  return answer(code, status);
}

function failure(error: Error): Answer {
  const { code, status } = internalError(`${error.name}: ${error.message}`);
  return answer(code, status);
}
