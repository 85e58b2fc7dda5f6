import { updateConditions, type ConditionUpdate } from '../api/conditions.ts';
import type { RegistryToken, RegistryTokenStatus } from '../api/registry-token.ts';
import { toTime } from '../api/time.ts';

/** A status with its conditions brought up to date for the object's present generation. @param now milliseconds since 1970 */
export function withConditions(
  token: RegistryToken,
  status: RegistryTokenStatus,
  updates: readonly ConditionUpdate[],
  now: number,
): RegistryTokenStatus {
  const generation = token.metadata.generation ?? 0;
  return {
    ...status,
    observedGeneration: generation,
    conditions: updateConditions(token.status?.conditions, updates, generation, toTime(now)),
  };
}
