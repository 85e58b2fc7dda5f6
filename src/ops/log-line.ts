import type { ErrorRecord } from './error-record.ts';

interface Entry {
  time: string;
  level: string;
  msg?: string;
  [field: string]: unknown;
}

const LEVEL_WIDTH = 5;
/** What steers a terminal or ends a line. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * One JSON line of the log as people read it: `15:04:05.123 INFO  token issued  namespace=team name=app`, in UTC, errors below
 * it with their causes. Words of others can't begin a line or steer a terminal. A line that is no JSON stays as it is.
 */
export function formatLine(line: string): string {
  let entry: Entry;
  try {
    entry = JSON.parse(line) as Entry;
  } catch {
    return line;
  }
  const { time, level, msg = '', ...fields } = entry;
  const errors: ErrorRecord[] = [];
  const words: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (isErrorRecord(value)) errors.push(value);
    else words.push(`${key}=${formatValue(value)}`);
  }
  const clock = time.slice('2026-01-01T'.length, -1);
  const head = `${clock} ${level.toUpperCase().padEnd(LEVEL_WIDTH)} ${msg}`;
  const first = words.length > 0 ? `${head}  ${words.join(' ')}` : head;
  return `${[first, ...errors.flatMap((error) => formatError(error, ''))].map(visible).join('\n')}\n`;
}

/** With control characters as JSON escapes them. */
function visible(text: string): string {
  return text.replaceAll(CONTROLS, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function formatError(error: ErrorRecord, lead: string): string[] {
  const code = error.code === undefined ? '' : ` (${error.code})`;
  const own = `${lead}${error.name}${code}: ${error.message}`.split('\n');
  const frames = error.stack?.split('\n').map((frame) => `  ${frame}`) ?? [];
  return [
    ...[...own, ...frames].map((text) => `    ${text}`),
    ...(error.cause ? formatError(error.cause, 'caused by ') : []),
    ...(error.errors ?? []).flatMap((one) => formatError(one, 'one of them: ')),
  ];
}
