import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { ProxiedConnection, type Direction, type NetworkFault } from './proxied-connection.ts';
import { noTermination, type Termination } from './tls-termination.ts';

/** Bytes of a request's first line. */
const MAX_LINE = 8_192;

/** A TCP proxy on loopback whose network fails as a test orders. */
export class TcpProxy {
  readonly #target: { host: string; port: number };
  readonly #termination: Termination;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #faults = new Map<NetworkFault, number>();
  #server: Server;
  #port = 0;
  #accepted = 0;
  #struck = 0;
  readonly #bytes = { up: 0, down: 0 };

  /**
   * Starts one that passes everything on to the host and port of the URL.
   * @param termination needed for faults that strike only what is carried inside TLS
   */
  static async start(target: string, termination = noTermination): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target), termination);
    await proxy.#listen();
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  private constructor({ hostname, port }: URL, termination: Termination) {
    this.#target = { host: hostname, port: Number(port) };
    this.#termination = termination;
    this.#server = this.#newServer();
  }

  /** The target's URL as it is to be used: with the proxy's address. */
  through(target: string): string {
    const { protocol } = new URL(target);
    return `${protocol}//127.0.0.1:${this.#port}`;
  }

  /**
   * Connections accepted so far, those that are open, bytes that came from clients (`up`) and servers (`down`), and how often a fault
   * struck bytes or an open connection.
   */
  get counts(): { accepted: number; open: number; up: number; down: number; struck: number } {
    return {
      accepted: this.#accepted,
      open: this.#connections.size,
      struck: this.#struck,
      ...this.#bytes,
    };
  }

  /** Adds a fault that strikes open and new connections. Open ones fall into a black hole at once. */
  add(fault: NetworkFault): void {
    this.#faults.set(fault, fault.times ?? Infinity);
    if (fault.kind !== 'black-hole' || fault.times !== undefined) return;
    for (const connection of this.#connections) {
      if (fault.only?.(connection.opening) === false) continue;
      connection.lose(fault.direction);
      this.#struck++;
    }
  }

  /** Breaks open connections at once. */
  reset(only: (opening: Buffer) => boolean = () => true): void {
    for (const connection of this.#connections) {
      if (!only(connection.opening)) continue;
      connection.reset();
      this.#struck++;
    }
  }

  /** New connections are refused, open ones break. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    await closed;
  }

  /** Ends all faults. Connections that fell into a black hole stay there: what they had under way was lost. */
  async heal(): Promise<void> {
    this.#faults.clear();
    if (this.#server.listening) return;
    this.#server = this.#newServer();
    await this.#listen();
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.refuse();
    else this.reset();
  }

  #newServer(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#accepted++;
      const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
      const ends = [this.#termination.accept(client), this.#termination.connect(server)] as const;
      const connection = new ProxiedConnection(...ends, {
        take: (direction, bytes) => this.#take(connection, direction, bytes),
        passed: (direction, bytes) => (this.#bytes[direction] += bytes),
        closed: () => this.#connections.delete(connection),
      });
      this.#connections.add(connection);
    });
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** The fault that strikes bytes in that direction. */
  #take(connection: ProxiedConnection, direction: Direction, bytes: Buffer): NetworkFault | undefined {
    for (const [fault, left] of this.#faults) {
      if (fault.only?.(connection.opening) === false || !concerns(fault, direction, bytes)) continue;
      if (left > 1) this.#faults.set(fault, left - 1);
      else this.#faults.delete(fault);
      this.#struck++;
      return fault;
    }
    return undefined;
  }
}

function concerns(fault: NetworkFault, direction: Direction, bytes: Buffer): boolean {
  switch (fault.kind) {
    case 'truncate':
      return direction === 'down';
    case 'answer':
      return direction === 'up' && isRequest(bytes, fault.to);
    case 'delay':
      return true;
    case 'reset':
    case 'black-hole':
      return fault.direction === undefined || fault.direction === direction;
  }
}

/** Whether an HTTP request begins with these bytes whose `METHOD path?query` is of the kind. */
function isRequest(bytes: Buffer, kind: RegExp): boolean {
  const [line] = /^[A-Z]+ \S+(?= HTTP\/1\.1\r\n)/.exec(bytes.toString('latin1', 0, MAX_LINE)) ?? [];
  return line !== undefined && kind.test(line);
}
