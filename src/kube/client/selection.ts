import type { KubeObject, Resource } from '../../common/objects.ts';
import { apiVersionOf } from './resources.ts';

/** Which objects of a resource to list or watch. */
export interface Selection {
  /** Absent: all namespaces. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Only apiVersion, kind and metadata; a fraction of the size. */
  metadataOnly?: boolean | undefined;
}

/** Query of a list or watch. */
export function selectionQuery({ labelSelector, fieldSelector }: Selection): Record<string, string> {
  return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
}

/**
 * `Accept` for an object, list or watch. A server that cannot give metadata alone gives whole objects.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function acceptFor(shape: 'object' | 'list', metadataOnly = false): string {
  if (!metadataOnly) return 'application/json';
  const kind = shape === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata';
  return `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;
}

/** The object under its own kind, which lists of built-in resources leave out and metadata-only answers replace. */
export function named<T extends KubeObject>(resource: Resource, object: T): T {
  object.apiVersion = apiVersionOf(resource);
  object.kind = resource.kind;
  return object;
}
