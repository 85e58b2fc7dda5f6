import { pino, type Logger as PinoLogger } from 'pino';
import type { Clock } from '../common/clock.ts';
import type { Config } from '../config/config.ts';
import { errorRecord } from './error-record.ts';
import { formatLine } from './log-line.ts';
import type { SecretScrubber } from './secret-scrubber.ts';

export interface LoggerOptions {
  level: Config['logLevel'];
  format: Config['logFormat'];
  clock: Clock;
  scrubber: SecretScrubber;
  /** Takes one finished line, with its newline. */
  write(line: string): void;
}

/** Fields nested deeper than this are left out. */
const DEEPEST = 5;

/**
 * The operator's log: one line an event, as JSON or for people. Every line goes through the scrubber on its way out, whatever
 * it is made of; errors, wherever they stand among the fields, are written as `errorRecord` has them.
 */
export function createLogger(options: LoggerOptions): PinoLogger {
  const { clock, format, scrubber } = options;
  const destination = {
    write(line: string): void {
      const clean = scrubber.scrub(line);
      options.write(format === 'json' ? clean : formatLine(clean));
    },
  };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => loggable(fields) as Record<string, unknown>,
      },
      // Pino would write an error's own properties under this key.
      serializers: { err: loggable },
    },
    destination,
  );
}

/** The same value with errors made safe to write. */
function loggable(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorRecord(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ('toJSON' in value) return value;
  if (depth >= DEEPEST) return '[…]';
  if (Array.isArray(value)) return value.map((item) => loggable(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, loggable(item, depth + 1)]));
}
