import type { Socket } from 'node:net';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';

/**
 * `delay`: bytes arrive late · `reset`: the next bytes in that direction break the connection and are lost, so `up` loses
 * a request and `down` the answer to one that was carried out · `truncate`: an answer ends after so many bytes, with a FIN ·
 * `black-hole`: bytes in that direction (both when left out) vanish, no FIN is passed on, and the connection never recovers ·
 * `answer`: an HTTP request that begins so is answered with this text instead of by the server, and the connection ends.
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
  | { kind: 'answer'; to: RegExp; text: string }
);

/** One end of a connection: what is read and written there, and the TCP connection beneath it. */
export interface End {
  stream: Socket;
  tcp: Socket;
}

export interface Carrier {
  /** The fault that strikes these bytes. */
  take: (direction: Direction, bytes: Buffer) => NetworkFault | undefined;
  /** Told of bytes that arrived, whatever becomes of them. */
  passed: (direction: Direction, bytes: number) => void;
  /** Told when both ends are closed. */
  closed: () => void;
}

/** A connection from a client to the proxy and from there to the server. */
export class ProxiedConnection {
  /** The first bytes that the client sent. */
  opening: Buffer = Buffer.alloc(0);
  readonly #client: End;
  readonly #server: End;
  readonly #carrier: Carrier;
  /** Bytes vanish in these directions. */
  readonly #lost = new Set<Direction>();
  /** What is under way, in order. */
  readonly #sending: Record<Direction, Promise<void>> = { up: Promise.resolve(), down: Promise.resolve() };

  constructor(client: End, server: End, carrier: Carrier) {
    this.#client = client;
    this.#server = server;
    this.#carrier = carrier;
    this.#carry('up', client, server);
    this.#carry('down', server, client);
  }

  /** Both ends see a connection reset. */
  reset(): void {
    for (const end of [this.#client, this.#server]) breakOff(end);
  }

  /** From now on bytes in that direction vanish, or in both. */
  lose(direction?: Direction): void {
    for (const each of direction ? [direction] : (['up', 'down'] as const)) this.#lost.add(each);
  }

  #carry(direction: Direction, { stream: from }: End, to: End): void {
    from.on('data', (chunk: Buffer) => {
      if (direction === 'up' && this.opening.length === 0) this.opening = chunk;
      this.#carrier.passed(direction, chunk.length);
      this.#pass(direction, chunk, to.stream);
    });
    from.on('end', () => this.#later(direction, 0, () => to.stream.end()));
    from.on('error', () => this.#later(direction, 0, () => breakOff(to)));
    from.on('close', () => {
      this.#later(direction, 0, () => to.stream.destroySoon());
      if (to.stream.destroyed) this.#carrier.closed();
    });
  }

  #pass(direction: Direction, chunk: Buffer, to: Socket): void {
    const fault = this.#lost.has(direction) ? undefined : this.#carrier.take(direction, chunk);
    switch (fault?.kind) {
      case 'reset':
        return this.reset();
      case 'truncate':
        return this.#endWith(chunk.subarray(0, fault.bytes));
      case 'answer':
        this.lose('up');
        return this.#endWith(Buffer.from(fault.text));
      case 'black-hole':
        return this.lose(fault.direction);
      case 'delay':
      case undefined:
        return this.#later(direction, fault?.milliseconds ?? 0, () => to.write(chunk));
    }
  }

  /** The client gets these bytes last. */
  #endWith(bytes: Buffer): void {
    this.#later('down', 0, () => {
      this.#client.stream.end(bytes);
      this.#server.stream.destroy();
    });
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

/** What has sent its end can't be reset any more: libuv refuses, and Node.js would keep the handle for ever. */
function breakOff({ stream, tcp }: End): void {
  if (!tcp.destroyed && !stream.writableEnded) tcp.resetAndDestroy();
  stream.destroy();
  tcp.destroy();
}
