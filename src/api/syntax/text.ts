/**
 * Text cut to `longest` UTF-16 units, an ellipsis included. Never cuts a character in half: the API server would store
 * something else in place of half a one, and what was written would differ from what is read for ever.
 */
export function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${prefix(text, longest - 1)}…`;
}

/** The first names, at most so many, and how many more there are: `a, b and 3 more`. */
export function firstOf(names: readonly string[], most: number): string {
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return `${names.slice(0, most).join(', ')}${more}`;
}

/** The first `longest` UTF-16 units of a text, without half a character at the end. */
export function prefix(text: string, longest: number): string {
  const cut = text.slice(0, longest);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}
