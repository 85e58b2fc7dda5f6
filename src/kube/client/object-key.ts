import type { ObjectName } from '../../common/objects.ts';

/** `namespace/name`, or `name` for cluster-scoped objects: the key of stores and queues (client-go's MetaNamespaceKeyFunc). */
export function objectKey({ namespace, name }: ObjectName): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** The name behind a key; names hold no slash. */
export function parseObjectKey(key: string): ObjectName {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
