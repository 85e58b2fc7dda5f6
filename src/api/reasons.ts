/**
 * What a reason means for the object it is told of:
 * - `Settled`: nothing is to be done.
 * - `Progressing`: work is under way, or waits for nothing but time.
 * - `Retrying`: trouble that can end without a change of the object itself: the operator tries again, or looks again when
 *   something else changes.
 * - `Blocked`: trouble that lasts until the object itself is changed, or for a time that is set.
 */
type Kind = 'Settled' | 'Progressing' | 'Retrying' | 'Blocked';

/**
 * Every reason that a RegistryToken's status can have. docs/registrytokens.md tells what each means and what to do;
 * test/integration/reasons.test.ts provokes each.
 */
const TOKEN_REASONS = {
  Issued: 'Settled',
  Unverified: 'Settled',
  ClocksDiffer: 'Settled',
  Suspended: 'Settled',
  GracePeriod: 'Settled',
  RevocationFailed: 'Settled',

  Issuing: 'Progressing',
  Rotating: 'Progressing',
  Verifying: 'Progressing',
  NamespaceTerminating: 'Progressing',

  AccountNotFound: 'Retrying',
  AccountNotReady: 'Retrying',
  NamespaceNotAllowed: 'Retrying',
  RegionUnknown: 'Retrying',
  AccessNotAllowed: 'Retrying',
  LifetimeNotAllowed: 'Retrying',
  ScopeNotAllowed: 'Retrying',
  HostNotAccepted: 'Retrying',
  SecretConflict: 'Retrying',
  SecretContested: 'Retrying',
  SecretNotWritten: 'Retrying',
  ClockSkew: 'Retrying',
  MintUnconfirmed: 'Retrying',
  TokenRefused: 'Retrying',
  RegistryUnauthorized: 'Retrying',
  RegistryForbidden: 'Retrying',
  RegistryConflict: 'Retrying',
  RegistryQuotaExceeded: 'Retrying',
  RegistryRateLimited: 'Retrying',
  RegistryDiscontinued: 'Retrying',
  RegistryRefused: 'Retrying',
  RegistryUnavailable: 'Retrying',

  InvalidSpec: 'Blocked',
  LifetimeNotOffered: 'Blocked',
  ScopeNotOffered: 'Blocked',
  MintBudgetExceeded: 'Blocked',
  TokenExpired: 'Blocked',
} as const satisfies Record<string, Kind>;

export type TokenReason = keyof typeof TOKEN_REASONS;

/** Every reason that a RegistryAccount's status can have; docs/registryaccounts.md tells what each means. */
export type AccountReason =
  | 'CredentialsAccepted'
  | 'CredentialsNotFound'
  | 'CredentialsInvalid'
  | 'UnknownTokens'
  | 'LifetimeNotOffered'
  | Extract<TokenReason, `Registry${string}`>;

/**
 * Every reason that a ClusterRegistryToken's status can have; docs/clusterregistrytokens.md tells what each means. InTheWay, Contested
 * and NotWritten are of single namespaces.
 */
export type ClusterTokenReason =
  | 'AllReady'
  | 'NamespacesFailed'
  | 'Deleting'
  | 'InTheWay'
  | 'Contested'
  | 'NotWritten'
  | Extract<TokenReason, 'Issuing' | 'Suspended' | 'InvalidSpec'>;

/** Every reason a condition can have. */
export type Reason = TokenReason | AccountReason | ClusterTokenReason;

/** The reasons of `TokenReason`. */
export const tokenReasons = Object.keys(TOKEN_REASONS) as TokenReason[];

const kindOf = (reason: string): Kind | undefined =>
  Object.hasOwn(TOKEN_REASONS, reason) ? TOKEN_REASONS[reason as TokenReason] : undefined;

/** Whether it keeps a RegistryToken from its token. */
export function isTrouble(reason: string): boolean {
  return kindOf(reason) === 'Retrying' || kindOf(reason) === 'Blocked';
}

/** Whether nothing will happen by itself: kstatus calls such an object stalled. */
export function isStalled(reason: string): boolean {
  return kindOf(reason) === 'Blocked';
}

/** Whether it only tells that work is under way. */
export function isProgressing(reason: string): boolean {
  return kindOf(reason) === 'Progressing';
}
