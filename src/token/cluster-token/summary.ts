import { findCondition, type ConditionUpdate } from '../../api/conditions.ts';
import type { ClusterRegistryToken, ClusterRegistryTokenStatus } from '../../api/cluster-registry-token.ts';
import { isTrouble, type Reason } from '../../api/reasons.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';

/** How the RegistryToken of one namespace is. */
export type ChildState =
  | { state: 'ready' }
  /** There is none yet, or it is being worked on. */
  | { state: 'waiting' }
  | { state: 'failed'; reason: string; message: string };

/** A RegistryToken of that name is there that is somebody else's. */
export const IN_THE_WAY: ChildState = {
  state: 'failed',
  reason: 'InTheWay',
  message:
    'a RegistryToken of that name is there that was not made for it; delete that one, or choose another name for the ClusterRegistryToken',
};

/** What a status says of all the namespaces. */
export type Summary = Required<Pick<ClusterRegistryTokenStatus, 'namespaces' | 'failures'>>;

/** As many as the CRD takes. */
export const MAX_FAILURES = 10;
const MAX_REASON = 256;
const MAX_MESSAGE = 256;
/** Namespaces named in a condition. */
const MAX_NAMED = 3;

/** What a RegistryToken says of itself, for its present generation. */
export function childState({ metadata, status }: RegistryToken): ChildState {
  const ready = findCondition(status?.conditions, 'Ready');
  if (metadata.deletionTimestamp !== undefined || !ready) return { state: 'waiting' };
  if (ready.observedGeneration !== metadata.generation) return { state: 'waiting' };
  if (ready.status === 'True') return { state: 'ready' };
  const { reason, message } = ready;
  return isTrouble(reason) ? { state: 'failed', reason, message } : { state: 'waiting' };
}

/** Counts namespaces, and names the first that failed. @param states of each namespace, by name */
export function summarize(states: ReadonlyMap<string, ChildState>): Summary {
  const all = [...states];
  const failures = all.flatMap(([namespace, each]) =>
    each.state === 'failed'
      ? [
          {
            namespace,
            reason: shorten(each.reason, MAX_REASON),
            // A time at which it is tried again would change the status of all for one.
            message: shorten(each.message.replace(/; will retry at \S+/g, ''), MAX_MESSAGE),
          },
        ]
      : [],
  );
  return {
    namespaces: {
      matching: all.length,
      ready: all.filter(([, { state }]) => state === 'ready').length,
      failed: failures.length,
    },
    failures: failures.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1)).slice(0, MAX_FAILURES),
  };
}

/** What there is to tell of a ClusterRegistryToken besides its namespaces. */
export interface Circumstances {
  /** What is wrong with its spec. */
  fault?: string | undefined;
  /** What else there is to say, such as that the registry has no room for all. */
  remark?: string | undefined;
  /** While it is being deleted, the namespaces that still have its RegistryToken. */
  left?: readonly string[];
}

/** The conditions of a ClusterRegistryToken. */
export function conditionsOf(
  parent: ClusterRegistryToken,
  { namespaces, failures }: Summary,
  { fault, remark, left = [] }: Circumstances,
): ConditionUpdate[] {
  const { matching, ready, failed } = namespaces;
  const [first] = failures;
  if (parent.metadata.deletionTimestamp !== undefined) {
    const obstacle = first ? `; ${first.namespace}: ${first.message}` : '';
    return unready('Reconciling', 'Deleting', `${plural(matching)} left in ${someOf(left)}${obstacle}`);
  }
  if (fault !== undefined) return unready('Stalled', 'InvalidSpec', fault);
  const told = (message: string): string => (remark === undefined ? message : `${message}; ${remark}`);
  if (failed > 0) {
    const where = someOf(
      failures.map(({ namespace }) => namespace),
      failed,
    );
    const message = `${ready} of ${plural(matching)} are ready; failed in ${where}: ${first?.reason}, ${first?.message}`;
    return unready('Reconciling', 'NamespacesFailed', told(message));
  }
  if (ready < matching) {
    const message = `${ready} of ${plural(matching)} are ready`;
    if (parent.spec.template.spec?.suspend !== true) return unready('Reconciling', 'Issuing', told(message));
    return [{ type: 'Ready', status: 'False', reason: 'Suspended', message: told(message) }];
  }
  const some =
    matching === 1 ? 'the RegistryToken of 1 namespace is ready' : `all ${plural(matching)} are ready`;
  const message = matching === 0 ? 'no namespace matches spec.namespaceSelector' : some;
  return [{ type: 'Ready', status: 'True', reason: 'AllReady', message: told(message) }];
}

/** Names the first of so many namespaces. */
function someOf(namespaces: readonly string[], count: number = namespaces.length): string {
  const named = namespaces.toSorted().slice(0, MAX_NAMED);
  return `${named.join(', ')}${count > named.length ? ` and ${count - named.length} more` : ''}`;
}

const plural = (count: number): string => (count === 1 ? '1 RegistryToken' : `${count} RegistryTokens`);

function unready(type: 'Reconciling' | 'Stalled', reason: Reason, message: string): ConditionUpdate[] {
  return [
    { type: 'Ready', status: 'False', reason, message },
    { type, status: 'True', reason, message },
  ];
}
