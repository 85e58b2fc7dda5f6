import { withCondition, type ConditionUpdate } from '../../api/conditions.ts';
import type { RegistryAccountStatus } from '../../api/registry-account.ts';
import { toTime } from '../../api/syntax/time.ts';
import { isSameToken } from '../lifecycle/place.ts';
import type { RetainedToken } from './retained.ts';
import { MAX_SCOPES } from './searched-scopes.ts';

/** What the looks at the places of one account came to. */
export interface SweepReport {
  orphans: number;
  /** What is to be said of tokens that are unknown here; undefined: there are none. */
  conflict: Omit<ConditionUpdate, 'type'> | undefined;
  /** When the last place was looked at completely, milliseconds since 1970; undefined: not all were yet. */
  sweptAt: number | undefined;
  /** Tokens kept on purpose that the registry no longer has. */
  goneRetained: readonly RetainedToken[];
  /** @returns the scopes to name. @param named those that the status names */
  scopes: (named: readonly string[]) => string[];
}

/** The status of an account after a sweep. @param now milliseconds since 1970 */
export function withSweep(
  { retainedTokens = [], scopes = [], ...rest }: RegistryAccountStatus,
  report: SweepReport,
  now: number,
): RegistryAccountStatus {
  const { orphans, conflict, sweptAt, goneRetained } = report;
  const kept = retainedTokens.filter((token) => !goneRetained.some((gone) => isSameToken(gone, token)));
  const left = report.scopes(scopes);
  return {
    ...withCondition(rest, 'ClusterIdConflict', conflict, toTime(now)),
    orphans,
    ...(sweptAt === undefined ? {} : { lastSweepTime: toTime(sweptAt) }),
    ...(kept.length > 0 ? { retainedTokens: kept } : {}),
    ...(left.length > 0 ? { scopes: left.slice(0, MAX_SCOPES).sort() } : {}),
  };
}

/** The status of an account that is now one of another registry, where nothing is swept. Where tokens are left of before stays. */
export function withoutSweep(status: RegistryAccountStatus, now: number): RegistryAccountStatus {
  const { orphans: _, lastSweepTime: __, ...rest } = status;
  return withCondition(rest, 'ClusterIdConflict', undefined, toTime(now));
}
