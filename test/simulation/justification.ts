import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { RegistryToken, TokenRecord } from '../../src/api/registry-token.ts';
import { parseDuration } from '../../src/api/syntax/duration.ts';
import type { AccountEdits } from './places.ts';
import { placesOf } from './registries/places.ts';
import type { Provider } from './registries/provider.ts';
import { DEFAULT_REGION } from './registries/regions.ts';
import { deathOf, type KnownToken } from './mint-book.ts';

/** Milliseconds by which a token that lives as long as was asked can live longer, or seem to. */
const ROUNDING = 90_000;

/** What a decision to create a token is judged by. */
export interface Grounds {
  token: RegistryToken;
  account: RegistryAccount | undefined;
  /** The registry of its account. */
  provider: Provider;
  /** What is known of the token in force. */
  inForce: KnownToken | undefined;
  /** Whether the operator can have the value of the token in force from a Secret. */
  isHeld: boolean;
  /** By the registry's clock, milliseconds since 1970. */
  now: number;
  /** How far the operator's clock may be off. */
  tolerance: number;
  edits: AccountEdits;
}

/**
 * Judges why a token is about to be created, by rules of its own: without a ground that shows in the RegistryToken, its
 * account or the registry, nothing may be created.
 * @returns what is wrong
 */
export function judge(grounds: Grounds): string | undefined {
  const { token, inForce } = grounds;
  const { status = {}, metadata } = token;
  const { mintIntent: intent, token: record } = status;
  if (!intent) return undefined;
  const ground = intent.reason;
  const wrong = (why: string): string => `revision ${intent.revision} is created for ${ground}, but ${why}`;
  if (!metadata.finalizers?.includes('pullsecrets.dev/revoke')) return wrong('there is no finalizer');
  switch (ground) {
    case 'FirstIssue':
      return record ? wrong('a token is in force') : undefined;
    case 'SpecChanged':
      return inForce && sameToken(grounds, inForce) ? wrong('what is asked for is what there is') : undefined;
    case 'PlaceChanged': {
      const places = grounds.account ? placesOf(grounds.account.spec) : [];
      const region = places.find((place) => place.region === record?.region);
      const isThere = region?.endpoint === record?.place.endpoint;
      return isThere && !grounds.edits.regions ? wrong('its place is what it was') : undefined;
    }
    case 'RotationRequested':
      return metadata.annotations?.['pullsecrets.dev/rotate'] === status.lastHandledRotate
        ? wrong('nobody asked for it')
        : undefined;
    case 'AccountRotation':
      return (grounds.account?.spec.rotation?.requestedAt ?? '') === '' && !grounds.edits.rotation
        ? wrong('nobody asked for it')
        : undefined;
    case 'TokenLost': {
      const isLost = !grounds.provider.readsBack && !grounds.isHeld;
      return inForce && deathOf(inForce) > grounds.now && !isLost
        ? wrong('the token in force lives')
        : undefined;
    }
    case 'TokenExpired':
      return deathTime(record?.expiresAt) > grounds.now + grounds.tolerance
        ? wrong(`the token in force expires at ${record?.expiresAt}`)
        : undefined;
    case 'RenewalDue':
    case 'RotationDue':
      return earliestRotation(token) > grounds.now + grounds.tolerance ? wrong('it is too early') : undefined;
    default:
      return wrong('there is no such reason');
  }
}

function sameToken({ token: { spec, status }, provider }: Grounds, inForce: KnownToken): boolean {
  return (
    inForce.access === (spec.access ?? 'ReadOnly') &&
    inForce.scope.join() === [...(spec.scope ?? [])].sort().join() &&
    status?.token?.region === (spec.region ?? (provider.hasRegions ? DEFAULT_REGION : '')) &&
    status.token.account === (spec.accountRef?.name ?? 'default') &&
    sameLifetime(spec.lifetime, status.token, inForce, provider)
  );
}

function sameLifetime(
  asked: string | undefined,
  { lifetime, issuedAt }: TokenRecord,
  { expiresAt }: KnownToken,
  { sessions }: Provider,
): boolean {
  // What is left of one that others had before says nothing of what was asked.
  if (sessions !== undefined) {
    const inUse = (text: string | undefined): number =>
      Math.min(parseDuration(text ?? '') ?? Infinity, sessions);
    return inUse(asked) === inUse(lifetime);
  }
  if (expiresAt === null || asked === 'Never') return expiresAt === null && asked === 'Never';
  const inUse = parseDuration(lifetime ?? '') ?? expiresAt - Date.parse(issuedAt);
  const wanted = parseDuration(asked ?? '24h') ?? 0;
  return Math.abs(inUse - wanted) <= ROUNDING;
}

const deathTime = (expiresAt: string | undefined): number =>
  expiresAt === undefined ? Infinity : Date.parse(expiresAt);

/** A twentieth may be taken off for jitter; a tenth is allowed. */
function earliestRotation({ spec, status }: RegistryToken): number {
  const record = status?.token;
  if (!record) return Infinity;
  const issued = Date.parse(record.issuedAt);
  const every = parseDuration(spec.rotation?.rotateEvery ?? '');
  if (record.expiresAt === undefined) return issued + 0.9 * (every ?? Infinity);
  const inUse = parseDuration(record.lifetime ?? '') ?? Infinity;
  const life = Math.min(Date.parse(record.expiresAt) - issued, inUse);
  const margin = Math.max(parseDuration(spec.rotation?.renewBefore ?? '') ?? 0, life / 3);
  return issued + 0.9 * Math.max(0, life - margin);
}
