import { invalid, notSupported, required, type FieldError } from '../field-error.ts';
import { matchesSelector } from '../../../src/api/syntax/label-selector.ts';
import { asList, asObject, asText, equal, isEmptyObject, type JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType, selectorText } from './builtin-type.ts';
import { podSpecDefaults, validateContainers } from './pod.ts';

const APPS = 'apps';
const containersOf = ({ spec }: JsonObject): JsonObject[] =>
  asList(asObject(asObject(asObject(spec).template).spec).containers).map(asObject);
const status = (object: JsonObject, field: string): number => Number(asObject(object.status)[field] ?? 0);

/** What `kubectl get -o wide` shows besides. */
const WIDE = [
  column(
    'Containers',
    (object) =>
      containersOf(object)
        .map(({ name }) => asText(name))
        .join(','),
    'string',
    1,
  ),
  column(
    'Images',
    (object) =>
      containersOf(object)
        .map(({ image }) => asText(image))
        .join(','),
    'string',
    1,
  ),
  column('Selector', ({ spec }) => selectorText(asObject(spec).selector), 'string', 1),
];

const common: Partial<ResourceType> = {
  group: APPS,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  validate: (object, old) => {
    const spec = asObject(object.spec);
    return [
      ...validateReplicas(spec),
      ...validateSelector(spec, old && asObject(old.spec)),
      ...validateTemplate(spec),
    ];
  },
};

/** Deployments as objects; what follows from them is the work of a controller. */
export const deployments = builtinType({
  ...common,
  model: 'V1Deployment',
  plural: 'deployments',
  kind: 'Deployment',
  shortNames: ['deploy'],
  columns: [
    nameColumn,
    column(
      'Ready',
      (object) => `${status(object, 'readyReplicas')}/${Number(asObject(object.spec).replicas)}`,
    ),
    column('Up-to-date', (object) => status(object, 'updatedReplicas')),
    column('Available', (object) => status(object, 'availableReplicas')),
    ageColumn,
    ...WIDE,
  ],
  prepare: (object) => {
    const spec = asObject(object.spec);
    return {
      ...object,
      spec: {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        ...spec,
        strategy: strategyDefaults(asObject(spec.strategy)),
        template: templateDefaults(asObject(spec.template)),
      },
    };
  },
});

export const replicaSets = builtinType({
  ...common,
  model: 'V1ReplicaSet',
  plural: 'replicasets',
  kind: 'ReplicaSet',
  shortNames: ['rs'],
  columns: [
    nameColumn,
    column('Desired', ({ spec }) => Number(asObject(spec).replicas), 'integer'),
    column('Current', (object) => status(object, 'replicas'), 'integer'),
    column('Ready', (object) => status(object, 'readyReplicas'), 'integer'),
    ageColumn,
    ...WIDE,
  ],
  prepare: (object, old) => {
    const spec = asObject(object.spec);
    return {
      ...object,
      spec: { replicas: 1, ...spec, template: templateDefaults(asObject(spec.template)) },
      status: old ? asObject(object.status) : { replicas: 0 },
    };
  },
});

function strategyDefaults(strategy: JsonObject): JsonObject {
  if (strategy.type === 'Recreate') return strategy;
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...asObject(strategy.rollingUpdate) };
  return { type: 'RollingUpdate', ...strategy, rollingUpdate };
}

function templateDefaults(template: JsonObject): JsonObject {
  return { ...template, spec: podSpecDefaults(asObject(template.spec)) };
}

function validateReplicas({ replicas }: JsonObject): FieldError[] {
  if (Number(replicas) >= 0) return [];
  return [invalid('spec.replicas', replicas, 'must be greater than or equal to 0')];
}

function validateTemplate({ template }: JsonObject): FieldError[] {
  const { containers, restartPolicy } = asObject(asObject(template).spec);
  const path = 'spec.template.spec';
  return [
    ...validateContainers(asList(containers).map(asObject), `${path}.containers`),
    ...(restartPolicy === 'Always'
      ? []
      : [notSupported(`${path}.restartPolicy`, asText(restartPolicy), ['Always'])]),
  ];
}

function validateSelector(spec: JsonObject, old: JsonObject | undefined): FieldError[] {
  const { selector, template } = spec;
  if (selector === undefined) return [required('spec.selector')];
  if (isEmptyObject(selector))
    return [invalid('spec.selector', selector, 'empty selector is invalid for deployment')];
  const labels = asObject(asObject(asObject(template).metadata).labels);
  const errors: FieldError[] = [];
  if (!matchesSelector(asObject(selector), labels as Record<string, string>))
    errors.push(
      invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    );
  if (old && !equal(selector, old.selector))
    errors.push(invalid('spec.selector', selector, 'field is immutable'));
  return errors;
}
