/** Every kind of failure at a registry: a closed list. */
export type RegistryErrorCode =
  | 'Unauthorized'
  | 'Forbidden'
  /** There is no such object; a wrong address is InvalidRequest. */
  | 'NotFound'
  | 'Conflict'
  | 'QuotaExceeded'
  | 'RateLimited'
  | 'Discontinued'
  | 'InvalidRequest'
  | 'Unavailable'
  | 'Ambiguous';

/** Codes after which the same request can succeed later without a change. */
const RETRYABLE: ReadonlySet<RegistryErrorCode> = new Set([
  'Conflict',
  'QuotaExceeded',
  'RateLimited',
  'Unavailable',
  'Ambiguous',
]);

export interface RegistryErrorDetails {
  /** The registry's own id of the request, for its operators' logs. */
  requestId?: string | undefined;
  /** HTTP status, when there was an answer. */
  status?: number | undefined;
  /** The registry's own error code, for example CRG0009E. */
  registryCode?: string | undefined;
  /** Milliseconds the registry asked to wait. */
  retryAfter?: number | undefined;
  /** The registry's clock when it answered (Date header), milliseconds since 1970. */
  serverTime?: number | undefined;
  /** The answer alone, without the request and the advice: for callers that did not send the request. */
  heard?: string | undefined;
  /** Whether the request was not sent, since the place is down or asked to wait. */
  unsent?: boolean | undefined;
}

/**
 * The only error that registry code throws. The message says what was requested of which host, what it answered, and what to do.
 * It has no `cause`: errors of the network layer can hold bytes of an answer, and so a token.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly requestId: string | undefined;
  readonly status: number | undefined;
  readonly registryCode: string | undefined;
  readonly retryAfter: number | undefined;
  readonly serverTime: number | undefined;
  readonly heard: string;
  readonly unsent: boolean;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    super(message);
    this.code = code;
    this.requestId = details.requestId;
    this.status = details.status;
    this.registryCode = details.registryCode;
    this.retryAfter = details.retryAfter;
    this.serverTime = details.serverTime;
    this.heard = details.heard ?? message;
    this.unsent = details.unsent ?? false;
  }

  /** The same, for a request that was not sent because of it. @param retryAfter milliseconds until requests are sent again */
  asUnsent(retryAfter: number): RegistryError {
    const { requestId, status, registryCode, serverTime, heard } = this;
    const details = { requestId, status, registryCode, serverTime, heard, retryAfter, unsent: true };
    return new RegistryError(this.code, this.message, details);
  }

  /** The same answer with another code and message. */
  reworded(code: RegistryErrorCode, message: string): RegistryError {
    const { requestId, status, registryCode, retryAfter, serverTime, unsent } = this;
    return new RegistryError(code, message, {
      requestId,
      status,
      registryCode,
      retryAfter,
      serverTime,
      unsent,
    });
  }

  /** Whether only this request was refused: the place is up, and the credentials are valid. */
  get isRefusal(): boolean {
    return this.code === 'Forbidden' || this.code === 'InvalidRequest';
  }

  /** Whether it says nothing of the token that the request named: others would fail with it, too. */
  get concernsAll(): boolean {
    return this.unsent || this.code === 'Unauthorized' || this.code === 'RateLimited';
  }

  /** Whether the same request can succeed later without a change. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}
