import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isIPv6, type AddressInfo } from 'node:net';
import { answerFaultRequest, FAULTS_PATH } from './fault-endpoint.ts';
import { ConnectionBroken, pathOf, type Answer, type Request } from './message.ts';
import type { FakeRegistry } from './fake-registry.ts';

export interface ServeOptions {
  /** 0: any free one. */
  port: number;
  /** Address to listen on; 127.0.0.1 unless given. */
  host?: string;
  /** Lets whoever can reach the port add and clear faults, at /_faults. */
  faults?: boolean;
}

export interface Server {
  url: string;
  port: number;
  /** Breaks what is under way. */
  close(): Promise<void>;
}

/**
 * Serves over HTTP. A service without a host gets the address as its host.
 * @throws what listen throws, such as EADDRINUSE
 */
export async function serve(service: FakeRegistry, options: ServeOptions): Promise<Server> {
  const { port, host = '127.0.0.1', faults = false } = options;
  const server = createServer((incoming, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    readRequest(incoming)
      .then((request) => {
        if (faults && pathOf(request) === FAULTS_PATH) return answerFaultRequest(service.faults, request);
        return service.handle(request, gone.signal);
      })
      .then(
        (answer) => send(response, answer),
        (error: unknown) => {
          incoming.socket.resetAndDestroy();
          const clientLeft = gone.signal.aborted || incoming.errored !== null;
          if (!(error instanceof ConnectionBroken) && !clientLeft) throw error;
        },
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const { port: boundPort } = server.address() as AddressInfo;
  const address = `${isIPv6(host) ? `[${host}]` : host}:${boundPort}`;
  service.host ??= address;
  return {
    url: `http://${address}`,
    port: boundPort,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).toString(),
  };
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.rest) {
    response.writeHead(answer.status, answer.headers);
    response.write(answer.body);
    // Whoever leaves in the middle of it is not to be heard of.
    pipeline(Readable.from(answer.rest), response).catch(() => undefined);
    return;
  }
  response.writeHead(answer.status, { 'content-length': Buffer.byteLength(answer.body), ...answer.headers });
  response.end(answer.body);
}
