import type { Server, Socket } from 'node:net';

type Connection = Pick<Socket, 'remoteAddress' | 'destroy' | 'once'>;

/**
 * Keeps a server open to new connections when there are too many: the oldest one of the address that has most of them is closed.
 * Any pod may connect, and be silent; refusing the next connection instead would refuse kubelet's probe.
 */
export class ConnectionLimit {
  readonly #max: number;
  /** By remote address, the oldest first. */
  readonly #byAddress = new Map<string, Set<Connection>>();
  #count = 0;

  /** @param max connections that are open at the same time */
  constructor(max: number) {
    this.#max = max;
  }

  watch(server: Pick<Server, 'on'>): void {
    server.on('connection', (connection: Socket) => this.add(connection));
  }

  add(connection: Connection): void {
    const address = connection.remoteAddress ?? '';
    const others = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, others.add(connection));
    this.#count++;
    connection.once('close', () => this.#remove(address, connection));
    if (this.#count > this.#max) this.#evict();
  }

  #evict(): void {
    let address = '';
    for (const [each, { size }] of this.#byAddress)
      if (size > (this.#byAddress.get(address)?.size ?? 0)) address = each;
    const [oldest] = this.#byAddress.get(address) ?? [];
    if (!oldest) return;
    this.#remove(address, oldest);
    oldest.destroy();
  }

  #remove(address: string, connection: Connection): void {
    const others = this.#byAddress.get(address);
    if (!others?.delete(connection)) return;
    this.#count--;
    if (others.size === 0) this.#byAddress.delete(address);
  }
}
