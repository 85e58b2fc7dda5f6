import type { RegistryErrorCode } from '../errors.ts';
import type { Flaw } from './answer.ts';
import type { Inquiry } from './request-description.ts';
import type { Problem } from './problem.ts';

const BY_STATUS: Readonly<Record<number, RegistryErrorCode>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  408: 'Unavailable',
  409: 'Conflict',
  410: 'Discontinued',
  429: 'RateLimited',
};

/**
 * What an answer outside 2xx means.
 *
 * For a request that creates something, the question is whether it may have taken effect. A 4xx means no; so does a 429, which
 * servers send before they begin. These do not:
 * - 500: the service may have failed after it created the object; 502 and 504: a gateway lost a request that it had forwarded.
 * - 503 means "not processed" when the service itself sends it, with an error body of its own. A gateway's 503 can
 *   also be a connection that broke behind it (Envoy: "disconnect/reset before headers").
 * - 408 should mean that the request did not arrive completely, but gateways also send it for slow handlers.
 *
 * Those are Ambiguous: looking for the token costs one list, a second live token could cost more.
 *
 * A 404 to a request for one object means that it does not exist, unless a gateway sends it as HTML. To any other request it
 * means that the API is not at this address: as NotFound, a mistyped endpoint would look like tokens that are gone.
 */
export function classify(
  { status, flaw }: { status: number; flaw: Flaw | undefined },
  problem: Problem | undefined,
  { creates, names, dialect }: Pick<Inquiry, 'creates' | 'names' | 'dialect'>,
): RegistryErrorCode {
  if (status < 400) return 'InvalidRequest';
  const own = dialect.classify?.(status, problem);
  if (own) return own;
  if (status >= 500 || status === 408) {
    const notTakenOn = status === 503 && problem?.code !== undefined;
    return creates && !notTakenOn ? 'Ambiguous' : 'Unavailable';
  }
  if (status === 404) return flaw === 'is HTML' ? 'Unavailable' : names ? 'NotFound' : 'InvalidRequest';
  if (status === 422) {
    return /\b(quota|limit)\b/i.test(problem?.message ?? '') ? 'QuotaExceeded' : 'InvalidRequest';
  }
  return BY_STATUS[status] ?? 'InvalidRequest';
}
