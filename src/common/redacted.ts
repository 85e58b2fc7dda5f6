import { inspect } from 'node:util';

const PLACEHOLDER = '[redacted]';

/**
 * A token, key or password on its way through the program. Printing, logging, serialising or inspecting it gives
 * `[redacted]`; only `reveal()` gives the value, so every place that needs it can be found by that name.
 */
export class Redacted {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  equals(other: Redacted): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}
