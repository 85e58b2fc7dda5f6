import type { Socket } from 'node:net';
import {
  connect,
  createSecureContext,
  TLSSocket,
  type ConnectionOptions,
  type SecureContext,
} from 'node:tls';
import type { End } from './proxied-connection.ts';

/** How a proxy reads what a connection carries. */
export interface Termination {
  /** The end towards a client. */
  accept: (tcp: Socket) => End;
  /** The end towards the server. */
  connect: (tcp: Socket) => End;
}

/** Bytes as they come. */
export const noTermination: Termination = {
  accept: (tcp) => ({ stream: tcp, tcp }),
  connect: (tcp) => ({ stream: tcp, tcp }),
};

/** TLS on both sides, so that the proxy sees what is carried: it poses as the server to clients, and as a client to the server. */
export class TlsTermination implements Termination {
  readonly #asServer: SecureContext;
  readonly #asClient: ConnectionOptions;

  /** @param asServer key and certificate in PEM */
  constructor(asServer: { key: string; certificate: string }, asClient: ConnectionOptions) {
    this.#asServer = createSecureContext({ key: asServer.key, cert: asServer.certificate });
    this.#asClient = asClient;
  }

  accept(tcp: Socket): End {
    const stream = new TLSSocket(tcp, { isServer: true, secureContext: this.#asServer });
    return { stream, tcp: withoutErrors(tcp) };
  }

  connect(tcp: Socket): End {
    return { stream: connect({ ...this.#asClient, socket: tcp }), tcp: withoutErrors(tcp) };
  }
}

/** What befalls it shows in the TLS stream. */
function withoutErrors(tcp: Socket): Socket {
  return tcp.on('error', () => undefined);
}
