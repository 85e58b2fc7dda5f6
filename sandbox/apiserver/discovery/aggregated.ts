import type { Catalog } from '../catalog.ts';
import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { groupsOf, STATUS_VERBS, VERBS } from './resources.ts';

/** The media type of aggregated discovery (KEP-3352). */
export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Every group with its versions and resources. @param named the named groups, or else the core group alone */
export function aggregatedGroups(catalog: Catalog, named: boolean): JsonObject {
  const groups: [string, string[]][] = named ? [...groupsOf(catalog)] : [['', ['v1']]];
  const items = groups.map(([name, versions]) => ({
    metadata: { creationTimestamp: null, ...(name && { name }) },
    versions: versions.map((version) => ({
      version,
      freshness: 'Current',
      resources: catalog
        .types()
        .filter((type) => type.group === name && type.version === version)
        .map(discovered),
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function discovered(type: ResourceType): JsonObject {
  const responseKind = { group: type.group, version: type.version, kind: type.kind };
  return {
    resource: type.plural,
    responseKind,
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: VERBS,
    ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
    ...(type.categories.length > 0 && { categories: type.categories }),
    ...(type.hasStatus && { subresources: [{ subresource: 'status', responseKind, verbs: STATUS_VERBS }] }),
  };
}
