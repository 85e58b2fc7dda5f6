import type { KubeObject, Resource } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';

export interface Addition {
  /** JSON pointer; what stands there is replaced. */
  path: string;
  value: unknown;
}

/**
 * Sets parts of an object, provided it is still the version given. A merge patch could not do this: it merges where a
 * status has to be replaced as a whole. The version is set, not tested: so a later one is told as a conflict.
 * @throws KubeError a conflict, when the object has changed since
 */
export function guardedPatch<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  additions: readonly Addition[],
  options: { subresource?: 'status'; signal: AbortSignal },
): Promise<T> {
  const { namespace, name, resourceVersion } = object.metadata;
  const operations = [{ path: '/metadata/resourceVersion', value: resourceVersion }, ...additions].map(
    ({ path, value }) => ({ op: 'add' as const, path, value }),
  );
  return client.jsonPatch<T>(resource, { namespace, name }, operations, options);
}
