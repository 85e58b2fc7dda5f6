import { asObject, type JsonObject } from './json.ts';
import { namespaces } from './kinds/namespace.ts';
import type { ResourceType } from './resource-type.ts';
import { forbiddenFor, notFound } from './status-error.ts';
import type { Store } from './store.ts';

/** Namespaces that are there from the start and cannot be deleted. */
export const PERMANENT_NAMESPACES = ['default', 'kube-system', 'kube-public'];

/**
 * Checks that a namespace can take a new object.
 * @throws StatusError 404 when it does not exist, 403 with cause NamespaceTerminating when it is going away
 */
export function requireNamespace(store: Store, namespace: string, type: ResourceType, name: string): void {
  const found: JsonObject | undefined = store.get(namespaces.collection, namespace);
  if (!found) throw notFound(namespaces, namespace);
  if (asObject(found.metadata).deletionTimestamp === undefined) return;
  throw forbiddenFor(
    type,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  );
}
