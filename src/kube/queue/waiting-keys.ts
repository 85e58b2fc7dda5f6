import { TurnTaking } from './turn-taking.ts';

export type Priority = 'high' | 'low';

/** After so many keys of high priority one of low priority goes first, so that a steady stream starves nothing. */
const HIGH_IN_A_ROW = 8;

/** Distinct keys that wait with one of two priorities, each in a line of its kind. */
export class WaitingKeys {
  readonly #keys = { high: new TurnTaking(), low: new TurnTaking() };
  #highInARow = 0;

  get size(): number {
    return this.#keys.high.size + this.#keys.low.size;
  }

  /** Puts a key at the end of a line; one that waits already keeps its place, but moves up from low to high. */
  add(key: string, line: string, priority: Priority): boolean {
    const { high, low } = this.#keys;
    if (high.has(key)) return false;
    const waited = low.has(key);
    if (waited && priority === 'low') return false;
    if (waited) low.remove(key);
    this.#keys[priority].add(key, line);
    return !waited;
  }

  /** Takes the key whose turn it is, of the lines that may have one now. */
  take(mayHave: (line: string) => boolean): { key: string; line: string } | undefined {
    const order = this.#highInARow < HIGH_IN_A_ROW ? (['high', 'low'] as const) : (['low', 'high'] as const);
    for (const priority of order) {
      const taken = this.#keys[priority].take(mayHave);
      if (!taken) continue;
      this.#highInARow = priority === 'low' ? 0 : this.#highInARow + 1;
      return taken;
    }
    return undefined;
  }
}
