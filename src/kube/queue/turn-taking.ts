/** Distinct keys in first-in-first-out lines that take turns, so that a long line does not hold up a short one. */
export class TurnTaking {
  /** Those that are not empty; the first is the one whose turn it is. */
  readonly #lines = new Map<string, Line>();
  readonly #lineOf = new Map<string, string>();

  get size(): number {
    return this.#lineOf.size;
  }

  has(key: string): boolean {
    return this.#lineOf.has(key);
  }

  /** Puts a key that does not wait yet at the end of a line. */
  add(key: string, name: string): void {
    let line = this.#lines.get(name);
    if (!line) this.#lines.set(name, (line = new Line()));
    line.add(key);
    this.#lineOf.set(key, name);
  }

  remove(key: string): void {
    const name = this.#lineOf.get(key);
    const line = name === undefined ? undefined : this.#lines.get(name);
    if (name === undefined || !line) return;
    this.#lineOf.delete(key);
    line.remove(key);
    if (line.size === 0) this.#lines.delete(name);
  }

  /** Takes the first key of the line whose turn it is. A line that may have none now keeps its turn. */
  take(mayHave: (line: string) => boolean): { key: string; line: string } | undefined {
    for (const [name, line] of this.#lines) {
      if (!mayHave(name)) continue;
      const key = line.take();
      this.#lineOf.delete(key);
      this.#lines.delete(name);
      if (line.size > 0) this.#lines.set(name, line);
      return { key, line: name };
    }
    return undefined;
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

  add(key: string): void {
    this.#keys.add(key);
  }

  remove(key: string): void {
    this.#keys.delete(key);
  }

  /** @throws RangeError when it is empty */
  take(): string {
    const key = this.#front.next().value;
    if (key === undefined) throw new RangeError('nothing waits in this line');
    this.#keys.delete(key);
    return key;
  }
}
