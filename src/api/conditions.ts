import type { Reason } from './reasons.ts';
import { shorten } from './syntax/text.ts';

/** Condition types, compatible with kstatus: all but Ready are there only while they are true. */
const CONDITION_TYPES = ['Ready', 'Reconciling', 'Stalled', 'RevocationPending'] as const;
/** ClusterIdConflict is the sweep's, beside what the controller of an account says of it. */
export type ConditionType = (typeof CONDITION_TYPES)[number] | 'ClusterIdConflict';

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

const MAX_MESSAGE = 1024;
/** As many as the CRDs' schemas take; conditions of others beyond that are dropped. */
const MAX_CONDITIONS = 32;

/** What a status has in common, whatever the kind of its object. */
interface ConditionedStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  reason?: string;
}

/**
 * A status with its conditions brought up to date for the object's present generation. Conditions are what others are told:
 * nothing in the operator decides by them, so they are read here and nowhere else (see scripts/house-rules.ts).
 * @param object as stored
 * @param status as it is to become, but for its conditions
 * @param now RFC 3339
 */
export function withConditions<S extends ConditionedStatus>(
  object: { metadata: { generation?: number }; status?: S },
  status: S,
  updates: readonly ConditionUpdate[],
  now: string,
): S {
  const { generation = 0 } = object.metadata;
  const reason = mostImportant(updates)?.reason;
  return {
    ...status,
    observedGeneration: generation,
    ...(reason === undefined ? {} : { reason }),
    conditions: mergeConditions(object.status?.conditions, updates, generation, now),
  };
}

/**
 * A status with one condition that is not its controller's: there while it is true, and away otherwise.
 * @param now RFC 3339
 */
export function withCondition<S extends ConditionedStatus>(
  status: S,
  type: 'ClusterIdConflict',
  update: Omit<ConditionUpdate, 'type'> | undefined,
  now: string,
): S {
  const { conditions = [], ...rest } = status;
  const before = findCondition(conditions, type);
  if (!before && !update) return status;
  const others = conditions.filter((condition) => condition.type !== type);
  const condition = update && {
    ...update,
    type,
    lastTransitionTime: before?.status === update.status ? before.lastTransitionTime : now,
    message: shorten(update.message, MAX_MESSAGE),
  };
  return { ...rest, conditions: condition ? [...others, condition] : others } as S;
}

/**
 * The conditions of an object after an update: of the operator's own types those of `updates`, each keeping its transition time
 * while its status stays the same; of any other type those there were.
 * @param now RFC 3339
 */
export function mergeConditions(
  previous: readonly Condition[] = [],
  updates: readonly ConditionUpdate[],
  generation: number,
  now: string,
): Condition[] {
  const own = updates.map(({ type, status, reason, message }) => {
    const before = findCondition(previous, type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
      reason,
      message: shorten(message, MAX_MESSAGE),
    };
  });
  const ownTypes: readonly string[] = CONDITION_TYPES;
  return [...own, ...previous.filter(({ type }) => !ownTypes.includes(type))].slice(0, MAX_CONDITIONS);
}

/**
 * Of all there is to say the one thing to say first: what stands in the way, then that a token is alive that should not be, then
 * how things are.
 */
export function mostImportant(updates: readonly ConditionUpdate[]): ConditionUpdate | undefined {
  const of = (type: ConditionType): ConditionUpdate | undefined =>
    updates.find((update) => update.type === type);
  const ready = of('Ready');
  const pending = of('RevocationPending');
  const obstacle = of('Stalled') ?? of('Reconciling');
  if (obstacle) return obstacle;
  return ready?.reason === 'Issued' && pending?.reason === 'RevocationFailed' ? pending : ready;
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: ConditionType,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
