/** Characters of a value's JSON; longer ones are hardly ever equal, and tenants could fill the pool with them. */
const MAX_LENGTH = 512;
/** Values of one generation: the pool holds twice as many at most, which is less than 2 MiB, and less than 8 where all are objects of as many keys as fit. */
const MAX_VALUES = 1_024;

/**
 * Gives one and the same value for all that are equal, so that what thousands of objects say takes memory once. It forgets what has not
 * been asked for in a while: then equal values are two, which costs memory and nothing else.
 */
export class ValuePool {
  #recent = new Map<string, unknown>();
  #older = new Map<string, unknown>();

  /** @param value JSON that nobody changes any more @returns a value equal to it, the same for all that are */
  share<T>(value: T): T {
    const key = JSON.stringify(value) as string | undefined;
    if (key === undefined || key.length > MAX_LENGTH) return value;
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent as T;
    const shared = this.#older.get(key) ?? value;
    if (this.#recent.size >= MAX_VALUES) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, shared);
    return shared as T;
  }
}
