/** One operation of a JSON patch (RFC 6902). A `test` that fails makes the API server refuse the whole patch with 422. */
export type JsonPatchOperation =
  { op: 'add' | 'replace' | 'test'; path: string; value: unknown } | { op: 'remove'; path: string };

/** A JSON pointer (RFC 6901) to the field reached by these names and indexes. */
export function jsonPointer(...segments: (string | number)[]): string {
  return segments
    .map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
