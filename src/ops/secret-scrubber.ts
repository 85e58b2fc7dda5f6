import type { Redacted } from '../common/redacted.ts';

const PLACEHOLDER = '[redacted]';

/** Shorter values are not looked for: they would turn up in harmless text. */
const SHORTEST = 8;

/** Values remembered; the oldest give way, so that years of rotation do not fill the memory. */
const CAPACITY = 10_000;

/**
 * The start of base64 of `{"`, as a JWT or a docker configuration in a Secret begins, up to the end of the word; also with
 * that encoded once more behind a colon, as Basic authentication does (one form for each position modulo three).
 */
const ENCODED = /(?:eyJ|ZXlK|OmV5S|[DTjz]pleU[o-r])[\w\-+/=.]{8,}/g;

/**
 * Takes secrets out of text: JWTs and docker configurations by their looks, anything else by having been registered.
 * A registered value is found as it is and as JSON, URL and base64 encoding write it.
 */
export class SecretScrubber {
  /** Every form of every value, under its first characters. */
  readonly #forms = new Map<string, Set<string>>();
  /** Oldest first. */
  readonly #values = new Set<string>();

  /** Looks for this value from now on. Values shorter than eight characters are not looked for. */
  register(secret: Redacted): void {
    const value = secret.reveal();
    if (value.length < SHORTEST || this.#values.has(value)) return;
    if (this.#values.size >= CAPACITY) this.#forgetOldest();
    this.#values.add(value);
    for (const form of formsOf(value)) {
      const start = form.slice(0, SHORTEST);
      const known = this.#forms.get(start);
      if (known) known.add(form);
      else this.#forms.set(start, new Set([form]));
    }
  }

  scrub(text: string): string {
    // Registered ones first: one may hold a part that looks encoded.
    const rest = this.#forms.size === 0 ? text : this.#scrubRegistered(text);
    return rest.replaceAll(ENCODED, PLACEHOLDER);
  }

  #scrubRegistered(text: string): string {
    let result = '';
    let copied = 0;
    for (let at = 0; at <= text.length - SHORTEST; at++) {
      const known = this.#forms.get(text.slice(at, at + SHORTEST));
      if (!known) continue;
      let length = 0;
      for (const form of known) if (form.length > length && text.startsWith(form, at)) length = form.length;
      if (length === 0) continue;
      result += text.slice(copied, at) + PLACEHOLDER;
      copied = at + length;
      at = copied - 1;
    }
    return copied === 0 ? text : result + text.slice(copied);
  }

  #forgetOldest(): void {
    const [oldest] = this.#values;
    if (oldest === undefined) return;
    this.#values.delete(oldest);
    for (const form of formsOf(oldest)) {
      const start = form.slice(0, SHORTEST);
      const known = this.#forms.get(start);
      known?.delete(form);
      if (known?.size === 0) this.#forms.delete(start);
    }
  }
}

/** How a value may stand in a line, each at least as long as what is looked for. */
function formsOf(value: string): Set<string> {
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.from('\0'.repeat(before) + value).toString('base64');
    // The characters at either end hold bits of what stands beside the value.
    const whole = encoded.replace(/=+$/, '');
    const foreign = before === 0 ? 0 : before + 1;
    forms.push(whole.slice(foreign, -1));
  }
  return new Set(forms.filter((form) => form.length >= SHORTEST));
}
