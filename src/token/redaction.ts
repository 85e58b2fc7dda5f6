import type { Redacted } from '../common/redacted.ts';

const PLACEHOLDER = '[redacted]';
/** As many characters in a row that a value has too are taken for a part of it. */
const MIN_RUN = 8;
/** Of a longer text the rest is left out. */
const MAX_TEXT = 4_096;

/**
 * A text by a third party that saw Secrets, without any part of what is in them: every run of eight characters or more that the text
 * has in common with a value, with an `auth` of a docker configuration, or with the base64 of either or of the whole, at any
 * position modulo three. Hosts stay, and so do keys.
 * @param payloads docker configurations, or whatever stands in their place
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
  for (const form of payloads.flatMap((payload) => formsOf(payload.reveal()))) {
    if (form.length < MIN_RUN)
      for (const at of occurrences(shown, form)) secret.fill(1, at, at + form.length);
    for (let at = 0; at + MIN_RUN <= form.length; at++) {
      for (const start of starts.get(form.slice(at, at + MIN_RUN)) ?? [])
        secret.fill(1, start, start + MIN_RUN);
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
  let at = part === '' ? -1 : text.indexOf(part);
  while (at >= 0) {
    yield at;
    at = text.indexOf(part, at + 1);
  }
}

/** All that is secret in a payload, as it can be quoted. */
function formsOf(payload: string): string[] {
  const values = valuesOf(payload);
  return [
    ...values,
    ...values.map((value) => JSON.stringify(value).slice(1, -1)),
    ...[payload, ...values].flatMap(base64Of),
  ];
}

/** The values of a docker configuration but for user names; of anything else the whole. */
function valuesOf(payload: string): string[] {
  try {
    return leavesOf(JSON.parse(payload));
  } catch {
    return [payload];
  }
}

function leavesOf(value: unknown, key = ''): string[] {
  if (typeof value === 'string') {
    if (key === 'username') return [];
    return key === 'auth' ? [value, passwordOf(value)] : [value];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => leavesOf(each, name));
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
