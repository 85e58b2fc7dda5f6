/** What a service says went wrong, as received: fit for a message only through `quote`. */
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

/** The fields of what may be an object. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What may be a text, unless it is empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
