import { shorten } from './text.ts';

/** Condition types, compatible with kstatus: Reconciling and Stalled are there only while they are true. */
export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled' | 'RevocationPending';

/** Every reason a condition, a log line or an event of the operator can carry. */
export type Reason =
  // It works.
  | 'Issued'
  | 'Suspended'
  | 'CredentialsAccepted'
  // Work is under way.
  | 'Issuing'
  | 'Rotating'
  | 'Repairing'
  | 'Verifying'
  | 'MintUnconfirmed'
  | 'GracePeriod'
  | 'RevocationFailed'
  // The request can't be met as it stands.
  | 'InvalidSpec'
  | 'AccountNotFound'
  | 'AccountNotReady'
  | 'RegionUnknown'
  | 'NamespaceNotAllowed'
  | 'AccessNotAllowed'
  | 'LifetimeNotAllowed'
  | 'LifetimeNotOffered'
  | 'NamespaceTerminating'
  | 'SecretConflict'
  | 'SecretContested'
  | 'SecretNotWritten'
  | 'MintBudgetExceeded'
  | 'TokenExpired'
  | 'ClockSkew'
  // Credentials of an account.
  | 'CredentialsNotFound'
  | 'CredentialsInvalid'
  // The registry said no, or nothing.
  | 'RegistryUnauthorized'
  | 'RegistryForbidden'
  | 'RegistryNotFound'
  | 'RegistryConflict'
  | 'RegistryQuotaExceeded'
  | 'RegistryRateLimited'
  | 'RegistryDiscontinued'
  | 'RegistryRefused'
  | 'TokenRefused'
  | 'RegistryUnavailable';

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

export interface ConditionUpdate {
  type: ConditionType;
  status: 'True' | 'False';
  reason: Reason;
  message: string;
}

const LONGEST_MESSAGE = 1024;

/**
 * The list of conditions after an update: exactly those of `updates`, each keeping its transition time while its status
 * stays the same.
 * @param now RFC 3339
 */
export function updateConditions(
  previous: readonly Condition[] | undefined,
  updates: readonly ConditionUpdate[],
  generation: number,
  now: string,
): Condition[] {
  return updates.map(({ type, status, reason, message }) => {
    const before = previous?.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
      reason,
      message: shorten(message, LONGEST_MESSAGE),
    };
  });
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: ConditionType,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
