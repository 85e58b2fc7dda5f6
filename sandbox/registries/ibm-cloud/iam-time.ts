/** A time as IAM writes it: `2026-01-01T12:00+0000`, whole minutes. */
export function iamTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16)}+0000`;
}

/** Reads `yyyy-MM-ddTHH:mm+0000`, with or without seconds. @returns milliseconds of the whole minute; undefined when it is none */
export function readIamTime(text: string): number | undefined {
  const [, minute] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d)?\+0000$/.exec(text) ?? [];
  const time = minute === undefined ? NaN : Date.parse(`${minute}Z`);
  return Number.isNaN(time) ? undefined : time;
}
