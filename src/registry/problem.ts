/** What a service says went wrong, as received: fit for a message only through `quote`. */
export interface Problem {
  code: string | undefined;
  message: string | undefined;
  requestId: string | undefined;
}

/**
 * Reads the error bodies of IBM's services; undefined when a body is none of them. The shapes:
 * - registry: `{code, message, "request-id"}`
 * - registry, Docker V2: `{errors: [{code, message}]}`
 * - IAM token: `{context: {requestId}, errorCode, errorMessage}`
 * - IAM identity: `{context: {transaction_id}, errors: [{code, message_code, message}], trace}`
 * - IAM policy: `{errors: [{code, message}], trace}`
 *
 * Other fields are left out: details quote requests, and `conflicts_with` holds whole policies.
 */
export function readProblem(body: unknown): Problem | undefined {
  const top = fields(body);
  const first = Array.isArray(top.errors) ? fields(top.errors[0]) : {};
  const context = fields(top.context);
  const code = text(top.code) ?? text(top.errorCode) ?? text(first.message_code) ?? text(first.code);
  const message = text(top.message) ?? text(top.errorMessage) ?? text(first.message);
  if (code === undefined && message === undefined) return undefined;
  const requestId =
    text(top['request-id']) ?? text(context.requestId) ?? text(top.trace) ?? text(context.transaction_id);
  return { code, message, requestId };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
