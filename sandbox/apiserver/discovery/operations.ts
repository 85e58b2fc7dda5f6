import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';

/** The verbs of one path with what clients look for: which kind it is about, and which query parameters it takes. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  action: string;
  parameters: string[];
  body: 'none' | 'object' | 'patch';
}

const WRITING = ['dryRun', 'fieldManager', 'fieldValidation'];
const LISTING = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'timeoutSeconds',
  'watch',
];

const ON_COLLECTION: Operation[] = [
  { method: 'get', action: 'list', parameters: LISTING, body: 'none' },
  { method: 'post', action: 'post', parameters: WRITING, body: 'object' },
  {
    method: 'delete',
    action: 'deletecollection',
    parameters: ['dryRun', 'propagationPolicy', ...LISTING],
    body: 'none',
  },
];
const ON_OBJECT: Operation[] = [
  { method: 'get', action: 'get', parameters: [], body: 'none' },
  { method: 'put', action: 'put', parameters: WRITING, body: 'object' },
  { method: 'patch', action: 'patch', parameters: [...WRITING, 'force'], body: 'patch' },
  {
    method: 'delete',
    action: 'delete',
    parameters: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'],
    body: 'none',
  },
];

/** The paths of a resource and what can be done there. */
export function pathsOf(type: ResourceType): [path: string, operations: Operation[]][] {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  const collection = `${root}${type.namespaced ? '/namespaces/{namespace}' : ''}/${type.plural}`;
  const object = `${collection}/{name}`;
  return [
    [collection, ON_COLLECTION],
    [object, ON_OBJECT],
    ...(type.hasStatus
      ? ([[`${object}/status`, ON_OBJECT.filter(({ method }) => method !== 'delete')]] as [
          string,
          Operation[],
        ][])
      : []),
  ];
}

export function kindOf(type: ResourceType): JsonObject {
  return { group: type.group, version: type.version, kind: type.kind };
}
