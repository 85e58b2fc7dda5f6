import { createHash } from 'node:crypto';
import { invalid } from '../field-error.ts';
import { asList, asObject, asText, equal, type Json, type JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType, selectorText } from './builtin-type.ts';

const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';

/** What is wrong with a role's or binding's name, which may have colons and capitals (k8s.io/apimachinery/pkg/api/validation/path). */
function pathSegmentFault(name: string): string | undefined {
  if (name === '.' || name === '..') return `may not be '${name}'`;
  return ['/', '%']
    .map((part) => (name.includes(part) ? `may not contain '${part}'` : undefined))
    .find(Boolean);
}

const rbac = { group: RBAC, createOnUpdate: true, nameFault: pathSegmentFault } as const;
const roles: Partial<ResourceType> = {
  ...rbac,
  columns: [
    nameColumn,
    column('Created At', (role) => asText(asObject(role.metadata).creationTimestamp), 'date'),
  ],
};
const bindings: Partial<ResourceType> = {
  ...rbac,
  columns: [
    nameColumn,
    column('Role', ({ roleRef }) => `${asText(asObject(roleRef).kind)}/${asText(asObject(roleRef).name)}`),
    ageColumn,
  ],
  prepare: (binding) => ({
    ...binding,
    roleRef: { apiGroup: RBAC, ...asObject(binding.roleRef) },
    ...(binding.subjects !== undefined && { subjects: asList(binding.subjects).map(withGroup) }),
  }),
  validate: ({ roleRef }, old) =>
    old && !equal(roleRef, old.roleRef) ? [invalid('roleRef', roleRef, 'cannot change roleRef')] : [],
};

function withGroup(subject: Json): JsonObject {
  const { kind } = asObject(subject);
  return { ...(kind !== 'ServiceAccount' && { apiGroup: RBAC }), ...asObject(subject) };
}

const policies = { group: ADMISSION, namespaced: false, hasGeneration: true, unconditionalUpdate: false };

/**
 * Kinds that are kept and shown, and that nothing acts on: no request is refused for want of a role or by a policy, nothing listens
 * at a Service, no packet is dropped.
 */
export const inertTypes: readonly ResourceType[] = [
  builtinType({ ...roles, model: 'V1Role', plural: 'roles', kind: 'Role' }),
  builtinType({ ...bindings, model: 'V1RoleBinding', plural: 'rolebindings', kind: 'RoleBinding' }),
  builtinType({
    ...roles,
    model: 'V1ClusterRole',
    plural: 'clusterroles',
    kind: 'ClusterRole',
    namespaced: false,
  }),
  builtinType({
    ...bindings,
    model: 'V1ClusterRoleBinding',
    plural: 'clusterrolebindings',
    kind: 'ClusterRoleBinding',
    namespaced: false,
  }),
  builtinType({
    model: 'V1Service',
    plural: 'services',
    kind: 'Service',
    shortNames: ['svc'],
    categories: ['all'],
    hasStatus: true,
    createOnUpdate: true,
    columns: [
      nameColumn,
      column('Type', ({ spec }) => asText(asObject(spec).type)),
      column('Cluster-IP', ({ spec }) => asText(asObject(spec).clusterIP) || '<none>'),
      column('External-IP', ({ spec }) => externalText(asObject(spec))),
      column('Port(s)', ({ spec }) => asList(asObject(spec).ports).map(portText).join(',')),
      ageColumn,
      column(
        'Selector',
        ({ spec }) => selectorText({ matchLabels: asObject(spec).selector ?? {} }),
        'string',
        1,
      ),
    ],
    prepare: (service, old) => ({
      ...service,
      spec: serviceDefaults(service, asObject(old?.spec)),
      status: { loadBalancer: {}, ...asObject(service.status) },
    }),
  }),
  builtinType({
    model: 'V1NetworkPolicy',
    group: 'networking.k8s.io',
    plural: 'networkpolicies',
    kind: 'NetworkPolicy',
    shortNames: ['netpol'],
    hasGeneration: true,
    columns: [
      nameColumn,
      column('Pod-Selector', ({ spec }) => selectorText(asObject(spec).podSelector)),
      ageColumn,
    ],
    prepare: (policy) => {
      const spec = asObject(policy.spec);
      const policyTypes = spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
      return { ...policy, spec: { podSelector: {}, policyTypes, ...spec } };
    },
  }),
  builtinType({
    ...policies,
    model: 'V1ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
    kind: 'ValidatingAdmissionPolicy',
    hasStatus: true,
    columns: [
      nameColumn,
      column('Validations', ({ spec }) => asList(asObject(spec).validations).length, 'integer'),
      column('ParamKind', ({ spec }) => {
        const { apiVersion, kind } = asObject(asObject(spec).paramKind);
        return kind === undefined ? '<unset>' : `${asText(apiVersion)}/${asText(kind)}`;
      }),
      ageColumn,
    ],
    prepare: (policy) => {
      const spec = asObject(policy.spec);
      return { ...policy, spec: { failurePolicy: 'Fail', ...spec, ...matched(spec, 'matchConstraints') } };
    },
  }),
  builtinType({
    ...policies,
    model: 'V1ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
    kind: 'ValidatingAdmissionPolicyBinding',
    columns: [
      nameColumn,
      column('PolicyName', ({ spec }) => asText(asObject(spec).policyName)),
      column('ParamRef', ({ spec }) => {
        const { namespace, name } = asObject(asObject(spec).paramRef);
        return name === undefined ? '<unset>' : [namespace, name].map(asText).filter(Boolean).join('/');
      }),
      ageColumn,
    ],
    prepare: (binding) => {
      const spec = asObject(binding.spec);
      return { ...binding, spec: { ...spec, ...matched(spec, 'matchResources') } };
    },
  }),
];

/** With an address of its own, at which nothing listens, as clients take a Service without one for unfinished. */
function serviceDefaults({ metadata, spec }: JsonObject, before: JsonObject): JsonObject {
  const { ports, ...given } = asObject(spec);
  const complete = asList(ports).map((port) => ({ targetPort: asObject(port).port ?? 0, ...asObject(port) }));
  const defaults = { type: 'ClusterIP', sessionAffinity: 'None' };
  const address =
    asText(given.clusterIP) || asText(before.clusterIP) || addressOf(asText(asObject(metadata).uid));
  return {
    ...defaults,
    ...(given.type !== 'ExternalName' && { clusterIP: address, clusterIPs: [address] }),
    ...given,
    ...(complete.length > 0 && { ports: complete }),
  };
}

/** In 10.96.0.0/16, by a uid. */
function addressOf(uid: string): string {
  const [third = 0, fourth = 0] = createHash('sha256').update(uid).digest();
  return `10.96.${third}.${fourth}`;
}

function externalText({ type, externalIPs, externalName }: JsonObject): string {
  if (type === 'ExternalName') return asText(externalName);
  const addresses = asList(externalIPs).map(asText).join(',');
  return addresses || (type === 'LoadBalancer' ? '<pending>' : '<none>');
}

function portText(port: Json): string {
  const { port: number, nodePort, protocol } = asObject(port);
  return `${Number(number)}${nodePort ? `:${Number(nodePort)}` : ''}/${asText(protocol)}`;
}

/** What a policy is for, where it says so, with the defaults of admissionregistration/v1/defaults.go. */
function matched(spec: JsonObject, field: string): JsonObject {
  if (spec[field] === undefined) return {};
  const given = asObject(spec[field]);
  const rules = ['resourceRules', 'excludeResourceRules'].flatMap((name) =>
    given[name] === undefined
      ? []
      : [[name, asList(given[name]).map((rule) => ({ scope: '*', ...asObject(rule) }))]],
  );
  const selectors = { namespaceSelector: {}, objectSelector: {} };
  return {
    [field]: {
      matchPolicy: 'Equivalent',
      ...selectors,
      ...given,
      ...(Object.fromEntries(rules) as JsonObject),
    },
  };
}
