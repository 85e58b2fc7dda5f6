import { asObject, asText, type JsonObject } from './json.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write, as watches see it. */
export interface Change {
  revision: number;
  type: ChangeType;
  /** Key of the collection, the same for every view of it. */
  collection: string;
  /** The object after the write; for DELETED its last state under the revision of the deletion. */
  object: JsonObject;
  previous: JsonObject | undefined;
  /** Monotonic milliseconds. */
  at: number;
}

/** The key of an object in its collection; its order is that of lists. */
export function objectKey(namespace: string, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

export function keyOf(object: JsonObject): string {
  const { namespace, name } = asObject(object.metadata);
  return objectKey(asText(namespace), asText(name));
}
