/** An error as a service sent it. Only `quote` makes its parts safe for a message. */
export interface Problem {
  code: string | undefined;
  message: string | undefined;
  requestId: string | undefined;
}

/** Reads `{"errors": [{"code", "message"}]}`, as the registry API of Docker and many others word errors. */
export function readErrorList(body: unknown): Problem | undefined {
  const { errors } = fields(body);
  const first = Array.isArray(errors) ? fields(errors[0]) : {};
  const [code, message] = [text(first.code), text(first.message)];
  return code === undefined && message === undefined ? undefined : { code, message, requestId: undefined };
}

/** The fields of a value; none when it is not an object. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A string that is not empty; else undefined. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
