import type { ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { matchesSelector } from '../../api/syntax/label-selector.ts';
import type { KubeObject } from '../../common/objects.ts';
import { isAsWanted, isChild, wantedChild } from './child.ts';

/** What a ClusterRegistryToken is to do in one namespace. */
export type ChildAction =
  /** Nothing: it is as it is to be, or others have to act first. */
  | 'none'
  | 'create'
  | 'repair'
  | 'remove'
  /** Nothing: a RegistryToken of that name is there that is somebody else's. */
  | 'inTheWay';

/** What is known of one namespace. */
export interface ChildSituation {
  parent: ClusterRegistryToken;
  /** undefined: there is no such namespace. */
  namespace: KubeObject | undefined;
  /** The RegistryToken of the parent's name in it. */
  token: RegistryToken | undefined;
}

/** Whether a namespace is to have a RegistryToken. One that is being deleted takes nothing new, and loses what it has by itself. */
export function isMatching({ spec }: ClusterRegistryToken, namespace: KubeObject | undefined): boolean {
  if (!namespace || namespace.metadata.deletionTimestamp !== undefined) return false;
  return matchesSelector(spec.namespaceSelector, namespace.metadata.labels ?? {});
}

export function decideChild({ parent, namespace, token }: ChildSituation): ChildAction {
  const isGoing = parent.metadata.deletionTimestamp !== undefined;
  const wanted = !isGoing && isMatching(parent, namespace);
  if (!token) return wanted ? 'create' : 'none';
  if (!isChild(token)) return wanted ? 'inTheWay' : 'none';
  const isLeft = !namespace || namespace.metadata.deletionTimestamp !== undefined;
  // What is being deleted is waited for. Its name is free then.
  if (token.metadata.deletionTimestamp !== undefined || isLeft) return 'none';
  if (!wanted) return 'remove';
  return isAsWanted(token, wantedChild(parent)) ? 'none' : 'repair';
}
