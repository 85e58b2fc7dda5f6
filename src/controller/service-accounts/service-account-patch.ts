import { isDeepStrictEqual } from 'node:util';
import { LINKS_ANNOTATION } from '../../api/names.ts';
import { jsonPointer, type JsonPatchOperation } from '../../kube/client/json-patch.ts';
import { recordText, type Links, type ServiceAccount } from '../../token/workloads/service-accounts.ts';

const LIST = jsonPointer('imagePullSecrets');
const ANNOTATION = jsonPointer('metadata', 'annotations', LINKS_ANNOTATION);

/**
 * The patch that makes a ServiceAccount's pull secrets so; empty when they are. The list is atomic, and others write it:
 * each part that is replaced is tested to be what was read, and where there was none, the object to be unchanged, since no
 * server takes a test for absence the same way.
 */
export function linkPatch(account: ServiceAccount, { entries, record }: Links): JsonPatchOperation[] {
  const { uid, resourceVersion, annotations } = account.metadata;
  const list = account.imagePullSecrets;
  const text = annotations?.[LINKS_ANNOTATION];
  const next = Object.keys(record).length === 0 ? undefined : recordText(uid, record);
  const changes: JsonPatchOperation[] = [];
  let isNew = false;
  if (!isDeepStrictEqual(entries, list ?? [])) {
    if (list) changes.push({ op: 'test', path: LIST, value: list });
    else isNew = true;
    changes.push(
      entries.length === 0 ? { op: 'remove', path: LIST } : { op: 'add', path: LIST, value: entries },
    );
  }
  if (next !== text) {
    if (text !== undefined) changes.push({ op: 'test', path: ANNOTATION, value: text });
    else isNew = true;
    if (next === undefined) changes.push({ op: 'remove', path: ANNOTATION });
    else if (annotations) changes.push({ op: 'add', path: ANNOTATION, value: next });
    else
      changes.push({
        op: 'add',
        path: jsonPointer('metadata', 'annotations'),
        value: { [LINKS_ANNOTATION]: next },
      });
  }
  if (changes.length === 0) return [];
  const guard: JsonPatchOperation[] = isNew
    ? [{ op: 'test', path: jsonPointer('metadata', 'resourceVersion'), value: resourceVersion }]
    : [];
  return [{ op: 'test', path: jsonPointer('metadata', 'uid'), value: uid }, ...guard, ...changes];
}
