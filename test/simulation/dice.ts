/** Random decisions that are the same for the same seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
    // Seeds that follow each other begin alike otherwise.
    for (let turn = 0; turn < 8; turn++) this.next();
  }

  /** Uniform in [0, 1). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  readonly bytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => this.next() * 256);

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from `low` up to and including `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** @throws RangeError when there is nothing to pick from */
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** One of these by weight. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let left = this.next() * items.reduce((sum, [weight]) => sum + weight, 0);
    const found = items.find(([weight]) => (left -= weight) < 0) ?? items.at(-1);
    if (!found) throw new RangeError('nothing to pick from');
    return found[1];
  }

  /** Other dice, so that what they are thrown for does not depend on how often these are. */
  fork(): Dice {
    return new Dice(this.next() * 2 ** 32);
  }
}
