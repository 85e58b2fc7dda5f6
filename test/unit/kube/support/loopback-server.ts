import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Authority } from './certificates.ts';

export interface Received {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** Common name of the client's certificate. */
  client: string | undefined;
}

export type Answerer = (received: Received, response: Http2ServerResponse) => void | Promise<void>;

/** A TLS server on loopback that speaks HTTP/2 and HTTP/1.1 and answers as told. */
export class LoopbackServer implements AsyncDisposable {
  readonly requests: Received[] = [];
  connections = 0;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  #answer: Answerer = (_, response) => json(response, 200, {});

  private constructor(server: Http2SecureServer) {
    this.#server = server;
    server.on('secureConnection', (socket: TLSSocket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
    });
    server.on('sessionError', () => undefined);
    server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
      void this.#receive(request, response);
    });
  }

  static async start(authority: Authority): Promise<LoopbackServer> {
    const { certificate, key } = await authority.issue('api server');
    const server = createSecureServer({
      cert: certificate,
      key,
      ca: authority.certificate,
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new LoopbackServer(server);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections open now. */
  get open(): number {
    return this.#sockets.size;
  }

  answer(answerer: Answerer): void {
    this.#answer = answerer;
  }

  /** Breaks every connection without a word. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset();
    await closed;
  }

  async #receive(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject as { CN?: string } | undefined;
    const received: Received = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      client: subject?.CN,
    };
    this.requests.push(received);
    await this.#answer(received, response);
  }
}

export function json(
  response: Http2ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
