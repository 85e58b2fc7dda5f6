/** RFC 3339 has no years beyond this one. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * Milliseconds since 1970 as the API writes times: RFC 3339, UTC, whole seconds (rounded down). What lies outside the
 * years 1970 to 9999 becomes the nearest time within.
 */
export function toTime(milliseconds: number): string {
  return `${new Date(Math.min(Math.max(milliseconds, 0), LAST)).toISOString().slice(0, 19)}Z`;
}

/** The same for the end of a wait: rounded up, so that it does not come early. */
export function toDeadline(milliseconds: number): string {
  return toTime(Math.ceil(milliseconds / 1000) * 1000);
}

/** Milliseconds since 1970 of an RFC 3339 time, or undefined when there is none or it is not one. */
export function fromTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
