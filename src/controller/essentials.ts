import { LINKS_ANNOTATION, OWNER_UID_LABEL, ROTATE_ANNOTATION, TOKEN_ID_ANNOTATION } from '../api/names.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { KubeObject, ObjectMeta } from '../common/objects.ts';
import { rotateValue } from '../token/rotate-now.ts';

// What the watches keep of the labels and annotations of objects that tenants write: all that the operator ever looks at.
// Kubernetes takes 256 KiB of annotations for each object, and a tenant could fill the operator's memory with them.

type Marks = Pick<ObjectMeta, 'labels' | 'annotations'>;

export function essentialToken(token: RegistryToken): RegistryToken {
  const rotate = rotateValue(token);
  return withMarks(token, rotate === undefined ? {} : { annotations: { [ROTATE_ANNOTATION]: rotate } });
}

export function essentialSecret<T extends KubeObject>(secret: T): T {
  return withMarks(secret, {
    labels: only(secret.metadata.labels, OWNER_UID_LABEL),
    annotations: only(secret.metadata.annotations, TOKEN_ID_ANNOTATION),
  });
}

export function essentialServiceAccount<T extends KubeObject>(account: T): T {
  return withMarks(account, { annotations: only(account.metadata.annotations, LINKS_ANNOTATION) });
}

export function essentialNamespace<T extends KubeObject>(namespace: T): T {
  const { labels } = namespace.metadata;
  return withMarks(namespace, labels === undefined ? {} : { labels });
}

function withMarks<T extends KubeObject>(object: T, marks: Marks): T {
  const { labels: _, annotations: __, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...marks } };
}

function only(marks: Record<string, string> | undefined, key: string): Record<string, string> {
  const value = marks?.[key];
  return value === undefined ? {} : { [key]: value };
}
