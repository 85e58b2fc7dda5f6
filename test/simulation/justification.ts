import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { parseDuration } from '../../src/api/syntax/duration.ts';
import { deathOf, type Mint, type MintBook } from './mint-book.ts';

/** What a decision to create a token is judged by. */
export interface Grounds {
  token: RegistryToken;
  account: RegistryAccount | undefined;
  mints: MintBook;
  /** By the registry's clock, milliseconds since 1970. */
  now: number;
  /** How far the operator's clock may be off. */
  tolerance: number;
  /** The account's regions were edited a moment ago. */
  wasEdited: boolean;
}

/**
 * Judges why a token is about to be created, by rules of its own: without a ground that shows in the RegistryToken, its
 * account or the registry, nothing may be created.
 * @returns what is wrong
 */
export function judge(grounds: Grounds): string | undefined {
  const { token } = grounds;
  const { status = {}, metadata } = token;
  const { mintIntent: intent, token: record } = status;
  if (!intent) return undefined;
  const mint = grounds.mints.get(record?.id);
  const ground = intent.reason;
  const wrong = (why: string): string => `revision ${intent.revision} is created for ${ground}, but ${why}`;
  if (!metadata.finalizers?.includes('pullsecrets.dev/revoke')) return wrong('there is no finalizer');
  switch (ground) {
    case 'FirstIssue':
      return record ? wrong('a token is in force') : undefined;
    case 'SpecChanged':
      return mint && sameToken(token, mint) ? wrong('what is asked for is what there is') : undefined;
    case 'PlaceChanged': {
      const region = grounds.account?.spec.regions?.find(({ name }) => name === record?.region);
      const isThere = region?.endpoint === record?.place.endpoint;
      return isThere && !grounds.wasEdited ? wrong('its place is what it was') : undefined;
    }
    case 'RotationRequested':
      return metadata.annotations?.['pullsecrets.dev/rotate'] === status.lastHandledRotate
        ? wrong('nobody asked for it')
        : undefined;
    case 'AccountRotation':
      return (grounds.account?.spec.rotation?.requestedAt ?? '') === ''
        ? wrong('nobody asked for it')
        : undefined;
    case 'TokenLost':
      return mint && deathOf(mint) > grounds.now ? wrong('the token in force lives') : undefined;
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

function sameToken({ spec, status }: RegistryToken, mint: Mint): boolean {
  return (
    mint.access === (spec.access ?? 'ReadOnly') &&
    status?.token?.region === (spec.region ?? 'us-south') &&
    (mint.expiresAt === null) === (spec.lifetime === 'Never') &&
    status?.token?.account === (spec.accountRef?.name ?? 'default')
  );
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
  const life = Date.parse(record.expiresAt) - issued;
  const margin = Math.max(parseDuration(spec.rotation?.renewBefore ?? '') ?? 0, life / 3);
  return issued + 0.9 * Math.max(0, life - margin);
}
