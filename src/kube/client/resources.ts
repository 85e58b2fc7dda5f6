import type { ObjectName, Resource } from '../../common/objects.ts';

const core = (plural: string, kind: string, namespaced = true): Resource => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

export const SECRETS = core('secrets', 'Secret');
export const NAMESPACES = core('namespaces', 'Namespace', false);
export const SERVICE_ACCOUNTS = core('serviceaccounts', 'ServiceAccount');
export const PODS = core('pods', 'Pod');
export const LEASES: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
export const EVENTS: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** `apiVersion` of a resource's objects. */
export function apiVersionOf({ group, version }: Resource): string {
  return group ? `${group}/${version}` : version;
}

/** `secrets` or `leases.coordination.k8s.io`: how people and metrics name a resource. */
export function resourceTitle({ group, plural }: Resource): string {
  return group ? `${plural}.${group}` : plural;
}

/**
 * URL path of a collection, or of one object when `name` is given.
 * @throws TypeError when a namespaced object is named without its namespace, since the path would mean another thing
 */
export function resourcePath(
  resource: Resource,
  { namespace, name }: Partial<ObjectName> = {},
  subresource?: string,
): string {
  if (name !== undefined && (name === '' || (resource.namespaced && !namespace)))
    throw new TypeError(`one object of ${resourceTitle(resource)} needs its name and namespace`);
  const parts = resource.group ? ['apis', resource.group, resource.version] : ['api', resource.version];
  if (resource.namespaced && namespace) parts.push('namespaces', namespace);
  parts.push(resource.plural);
  if (name !== undefined) parts.push(name);
  if (subresource) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
