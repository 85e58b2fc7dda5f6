import { forbidden, required, type FieldError } from '../field-error.ts';
import { asList, asObject, asText, equal, without, type JsonObject } from '../json.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType } from './builtin-type.ts';

/** Pods as objects; what runs for them, and what their status says, is the work of others. */
export const pods = builtinType({
  model: 'V1Pod',
  plural: 'pods',
  kind: 'Pod',
  shortNames: ['po'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  returnsDeleted: true,
  columns: [
    nameColumn,
    column('Ready', (pod) => {
      const statuses = asList(asObject(pod.status).containerStatuses).map(asObject);
      const ready = statuses.filter((status) => status.ready === true).length;
      return `${ready}/${asList(asObject(pod.spec).containers).length}`;
    }),
    column('Status', (pod) => {
      const [container] = asList(asObject(pod.status).containerStatuses).map(asObject);
      const { waiting } = asObject(container?.state);
      const { reason, phase } = asObject(pod.status);
      return asText(asObject(waiting).reason) || asText(reason) || asText(phase);
    }),
    column('Restarts', (pod) =>
      String(
        asList(asObject(pod.status).containerStatuses)
          .map((status) => Number(asObject(status).restartCount ?? 0))
          .reduce((sum, count) => sum + count, 0),
      ),
    ),
    ageColumn,
  ],
  selectableFields: (pod) => ({
    'spec.nodeName': asText(asObject(pod.spec).nodeName),
    'spec.restartPolicy': asText(asObject(pod.spec).restartPolicy),
    'spec.schedulerName': asText(asObject(pod.spec).schedulerName),
    'spec.serviceAccountName': asText(asObject(pod.spec).serviceAccountName),
    'status.phase': asText(asObject(pod.status).phase),
    'status.podIP': asText(asObject(pod.status).podIP),
  }),
  prepare: (pod, old) => ({
    ...pod,
    spec: podSpecDefaults(asObject(pod.spec)),
    status: old ? asObject(pod.status) : { phase: 'Pending', qosClass: 'BestEffort' },
  }),
  validate: (pod, old) => [
    ...validateContainers(asList(asObject(pod.spec).containers).map(asObject), 'spec.containers'),
    ...(old ? validateChange(pod, old) : []),
  ],
});

/** Fills in what a pod's spec leaves out (pkg/apis/core/v1/defaults.go). */
export function podSpecDefaults(spec: JsonObject): JsonObject {
  const defaults: JsonObject = {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    serviceAccount: asText(spec.serviceAccountName) || 'default',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
  };
  return {
    ...defaults,
    ...spec,
    containers: asList(spec.containers).map((item) => containerDefaults(asObject(item))),
  };
}

function containerDefaults(container: JsonObject): JsonObject {
  const image = asText(container.image);
  const latest = !image.includes('@') && (!/:[^/]*$/.test(image) || image.endsWith(':latest'));
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: latest ? 'Always' : 'IfNotPresent',
    ...container,
    ...Object.fromEntries(
      PROBES.filter((name) => container[name] !== undefined).map((name): [string, JsonObject] => [
        name,
        probeDefaults(asObject(container[name])),
      ]),
    ),
  };
}

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

function probeDefaults({ httpGet, ...probe }: JsonObject): JsonObject {
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...probe,
    ...(httpGet !== undefined && { httpGet: { path: '/', scheme: 'HTTP', ...asObject(httpGet) } }),
  };
}

/** @param path of the field with the containers */
export function validateContainers(containers: readonly JsonObject[], path: string): FieldError[] {
  if (containers.length === 0) return [required(path)];
  return containers.flatMap((container, index) =>
    ['name', 'image'].flatMap((field) =>
      asText(container[field]) === '' ? [required(`${path}[${index}].${field}`)] : [],
    ),
  );
}

const MUTABLE = ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'nodeName'];

function validateChange(pod: JsonObject, old: JsonObject): FieldError[] {
  if (equal(fixedSpec(pod), fixedSpec(old))) return [];
  return [
    forbidden(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ),
  ];
}

function fixedSpec(pod: JsonObject): JsonObject {
  const spec = without(asObject(pod.spec), ...MUTABLE);
  return { ...spec, containers: asList(spec.containers).map((item) => without(asObject(item), 'image')) };
}
