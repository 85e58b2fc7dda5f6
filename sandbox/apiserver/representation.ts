import { asObject, without, type Json, type JsonObject } from './json.ts';
import type { ResourceType } from './resource-type.ts';
import { notAcceptable } from './status-error.ts';

/** How a client wants objects: whole, only their metadata, or as rows of a table. */
export type Form = 'object' | 'metadata' | 'table';

export interface Representation {
  form: Form;
  /** How much of each object a table row carries. */
  include: 'None' | 'Metadata' | 'Object';
}

const ACCEPTED = ['application/json', 'application/yaml'];

interface MediaRange {
  type: string;
  parameters: Map<string, string>;
}

/** The parts of an Accept header in the order of preference. */
export function mediaRanges(accept: string): MediaRange[] {
  const ranges = accept.split(',').map((part) => {
    const [type = '', ...rest] = part.split(';').map((item) => item.trim());
    const parameters = new Map(
      rest.map((item) => item.split('=', 2)).map(([key = '', value = '']) => [key, value]),
    );
    return { type: type.toLowerCase(), parameters };
  });
  const quality = ({ parameters }: MediaRange): number => Number(parameters.get('q') ?? '1');
  return ranges.filter(({ type }) => type !== '').sort((left, right) => quality(right) - quality(left));
}

const isJson = (type: string): boolean => ['application/json', 'application/*', '*/*'].includes(type);

/** @throws StatusError 406 when nothing that the client accepts can be made */
export function negotiate(accept: string | undefined, query: URLSearchParams): Representation {
  const asked = query.get('includeObject') ?? '';
  const include = asked === 'None' || asked === 'Object' ? asked : 'Metadata';
  const ranges = mediaRanges(accept ?? '');
  if (ranges.length === 0) return { form: 'object', include };
  for (const { type, parameters } of ranges) {
    if (!isJson(type)) continue;
    const as = parameters.get('as');
    const version = parameters.get('v') ?? 'v1';
    const known = (parameters.get('g') ?? 'meta.k8s.io') === 'meta.k8s.io' && version === 'v1';
    if (as === undefined) return { form: 'object', include };
    if (known && as === 'Table') return { form: 'table', include };
    if (known && (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'))
      return { form: 'metadata', include };
  }
  throw notAcceptable(ACCEPTED);
}

const META = 'meta.k8s.io/v1';

export function partial(object: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: META, metadata: asObject(object.metadata) };
}

/** One object as the client wants it. A Status stays what it is. */
export function represent(
  type: ResourceType,
  object: JsonObject,
  { form, include }: Representation,
  now: number,
): JsonObject {
  if (form === 'metadata') return partial(object);
  if (form === 'table')
    return table(
      type,
      [object],
      { resourceVersion: asObject(object.metadata).resourceVersion ?? '' },
      include,
      now,
    );
  return object;
}

/** Several objects as a list, or as a table. Items of a list of built-in kinds do not repeat their kind. */
export function representList(
  type: ResourceType,
  items: readonly JsonObject[],
  metadata: JsonObject,
  { form, include }: Representation,
  now: number,
): JsonObject {
  if (form === 'table') return table(type, items, metadata, include, now);
  if (form === 'metadata')
    return { kind: 'PartialObjectMetadataList', apiVersion: META, metadata, items: items.map(partial) };
  const apiVersion = type.group ? `${type.group}/${type.version}` : type.version;
  const shown = type.custom ? [...items] : items.map((item) => without(item, 'kind', 'apiVersion'));
  return { kind: type.listKind, apiVersion, metadata, items: shown };
}

/** A meta.k8s.io/v1 Table. @param now milliseconds since 1970, for ages */
export function table(
  type: ResourceType,
  objects: readonly JsonObject[],
  metadata: JsonObject,
  include: Representation['include'],
  now: number,
): JsonObject {
  return {
    kind: 'Table',
    apiVersion: META,
    metadata,
    columnDefinitions: type.columns.map(({ name, type: cellType, format, description, priority }) => ({
      name,
      type: cellType,
      format: format ?? '',
      description,
      priority,
    })),
    rows: objects.map((object) => ({
      cells: type.columns.map(({ cell }): Json => cell(object, now)),
      ...(include !== 'None' && { object: include === 'Object' ? object : partial(object) }),
    })),
  };
}
