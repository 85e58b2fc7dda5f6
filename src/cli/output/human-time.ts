import { fromTime } from '../../api/syntax/time.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A duration with two figures at the most, as kubectl's column AGE has it (apimachinery, util/duration/duration.go HumanDuration).
 * @param milliseconds less than -1 s: `<invalid>`
 */
export function humanDuration(milliseconds: number): string {
  const count = (unit: number): number => Math.floor(milliseconds / unit);
  const pair = (large: number, small: number, names: string): string => {
    const rest = Math.floor((milliseconds % large) / small);
    return `${count(large)}${names[0]}${rest > 0 ? `${rest}${names[1]}` : ''}`;
  };
  if (milliseconds < -2 * SECOND) return '<invalid>';
  if (milliseconds < 0) return '0s';
  if (milliseconds < 2 * MINUTE) return `${count(SECOND)}s`;
  if (milliseconds < 10 * MINUTE) return pair(MINUTE, SECOND, 'ms');
  if (milliseconds < 3 * HOUR) return `${count(MINUTE)}m`;
  if (milliseconds < 8 * HOUR) return pair(HOUR, MINUTE, 'hm');
  if (milliseconds < 2 * DAY) return `${count(HOUR)}h`;
  if (milliseconds < 8 * DAY) return pair(DAY, HOUR, 'dh');
  if (milliseconds < 2 * YEAR) return `${count(DAY)}d`;
  return milliseconds < 8 * YEAR ? pair(YEAR, DAY, 'yd') : `${count(YEAR)}y`;
}

/** How long ago a time is, for a column; empty where there is none. */
export function age(time: string | undefined, now: number): string {
  const at = fromTime(time);
  return at === undefined ? '' : humanDuration(now - at);
}

/** A time with how far it is from now: `2026-11-30T01:00:00Z (in 7h)`. @param time RFC 3339 */
export function when(time: string, now: number): string {
  const at = fromTime(time);
  if (at === undefined) return time;
  return `${time} (${at > now ? `in ${humanDuration(at - now)}` : `${humanDuration(now - at)} ago`})`;
}
