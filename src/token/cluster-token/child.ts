import { isDeepStrictEqual } from 'node:util';
import type { ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import { API_VERSION, GROUP, ROTATE_ANNOTATION, TEMPLATE_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../api/registry-token.ts';
import type { OwnerReference } from '../../common/objects.ts';
import { readRecord, recordOf, recordText } from './template-record.ts';

/** What every RegistryToken of a ClusterRegistryToken is to say. */
export interface WantedChild {
  labels: Readonly<Record<string, string>>;
  /** Besides that for a rotation. */
  annotations: Readonly<Record<string, string>>;
  owner: OwnerReference;
  spec: RegistryTokenSpec;
  /** The rotation to pass on. */
  rotate: string | undefined;
}

const KIND = 'ClusterRegistryToken';
const wanted = new WeakMap<ClusterRegistryToken, WantedChild>();

/** What the RegistryTokens of a ClusterRegistryToken are to say, but for their namespace. */
export function wantedChild(parent: ClusterRegistryToken): WantedChild {
  const known = wanted.get(parent);
  if (known) return known;
  const { name, uid } = parent.metadata;
  const { metadata: { labels = {}, annotations = {} } = {}, spec = {} } = parent.spec.template;
  const record = recordOf(parent);
  const child: WantedChild = {
    labels,
    annotations: { ...annotations, [TEMPLATE_ANNOTATION]: recordText(record) },
    owner: { apiVersion: API_VERSION, kind: KIND, name, uid, controller: true, blockOwnerDeletion: true },
    spec,
    rotate: record.rotate,
  };
  wanted.set(parent, child);
  return child;
}

/**
 * Whether a RegistryToken is of the ClusterRegistryToken of its name, there can be only one of. By its controller, or, where
 * somebody or a backup took the owners away, by the record beside it.
 */
export function isChild({ metadata }: Pick<RegistryToken, 'metadata'>): boolean {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (!controller) return metadata.annotations?.[TEMPLATE_ANNOTATION] !== undefined;
  const { apiVersion, kind, name } = controller;
  return apiVersion.startsWith(`${GROUP}/`) && kind === KIND && name === metadata.name;
}

/** Whether a RegistryToken says what it is to say. Labels and annotations that others added are not looked at. */
export function isAsWanted({ metadata, spec }: RegistryToken, child: WantedChild): boolean {
  const { labels = {}, annotations = {} } = metadata;
  return (
    isOwnedBy(metadata, child.owner) &&
    holds(labels, child.labels) &&
    holds(annotations, child.annotations) &&
    isDeepStrictEqual(spec, child.spec)
  );
}

/** A RegistryToken to create. Its first token is a new one: there is nothing to rotate yet. */
export function childManifest(
  namespace: string,
  child: WantedChild,
): Pick<RegistryToken, 'apiVersion' | 'kind' | 'spec'> & {
  metadata: {
    namespace: string;
    name: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    ownerReferences: OwnerReference[];
  };
} {
  const { labels, annotations, owner, spec } = child;
  return {
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    metadata: {
      namespace,
      name: owner.name,
      labels: { ...labels },
      annotations: { ...annotations },
      ownerReferences: [owner],
    },
    spec,
  };
}

type Marks = Record<string, string | null>;

/**
 * The merge patch that makes a RegistryToken as wanted, provided that it is still the version given. It takes back what the template
 * no longer has, and leaves alone what others added beside.
 * @param token as stored, with all its owners
 */
export function childPatch({ metadata, spec }: RegistryToken, child: WantedChild): object {
  const record = readRecord(metadata);
  const stale = (keys: readonly string[], now: object): Marks =>
    Object.fromEntries(keys.filter((key) => !Object.hasOwn(now, key)).map((key) => [key, null]));
  const passOn = child.rotate !== undefined && child.rotate !== record.rotate;
  return {
    metadata: {
      resourceVersion: metadata.resourceVersion,
      labels: { ...stale(record.labels, child.labels), ...child.labels },
      annotations: {
        ...stale(record.annotations, child.annotations),
        ...child.annotations,
        ...(passOn && { [ROTATE_ANNOTATION]: child.rotate }),
      },
      ...(!isOwnedBy(metadata, child.owner) && {
        ownerReferences: ownersWith(metadata.ownerReferences, child.owner),
      }),
    },
    spec: mergeDifference(spec, child.spec),
  };
}

/** Whether the whole list of owners has to be known for a patch, of which watches keep the controller alone. */
export function changesOwners({ metadata }: RegistryToken, child: WantedChild): boolean {
  return !isOwnedBy(metadata, child.owner);
}

function isOwnedBy({ ownerReferences = [] }: RegistryToken['metadata'], owner: OwnerReference): boolean {
  return ownerReferences.some(({ uid, controller }) => uid === owner.uid && controller === true);
}

/** An earlier ClusterRegistryToken of that name is none any more. */
function ownersWith(owners: readonly OwnerReference[] = [], owner: OwnerReference): OwnerReference[] {
  return [...owners.filter(({ kind, name }) => kind !== KIND || name !== owner.name), owner];
}

const holds = (there: Readonly<Record<string, string>>, wants: Readonly<Record<string, string>>): boolean =>
  Object.entries(wants).every(([key, value]) => there[key] === value);

/** A merge patch (RFC 7386) that makes one JSON object another; lists are replaced whole. */
export function mergeDifference(from: object, to: object): Record<string, unknown> {
  const before = from as Record<string, unknown>;
  const after = to as Record<string, unknown>;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const there = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isDeepStrictEqual(there, value)) continue;
    patch[key] = isObject(there) && isObject(value) ? mergeDifference(there, value) : value;
  }
  return patch;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
