export type Priority = 'high' | 'low';

/** After so many keys of high priority one of low priority goes first, so that a steady stream starves nothing. */
const HIGH_IN_A_ROW = 8;

/** Distinct keys in two first-in-first-out lines. */
export class WaitingKeys {
  readonly #lines = { high: new Line(), low: new Line() };
  #highInARow = 0;

  get size(): number {
    return this.#lines.high.size + this.#lines.low.size;
  }

  /** Puts a key at the end of a line; one that waits already keeps its place, but moves up from low to high. */
  add(key: string, priority: Priority): boolean {
    const { high, low } = this.#lines;
    if (high.has(key)) return false;
    const waited = low.has(key);
    if (waited && priority === 'low') return false;
    if (waited) low.remove(key);
    this.#lines[priority].add(key);
    return !waited;
  }

  /** Takes the key whose turn it is. */
  take(): string | undefined {
    const { high, low } = this.#lines;
    const lowsTurn = low.size > 0 && (high.size === 0 || this.#highInARow >= HIGH_IN_A_ROW);
    this.#highInARow = lowsTurn ? 0 : this.#highInARow + 1;
    return (lowsTurn ? low : high).take();
  }
}

class Line {
  readonly #keys = new Set<string>();
  /**
   * One iterator goes on where it stopped; starting anew each time would step over every key taken before. It never ends, since
   * it is not asked while there are no keys, and finds those that are added later.
   */
  readonly #front = this.#keys.values();

  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.add(key);
  }

  remove(key: string): void {
    this.#keys.delete(key);
  }

  take(): string | undefined {
    if (this.#keys.size === 0) return undefined;
    const key = this.#front.next().value;
    if (key !== undefined) this.#keys.delete(key);
    return key;
  }
}
