/** `*` in one pattern that anyone can write: each is a search in every name that the pattern is held against. */
export const MAX_WILDCARDS = 2;

/** Whether a text is a pattern rather than the name of an object, which has no `*`. */
export const isPattern = (text: string): boolean => text.includes('*');

/**
 * Whether a name fits a pattern, in which `*` stands for any characters, none included. Without backtracking: what anyone writes
 * into either costs no more than its length.
 */
export function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let end = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, end);
    if (found < 0) return false;
    end = found + part.length;
  }
  return name.endsWith(last) && name.length - last.length >= end;
}

/** Whether a pattern has no more wildcards than `MAX_WILDCARDS`. */
export const isSimple = (pattern: string): boolean =>
  pattern.split('*', MAX_WILDCARDS + 2).length <= MAX_WILDCARDS + 1;
