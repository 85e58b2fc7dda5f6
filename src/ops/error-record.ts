/** An error as it is logged. */
export interface ErrorRecord {
  name: string;
  code?: string | number;
  message: string;
  /** Where it was made: the stack's frames, without the message that Node puts before them. */
  stack?: string;
  cause?: ErrorRecord;
  errors?: ErrorRecord[];
}

/** Causes further down are left out; a chain this long is a loop. */
const DEEPEST = 8;

/**
 * What may be said of an error: name, code, message, stack, and the same of its causes. Nothing else that hangs on it:
 * libraries attach requests and answers there, credentials and bodies included.
 */
export function errorRecord(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) {
    return {
      name: typeof error,
      message: typeof error === 'string' ? error : 'no error was thrown but this',
    };
  }
  const record: ErrorRecord = { name: error.name, message: error.message };
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' || typeof code === 'number') record.code = code;
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  if (frames && frames.length > 0) record.stack = frames.map((frame) => frame.trim()).join('\n');
  if (depth >= DEEPEST) return record;
  if (error.cause !== undefined) record.cause = errorRecord(error.cause, depth + 1);
  if (error instanceof AggregateError) record.errors = error.errors.map((one) => errorRecord(one, depth + 1));
  return record;
}
