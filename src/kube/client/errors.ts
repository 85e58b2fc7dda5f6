import { Redacted } from '../../common/redacted.ts';

/** One field-level reason of a refusal, from `Status.details.causes`. */
export interface StatusCause {
  reason: string;
  field: string;
  message: string;
}

/** The part of a Kubernetes `Status` that this layer reads. */
export interface Status {
  kind: 'Status';
  message?: string;
  reason?: string;
  code?: number;
  details?: { causes?: Partial<StatusCause>[]; retryAfterSeconds?: number };
}

export interface KubeErrorDetails {
  status?: number | undefined;
  reason?: string | undefined;
  causes?: StatusCause[];
  retryAfter?: number | undefined;
  denial?: Denial | undefined;
}

/** A write that an admission webhook or policy denied, or that waits for a webhook that does not answer. */
export interface Denial {
  /** What it says about it: free text by a third party that saw the object, so it can quote what the object holds. */
  explanation: Redacted;
}

/**
 * A call to the API server that failed. Without `status` no answer was understood: the call may or may not have taken
 * effect. Messages name the call and the server's reason; they hold nothing that a Secret could contain.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; absent when the connection failed, timed out, or the answer made no sense. */
  readonly status?: number;
  /** `Status.reason`, such as `AlreadyExists`. */
  readonly reason?: string;
  readonly causes: readonly StatusCause[];
  /** Milliseconds the server asked to wait before the next call. */
  readonly retryAfter?: number;
  /** About objects whose content is secret only: elsewhere the message tells all. */
  readonly denial?: Denial;

  constructor(message: string, details: KubeErrorDetails = {}) {
    super(message);
    if (details.status !== undefined) this.status = details.status;
    if (details.reason) this.reason = details.reason;
    this.causes = details.causes ?? [];
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
    if (details.denial) this.denial = details.denial;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }
  /**
   * The object is not the one meant: changed since it was read, or replaced by another of its name (which an apply with a uid
   * is told as 422). An object that exists already is no conflict in this sense.
   */
  get isConflict(): boolean {
    if (this.status === 422) return this.causes.some(({ field }) => field === 'metadata.uid');
    return this.status === 409 && this.reason !== 'AlreadyExists';
  }
  get isAlreadyExists(): boolean {
    return this.status === 409 && this.reason === 'AlreadyExists';
  }
  /** The resource version or continue token asked for is too old: list again. */
  get isGone(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }
  get isForbidden(): boolean {
    return this.status === 403;
  }
  get isInvalid(): boolean {
    return this.status === 422;
  }
  /** Nothing can be created because the namespace is being deleted. */
  get isNamespaceTerminating(): boolean {
    return this.causes.some(({ reason }) => reason === 'NamespaceTerminating');
  }
  /** The very same call may succeed later. A call that changes something must first find out whether it already did. */
  get isRetryable(): boolean {
    if (this.status === undefined) return true;
    return this.status === 408 || this.status === 429 || (this.status >= 500 && this.status !== 501);
  }
}

/**
 * What the API server itself says of an object that is refused, and what the object can't have put there: RBAC quotes the user and
 * the verb (apiserver, endpoints/handlers/responsewriters/errors.go), a quota its name and numbers (admission/plugin/resourcequota),
 * a namespace that is being deleted its name. Anchored, so that the words of a webhook or policy never pass for them.
 */
const OWN_MESSAGES = [
  /^[a-z]+( "[^"]*")? is forbidden: User "/,
  /^[a-z]+( "[^"]*")? is forbidden: exceeded quota: [\w.-]+, requested: [\w./=,-]+, used: [\w./=,-]+, limited: [\w./=,-]+$/,
  /^[a-z]+( "[^"]*")? is forbidden: unable to create new content in namespace [\w-]+ because it is being terminated$/,
];

/**
 * Who denied a write, and their own words behind it: apiserver, admission/plugin/webhook/errors/statuserror.go,
 * util/webhook/error.go and admission/plugin/policy/validating/dispatcher.go. Names are DNS names.
 */
const DENIAL =
  /^(?:[a-z]+( "[^"]*")? is forbidden: |Internal error occurred: )?(?<by>admission webhook "[\w.-]+" denied the request|failed calling webhook "[\w.-]+"|(?:Validating|Mutating)AdmissionPolicy '[\w.-]+'(?: with binding '[\w.-]+')? denied request):?\s*(?<explanation>.*)$/s;

const isStatus = (body: unknown): body is Status =>
  typeof body === 'object' && body !== null && (body as { kind?: unknown }).kind === 'Status';

/** Whether the path leads to objects whose fields a validation message would quote: Secrets and ServiceAccount tokens. */
const isSensitive = (path: string): boolean => /\/(secrets|serviceaccounts\/[^/]+\/token)(\/|$)/.test(path);

/** An API server is back long before a proxy that stands in for it says so. Milliseconds. */
const MAX_RETRY_AFTER = 60_000;

/**
 * The error for an answer that refuses a call.
 * @param call what was called, for the message
 * @param httpStatus HTTP status, or the code of a `Status` inside a watch
 * @param body the parsed answer; anything but a `Status` is left out of the message
 * @param retryAfterHeader `Retry-After` in seconds, as received
 */
export function refusal(
  call: { method: string; path: string },
  httpStatus: number,
  body: unknown,
  retryAfterHeader?: string | string[],
): KubeError {
  const status: Status = isStatus(body) ? body : { kind: 'Status' };
  const sensitive = isSensitive(call.path);
  const causes = (status.details?.causes ?? []).map((cause) => ({
    reason: cause.reason ?? '',
    field: cause.field ?? '',
    message: sensitive ? '' : (cause.message ?? ''),
  }));
  const told = status.message ?? '';
  const denial = sensitive ? DENIAL.exec(told)?.groups : undefined;
  const explanation = sensitive ? (denial?.['by'] ?? withoutContent(told, causes)) : told;
  const seconds = Number(retryAfterHeader ?? status.details?.retryAfterSeconds);
  return new KubeError(
    [`${call.method} ${call.path}:`, httpStatus, status.reason, explanation && `- ${explanation}`]
      .filter(Boolean)
      .join(' '),
    {
      status: httpStatus,
      reason: status.reason,
      causes,
      retryAfter: seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER) : undefined,
      denial: denial && { explanation: new Redacted(denial['explanation'] ?? '') },
    },
  );
}

/** What a server says of an object whose content is secret: its own words where they hold none, else reasons and fields. */
function withoutContent(told: string, causes: readonly StatusCause[]): string {
  if (OWN_MESSAGES.some((pattern) => pattern.test(told))) return told;
  const fields = causes.map(({ reason, field }) => [field, reason].filter(Boolean).join(' ')).filter(Boolean);
  return fields.length > 0 ? `(${fields.join(', ')})` : '';
}

/**
 * The error for a call that got no usable answer.
 * @param failure what the network said; only its code or class is kept, since messages of TLS and proxies can be long
 */
export function noAnswer(call: { method: string; path: string }, failure: unknown): KubeError {
  if (failure instanceof KubeError) return failure;
  const { code, name } = failure as { code?: unknown; name?: unknown };
  const kind = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown failure';
  return new KubeError(`${call.method} ${call.path}: no usable answer from the API server (${kind})`);
}
