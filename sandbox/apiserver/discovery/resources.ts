import type { Catalog } from '../catalog.ts';
import type { JsonObject } from '../json.ts';
import { pods } from '../kinds/pod.ts';
import type { ResourceType } from '../resource-type.ts';

export const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
export const STATUS_VERBS = ['get', 'patch', 'update'];

/** The one subresource here whose body is of another group. */
const EVICTION: JsonObject = {
  name: 'pods/eviction',
  singularName: '',
  namespaced: true,
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  verbs: ['create'],
};

export function coreVersions(): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

/** The groups other than the core one, each with its versions, newest first. */
export function groupsOf(catalog: Catalog): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const type of catalog.types()) {
    if (type.group === '') continue;
    const versions = groups.get(type.group) ?? [];
    if (!versions.includes(type.version))
      groups.set(type.group, [...versions, type.version].sort(byPriority));
  }
  return groups;
}

/** Stable versions first, then beta, then alpha; higher numbers first (k8s.io/apimachinery/pkg/version). */
function byPriority(left: string, right: string): number {
  const [a, b] = [rank(left), rank(right)];
  return b[0] - a[0] || b[1] - a[1] || b[2] - a[2];
}

function rank(version: string): [stage: number, major: number, minor: number] {
  const [, major = '0', stage, minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
  return [stage === undefined ? 2 : Number(stage === 'beta'), Number(major), Number(minor)];
}

export function groupList(catalog: Catalog): JsonObject {
  const groups = [...groupsOf(catalog).keys()].map((name) => groupBody(catalog, name));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

export function group(catalog: Catalog, name: string): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(catalog, name) };
}

function groupBody(catalog: Catalog, name: string): JsonObject {
  const versions = (groupsOf(catalog).get(name) ?? []).map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] ?? {} };
}

export function resourceList(catalog: Catalog, groupName: string, version: string): JsonObject {
  const types = catalog.types().filter((type) => type.group === groupName && type.version === version);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupName ? `${groupName}/${version}` : version,
    resources: types.flatMap((type) => [
      resource(type),
      ...(type === pods ? [EVICTION] : []),
      ...(type.hasStatus ? [statusResource(type)] : []),
    ]),
  };
}

function resource(type: ResourceType): JsonObject {
  return {
    name: type.plural,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: VERBS,
    ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
    ...(type.categories.length > 0 && { categories: type.categories }),
  };
}

function statusResource(type: ResourceType): JsonObject {
  return {
    name: `${type.plural}/status`,
    singularName: '',
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: STATUS_VERBS,
  };
}
