import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { ProxiedConnection, type Direction, type NetworkFault } from './proxied-connection.ts';

/** A TCP proxy on loopback whose network fails as a test orders. Knows nothing of what it carries, so TLS is fine. */
export class TcpProxy {
  readonly #target: { host: string; port: number };
  readonly #connections = new Set<ProxiedConnection>();
  readonly #faults = new Map<NetworkFault, number>();
  #server: Server;
  #port = 0;
  #accepted = 0;
  readonly #bytes = { up: 0, down: 0 };

  /** Starts one that passes everything on to the host and port of the URL. */
  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target));
    await proxy.#listen();
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  private constructor({ hostname, port }: URL) {
    this.#target = { host: hostname, port: Number(port) };
    this.#server = this.#newServer();
  }

  /** The target's URL as it is to be used: with the proxy's address. */
  through(target: string): string {
    const { protocol } = new URL(target);
    return `${protocol}//127.0.0.1:${this.#port}`;
  }

  /** Connections accepted so far, those that are open, and bytes that came from clients (`up`) and servers (`down`). */
  get counts(): { accepted: number; open: number; up: number; down: number } {
    return { accepted: this.#accepted, open: this.#connections.size, ...this.#bytes };
  }

  /** Adds a fault that strikes open and new connections. Open ones fall into a black hole at once. */
  add(fault: NetworkFault): void {
    this.#faults.set(fault, fault.times ?? Infinity);
    if (fault.kind !== 'black-hole' || fault.times !== undefined) return;
    for (const connection of this.#connections)
      if (fault.only?.(connection.opening) !== false) connection.lose(fault.direction);
  }

  /** Breaks open connections at once. */
  reset(only: (opening: Buffer) => boolean = () => true): void {
    for (const connection of this.#connections) if (only(connection.opening)) connection.reset();
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
      const connection = new ProxiedConnection(client, server, {
        take: (direction) => this.#take(connection, direction),
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
  #take(connection: ProxiedConnection, direction: Direction): NetworkFault | undefined {
    for (const [fault, left] of this.#faults) {
      if (fault.only?.(connection.opening) === false || !concerns(fault, direction)) continue;
      if (left > 1) this.#faults.set(fault, left - 1);
      else this.#faults.delete(fault);
      return fault;
    }
    return undefined;
  }
}

function concerns(fault: NetworkFault, direction: Direction): boolean {
  if (fault.kind === 'truncate') return direction === 'down';
  return fault.kind === 'delay' || fault.direction === undefined || fault.direction === direction;
}
