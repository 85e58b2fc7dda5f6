/** Everything that can go wrong at a registry, as one closed list (the design's registry vocabulary). */
export type RegistryErrorCode =
  | 'Unauthorized'
  | 'Forbidden'
  /** There is no such token; a wrong address is an InvalidRequest. */
  | 'NotFound'
  | 'Conflict'
  | 'QuotaExceeded'
  | 'RateLimited'
  | 'Discontinued'
  | 'InvalidRequest'
  | 'Unavailable'
  | 'Ambiguous';

/** Codes that the same request can get past later without anybody changing anything. */
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
  /** What was heard, without what was asked and what to do: for those who did not ask themselves. */
  heard?: string | undefined;
  /** Whether nothing was sent, since the place is known to be down or asked to wait: it says nothing about the request. */
  unsent?: boolean | undefined;
}

/**
 * The one error that registry code throws. The message says what was asked of which host, what it said, and what to do.
 * It has no cause: what the network layer throws can hold the bytes of an answer, and so a token.
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

  /** The same, for a request that was not sent because of it. @param retryAfter milliseconds until one is again */
  asUnsent(retryAfter: number): RegistryError {
    const { requestId, status, registryCode, serverTime, heard } = this;
    const details = { requestId, status, registryCode, serverTime, heard, retryAfter, unsent: true };
    return new RegistryError(this.code, this.message, details);
  }

  /** The same answer, with what it means here. */
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

  /** Whether what was asked for was refused, which says nothing of what else is: neither the place is down nor are the credentials bad. */
  get isRefusal(): boolean {
    return this.code === 'Forbidden' || this.code === 'InvalidRequest';
  }

  /** Whether trying the same again later can succeed by itself. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}
