/**
 * One operation of a JSON patch (RFC 6902). A `test` that fails makes the API server refuse the whole patch with 422; a
 * `metadata.resourceVersion` that is no longer the object's, with 409. Nothing else guards: `replace` adds what is not there.
 */
export type JsonPatchOperation =
  { op: 'add' | 'test'; path: string; value: unknown } | { op: 'remove'; path: string };

/** A JSON pointer (RFC 6901) to the field reached by these names and indexes. */
export function jsonPointer(...segments: (string | number)[]): string {
  return segments
    .map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
