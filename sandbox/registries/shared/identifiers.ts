import type { Clock } from '../../../src/common/clock.ts';

/** Gives that many random bytes. */
export type Random = (size: number) => Uint8Array;

/** Ids in the forms that the real services give them, unique within one service. */
export class Identifiers {
  readonly #clock: Clock;
  readonly #random: Random;
  #requests = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A UUID whose version nibble is 5, as every registry token id on record has, though nothing is hashed here. */
  uuid(): string {
    const hex = this.#hex(16);
    const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b11) | 0b1000).toString(16);
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `5${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }

  /** The registry's form of 2018: `<number>-<Unix seconds with milliseconds>-<number>`. */
  registryRequest(): string {
    return `1-${(this.#clock.now() / 1000).toFixed(3)}-${++this.#requests}`;
  }

  /** IAM's form, which stands in its Transaction-Id header too: `<node>-<32 hexadecimal digits>`. */
  transaction(): string {
    return `c2FuZGJveA-${this.#hex(16)}`;
  }

  #hex(size: number): string {
    return Buffer.from(this.#random(size)).toString('hex');
  }
}
