/** How far a deletion is. Times on a monotonic clock, in milliseconds. */
export interface DeletionProgress {
  /** When it became known. */
  noticedAt: number;
  /** When it was first worked on: later where many were deleted at once. */
  begunAt: number;
  /** Tries to release ServiceAccounts and to revoke that failed. */
  failedTries: number;
}

/**
 * What the registry gets to answer to the first try, since one that hangs is to be found out soon; and to any later one at
 * least, also when the deadline is near or past: waiting for its turn under the rate limit counts too.
 */
const MIN_TRY = 3_000;
/** Whose turn came late has this long at least, so that one passing failure is not the end of it. */
const LATE_COMER = 5_000;

/** When a RegistryToken waits no longer. @param limit milliseconds that a registry, or a ServiceAccount, may hold one */
export function deletionDeadline({ noticedAt, begunAt }: DeletionProgress, limit: number): number {
  return Math.max(noticedAt + limit, begunAt + Math.min(limit, LATE_COMER));
}

/** Milliseconds for the next try. @param left milliseconds until the deadline */
export function tryPatience({ failedTries }: DeletionProgress, left: number): number {
  return failedTries === 0 ? MIN_TRY : Math.max(left, MIN_TRY);
}
