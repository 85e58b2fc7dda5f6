import type {
  MintIntent,
  PreviousToken,
  RegistryToken,
  TokenRecord,
  TokenSpec,
} from '../../api/registry-token.ts';
import { formatDuration } from '../../api/syntax/duration.ts';
import { shorten } from '../../api/syntax/text.ts';
import { fromTime, toTime } from '../../api/syntax/time.ts';
import type { Decision } from '../decide/decision.ts';
import type { Wanted } from '../decide/eligibility.ts';
import { rotateValue } from '../decide/rotate-now.ts';
import { registryTime, type Moment } from './clock-skew.ts';

/** What is asked of a registry. Its revision and when it was asked are the status's to say. */
export type TokenRequest = Omit<MintIntent, 'revision' | 'startedAt' | 'phase' | 'nonce'>;

/** A token of a RegistryToken that its status does not know of. */
export type Stray = Omit<PreviousToken, 'revokeAt'>;

const MAX_DOUBT = 1024;

/** What a status says of a request for the token that is wanted. */
export function requestOf(
  token: RegistryToken,
  { access }: Pick<TokenSpec, 'access'>,
  { account, region, scope, specHash, accountRotation }: Wanted,
  { place, reason }: Extract<Decision, { action: 'mint' }>,
): TokenRequest {
  const rotate = rotateValue(token);
  return {
    account,
    region,
    place,
    access,
    ...(scope.length > 0 && { scope: [...scope] }),
    specHash,
    reason,
    ...(rotate !== undefined && { rotate }),
    ...(accountRotation !== '' && { accountRotation }),
  };
}

/**
 * What a status says of the token in force. Its expiry: milliseconds since 1970, null when it never expires.
 * @param issuedAt by the registry's clock, as its expiry is: between them lies the token's life. Milliseconds since 1970
 * @param doubt why nobody knows whether the registry accepts it
 */
export function recordOf(
  { access, scope, revision, specHash, account, region, place }: MintIntent,
  { id, expiresAt }: { id: string; expiresAt: number | null },
  { issue, lifetime, given }: Pick<Wanted, 'issue' | 'lifetime' | 'given'>,
  issuedAt: number,
  doubt: string | undefined,
): TokenRecord {
  // How long it is to be in use, where the registry lets it live longer.
  const inUse = lifetime === 'Never' || lifetime === given ? undefined : formatDuration(lifetime);
  return {
    id,
    access,
    ...(scope && { scope }),
    ...(inUse !== undefined && { lifetime: inUse }),
    issuedAt: toTime(issuedAt),
    ...expiryField(expiresAt),
    revision,
    specHash,
    account,
    region,
    place,
    ...(issue === 'exchanged' && { revocable: false }),
    ...(doubt !== undefined && { unverified: shorten(doubt, MAX_DOUBT) }),
  };
}

/** Which token a Secret has now, and how long; what is left of the token before, where nobody can revoke that. @param now milliseconds since 1970 */
export function describeIssued(
  { id, access, expiresAt }: TokenRecord,
  before: TokenRecord | undefined,
  now: number,
): string {
  const expiry = expiresAt === undefined ? 'never expires' : `expires at ${expiresAt}`;
  const lives = before?.revocable === false && (fromTime(before.expiresAt) ?? 0) > now;
  const rest = lives ? `; the registry can't revoke the one before, which ends at ${before.expiresAt}` : '';
  return `${access} token ${id} that ${expiry}${rest}`;
}

/**
 * A token that came of an intent, as one that is to be revoked. When it was issued is known by the intent only, whose time is this
 * machine's.
 * @param moment by which that is told by the registry's clock; undefined: it is left out
 */
export function strayOf(
  { revision, account, region, place, specHash, scope, startedAt }: MintIntent,
  { id, expiresAt = null }: { id: string; expiresAt?: number | null },
  moment?: Moment,
): Stray {
  const started = fromTime(startedAt);
  const where = { account, region, place };
  return {
    id,
    revision,
    specHash,
    ...(scope && { scope }),
    ...where,
    ...(moment && started !== undefined && { issuedAt: toTime(registryTime(started, moment)) }),
    ...expiryField(expiresAt),
  };
}

function expiryField(expiresAt: number | null): { expiresAt?: string } {
  return expiresAt === null ? {} : { expiresAt: toTime(expiresAt) };
}
