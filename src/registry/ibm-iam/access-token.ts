import { Redacted } from '../../common/redacted.ts';
import { RegistryError } from '../errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import { claimsOf } from '../jwt.ts';

/** What IAM gives for an API key. */
export interface AccessToken {
  value: Redacted;
  /** The account that the key belongs to; undefined when the token does not say. */
  accountId: string | undefined;
  /** Milliseconds from when it was asked for. */
  lifetime: number;
}

/** Characters of a Bearer token (RFC 6750, 2.1): anything else could not stand in a header. */
const BEARER = /^[\w\-.~+/]+=*$/;
const ACCOUNT_ID = /^[\w-]{1,64}$/;

/**
 * Reads the answer to an exchange; undefined when it holds no usable token. The lifetime is `expires_in`, which no clock
 * can skew; only without it, `expiration` against the server's clock.
 * @param now wall-clock milliseconds, when the server does not tell its own time
 */
export function readAccessToken({ json, serverTime }: HttpAnswer, now: number): AccessToken | undefined {
  const { access_token: value, expires_in: seconds, expiration } = (json ?? {}) as Record<string, unknown>;
  if (typeof value !== 'string' || !BEARER.test(value)) return undefined;
  const lifetime = isPositive(seconds)
    ? seconds * 1000
    : isPositive(expiration)
      ? expiration * 1000 - (serverTime ?? now)
      : undefined;
  if (lifetime === undefined) return undefined;
  return { value: new Redacted(value), accountId: accountOf(value), lifetime };
}

/** The claim `account.bss`. */
function accountOf(token: string): string | undefined {
  const account = claimsOf(token)?.account as { bss?: unknown } | null | undefined;
  const bss = account?.bss;
  return typeof bss === 'string' && ACCOUNT_ID.test(bss) ? bss : undefined;
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value);
}

/**
 * The account to work in.
 * @param configured by the RegistryAccount
 * @param granted the one that the API key belongs to
 * @throws RegistryError InvalidRequest when neither is known
 */
export function accountIdOf(configured: string | undefined, granted: string | undefined): string {
  const id = configured ?? granted;
  if (id !== undefined) return id;
  throw new RegistryError(
    'InvalidRequest',
    'the access token does not name an account: set accountId in the spec of the account',
  );
}
