import type { Clock } from '../../common/clock.ts';
import { Heap } from '../../common/heap.ts';

interface Entry {
  key: string;
  due: number;
}

/** Keys that come due later: a heap with one timer, for delays of any length. */
export class DelayedKeys {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  /** An entry is void when `#due` says otherwise. */
  readonly #heap = new Heap<Entry>((a, b) => a.due < b.due);
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
    this.#heap.push({ key, due });
    this.#arm();
  }

  clear(): void {
    this.#heap.clear();
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
      const { first } = this.#heap;
      if (!first || this.#due.get(first.key) === first.due) return first;
      this.#heap.pop();
    }
  }
}
