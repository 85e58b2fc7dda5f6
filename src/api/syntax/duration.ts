const UNITS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;
/** No more digits than the CRD's rules take, whose durations overflow at 292 years. */
const PATTERN = /^(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?$/;

/**
 * Reads a duration as the API writes it: hours, minutes and seconds in that order, such as `24h`, `1h30m`, `0s`.
 * @returns milliseconds, or undefined when the text is no such duration
 */
export function parseDuration(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (!match || text === '') return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((digits) => Number(digits ?? 0)) as [
    number,
    number,
    number,
  ];
  const milliseconds = hours * UNITS.h + minutes * UNITS.m + seconds * UNITS.s;
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** Writes milliseconds as `parseDuration` reads them, rounded to the second: `24h`, `1h30m`, `40s`, `0s`. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(Math.abs(milliseconds) / UNITS.s) * UNITS.s;
  if (rest === 0) return '0s';
  let text = milliseconds < 0 ? '-' : '';
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
