import type { Clock } from '../../common/clock.ts';

interface Entry {
  key: string;
  due: number;
}

/** Keys that come due later: a heap with one timer, for delays of any length. */
export class DelayedKeys {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  /** Binary heap by due time. An entry is void when `#due` says otherwise. */
  readonly #heap: Entry[] = [];
  readonly #due = new Map<string, number>();
  #armedFor = Infinity;
  #disarm: () => void = () => undefined;

  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Makes a key come due after `milliseconds`, unless it does so earlier already. */
  add(key: string, milliseconds: number): void {
    const due = this.#clock.monotonic() + milliseconds;
    if (due >= (this.#due.get(key) ?? Infinity)) return;
    this.#due.set(key, due);
    this.#push({ key, due });
    this.#arm();
  }

  clear(): void {
    this.#heap.length = 0;
    this.#due.clear();
    this.#arm();
  }

  #arm(): void {
    const next = this.#first()?.due ?? Infinity;
    if (next === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = next;
    if (next === Infinity) return;
    this.#disarm = this.#clock.after(next - this.#clock.monotonic(), () => this.#release());
  }

  #release(): void {
    this.#armedFor = Infinity;
    const now = this.#clock.monotonic();
    for (let first = this.#first(); first && first.due <= now; first = this.#first()) {
      this.#due.delete(first.key);
      this.#onDue(first.key);
    }
    this.#arm();
  }

  /** The entry that comes due next; void ones before it are dropped. */
  #first(): Entry | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first || this.#due.get(first.key) === first.due) return first;
      this.#pop();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = (heap[right]?.due ?? Infinity) < (heap[left]?.due ?? Infinity) ? right : left;
      if (!this.#swapIfEarlier(child, index)) return;
      index = child;
    }
  }

  #swapIfEarlier(lower: number, upper: number): boolean {
    const [below, above] = [this.#heap[lower], this.#heap[upper]];
    if (!below || !above || below.due >= above.due) return false;
    this.#heap[lower] = above;
    this.#heap[upper] = below;
    return true;
  }
}
