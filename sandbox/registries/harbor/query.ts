/** One condition of a list's `q`. */
interface Condition {
  key: string;
  matches: (value: string) => boolean;
}

/**
 * Reads the `q` of a list: `key=value`, `key=~part` and `key=[from~to]`, joined by commas. Harbor decodes it once more than
 * HTTP does, so a `+` or `%` that is meant has to be encoded twice; and it cuts at each comma.
 * @returns undefined when it can't be decoded
 */
export function readQuery(text: string): Condition[] | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
  return decoded.split(',').flatMap((part) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(part.trim()) ?? [];
    if (key === undefined || value === undefined) return [];
    return [{ key: key.trim().toLowerCase(), matches: matcher(value) }];
  });
}

function matcher(value: string): Condition['matches'] {
  if (value.startsWith('~')) {
    const part = value.slice(1).toLowerCase();
    return (actual) => actual.toLowerCase().includes(part);
  }
  const range = /^\[(.*)~(.*)\]$/s.exec(value);
  if (range) {
    const [from = '', to = ''] = range.slice(1);
    return (actual) =>
      (from === '' || Number(actual) >= Number(from)) && (to === '' || Number(actual) <= Number(to));
  }
  return (actual) => actual === value;
}

/** Keeps what fulfils all conditions on fields it has. A key that is unknown is ignored without a word. */
export function fulfils(fields: Readonly<Record<string, string>>, conditions: readonly Condition[]): boolean {
  return conditions.every(({ key, matches }) => {
    const value = fields[key];
    return value === undefined || matches(value);
  });
}
