import type { Socket } from 'node:net';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';

/**
 * `delay`: bytes arrive late · `reset`: the next bytes in that direction break the connection and are lost, so `up` loses
 * a request and `down` the answer to one that was carried out · `truncate`: an answer ends after so many bytes, with a FIN ·
 * `black-hole`: bytes in that direction (both when left out) vanish, no FIN is passed on, and the connection never recovers.
 */
export type NetworkFault = {
  /** Which connections it strikes, told by the first bytes that the client sent; all when left out. */
  only?: (opening: Buffer) => boolean;
  /** How many times it strikes; until healed when left out. */
  times?: number;
} & (
  | { kind: 'delay'; milliseconds: number }
  | { kind: 'reset'; direction: Direction }
  | { kind: 'truncate'; bytes: number }
  | { kind: 'black-hole'; direction?: Direction }
);

export interface Carrier {
  /** The fault that strikes the next bytes. */
  take: (direction: Direction) => NetworkFault | undefined;
  /** Told of bytes that arrived, whatever becomes of them. */
  passed: (direction: Direction, bytes: number) => void;
  /** Told when both ends are closed. */
  closed: () => void;
}

/** A connection from a client to the proxy and from there to the server. */
export class ProxiedConnection {
  /** The first bytes that the client sent. */
  opening: Buffer = Buffer.alloc(0);
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #carrier: Carrier;
  /** Bytes vanish in these directions. */
  readonly #lost = new Set<Direction>();
  /** What is under way, in order. */
  readonly #sending: Record<Direction, Promise<void>> = { up: Promise.resolve(), down: Promise.resolve() };

  constructor(client: Socket, server: Socket, carrier: Carrier) {
    this.#client = client;
    this.#server = server;
    this.#carrier = carrier;
    this.#carry('up', client, server);
    this.#carry('down', server, client);
  }

  /** Both ends see a connection reset. */
  reset(): void {
    for (const end of [this.#client, this.#server]) if (!end.destroyed) end.resetAndDestroy();
  }

  /** From now on bytes in that direction vanish, or in both. */
  lose(direction?: Direction): void {
    for (const each of direction ? [direction] : (['up', 'down'] as const)) this.#lost.add(each);
  }

  #carry(direction: Direction, from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      if (direction === 'up' && this.opening.length === 0) this.opening = chunk;
      this.#carrier.passed(direction, chunk.length);
      this.#pass(direction, chunk, to);
    });
    from.on('end', () => this.#later(direction, 0, () => to.end()));
    from.on('error', () => this.#later(direction, 0, () => to.resetAndDestroy()));
    from.on('close', () => {
      this.#later(direction, 0, () => to.destroySoon());
      if (to.destroyed) this.#carrier.closed();
    });
  }

  #pass(direction: Direction, chunk: Buffer, to: Socket): void {
    const fault = this.#lost.has(direction) ? undefined : this.#carrier.take(direction);
    switch (fault?.kind) {
      case 'reset':
        return this.reset();
      case 'truncate':
        return this.#later(direction, 0, () => {
          to.end(chunk.subarray(0, fault.bytes));
          this.#server.destroy();
        });
      case 'black-hole':
        return this.lose(fault.direction);
      case 'delay':
      case undefined:
        return this.#later(direction, fault?.milliseconds ?? 0, () => to.write(chunk));
    }
  }

  /** Does it after everything before it in that direction, unless the direction is a black hole. */
  #later(direction: Direction, delay: number, act: () => void): void {
    const due = clock.monotonic() + delay;
    this.#sending[direction] = this.#sending[direction].then(async () => {
      if (delay > 0) await sleep(clock, due - clock.monotonic());
      if (!this.#lost.has(direction)) act();
    });
  }
}
