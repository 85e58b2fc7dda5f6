import type { Redacted } from '../../common/redacted.ts';

const PLACEHOLDER = '[redacted]';
/** As many characters in a row that a value has too are taken for a part of it. */
const MIN_RUN = 8;
/** Of a longer text the rest is left out. */
const MAX_TEXT = 4_096;
/** Characters of a payload that is searched for: whoever may write a Secret can fill it. */
const MAX_PAYLOAD = 65_536;
/** Different values in it, likewise. */
const MAX_VALUES = 64;
/** Characters of a value that is looked for as a whole: anything shorter is in every text. */
const MIN_VALUE = 4;

/**
 * A text by a third party that saw Secrets, without any part of what is in them: every run of eight characters or more that the text
 * has in common with a value, with an `auth` of a docker configuration, or with the base64 of either or of the whole, at any
 * position modulo three. Hosts stay, and so do keys.
 * @param payloads docker configurations, or whatever stands in their place
 * @returns an empty text where a payload is too large to be searched for: then nothing is known to be no part of it
 */
export function redactValues(text: string, payloads: readonly Redacted[]): string {
  const shown = text.slice(0, MAX_TEXT);
  const starts = new Map<string, number[]>();
  for (let at = 0; at + MIN_RUN <= shown.length; at++) {
    const run = shown.slice(at, at + MIN_RUN);
    const known = starts.get(run);
    if (known) known.push(at);
    else starts.set(run, [at]);
  }
  const secret = new Uint8Array(shown.length);
  for (const payload of payloads) {
    const forms = formsOf(payload.reveal());
    if (!forms) return '';
    for (const form of forms) {
      if (form.length < MIN_RUN)
        for (const at of occurrences(shown, form)) secret.fill(1, at, at + form.length);
      for (let at = 0; at + MIN_RUN <= form.length; at++) {
        const run = form.slice(at, at + MIN_RUN);
        for (const start of starts.get(run) ?? []) secret.fill(1, start, start + MIN_RUN);
        // Each run is marked once, however often either side repeats it.
        starts.delete(run);
      }
    }
  }
  let result = '';
  for (let at = 0; at < shown.length; at++) {
    if (secret[at] !== 1) result += shown[at];
    else if (secret[at - 1] !== 1) result += PLACEHOLDER;
  }
  return result;
}

function* occurrences(text: string, part: string): Iterable<number> {
  let at = text.indexOf(part);
  while (at >= 0) {
    yield at;
    at = text.indexOf(part, at + 1);
  }
}

/** All that is secret in a payload, as it can be quoted; undefined where that is too much. */
function formsOf(payload: string): ReadonlySet<string> | undefined {
  if (payload.length > MAX_PAYLOAD) return undefined;
  const values = valuesOf(payload);
  if (values.size > MAX_VALUES) return undefined;
  const forms = [...values].flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  return new Set(
    [...forms, ...[payload, ...values].flatMap(base64Of)].filter(({ length }) => length >= MIN_VALUE),
  );
}

/** The values of a docker configuration but for user names; of anything else the whole. */
function valuesOf(payload: string): ReadonlySet<string> {
  let configuration: unknown;
  try {
    configuration = JSON.parse(payload);
  } catch {
    return new Set([payload]);
  }
  const values = new Set<string>();
  // Not by recursion: it can be nested deeper than the stack is.
  const rest: [key: string, value: unknown][] = [['', configuration]];
  for (let next = rest.pop(); next && values.size <= MAX_VALUES; next = rest.pop()) {
    const [key, value] = next;
    if (typeof value === 'object' && value !== null)
      for (const entry of Object.entries(value)) rest.push(entry);
    if (typeof value !== 'string' || key === 'username') continue;
    const parts = key === 'auth' ? [value, passwordOf(value)] : [value];
    for (const part of parts) if (part.length >= MIN_VALUE) values.add(part);
  }
  return values;
}

/** `auth` is the base64 of user name, colon and password. */
function passwordOf(auth: string): string {
  const pair = Buffer.from(auth, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/** By itself, and inside something: there without the characters at either end, which hold bits of what stands beside it. */
function base64Of(text: string): string[] {
  const inside = ['', '\0', '\0\0'].map((before) => {
    const encoded = Buffer.from(before + text)
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(before === '' ? 0 : before.length + 1, -1);
  });
  return [Buffer.from(text).toString('base64'), ...inside];
}
