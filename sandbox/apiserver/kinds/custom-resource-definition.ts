import { invalid, notSupported, required, type FieldError } from '../field-error.ts';
import { asList, asObject, asText, equal, isObject, type JsonObject } from '../json.ts';
import { validateRules } from '../schema/cel-rules.ts';
import { toSchema } from '../schema/schema.ts';
import { validateSchema } from '../schema/validation.ts';
import { column, nameColumn } from '../table/columns.ts';
import { builtinType } from './builtin-type.ts';

export const customResourceDefinitions = builtinType({
  model: 'V1CustomResourceDefinition',
  group: 'apiextensions.k8s.io',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  hasStatus: true,
  hasGeneration: true,
  unconditionalUpdate: false,
  columns: [
    nameColumn,
    column('Created At', (object) => asText(asObject(object.metadata).creationTimestamp), 'date'),
  ],
  prepare: (object) => ({ ...object, spec: withDefaults(asObject(object.spec)) }),
  validate: (object, old) => [...validateSpec(object), ...(old ? validateChange(object, old) : [])],
});

function withDefaults(spec: JsonObject): JsonObject {
  const names = asObject(spec.names);
  const kind = asText(names.kind);
  return {
    ...spec,
    names: {
      ...names,
      singular: asText(names.singular) || kind.toLowerCase(),
      listKind: asText(names.listKind) || `${kind}List`,
    },
    conversion: isObject(spec.conversion) ? spec.conversion : { strategy: 'None' },
  };
}

function validateSpec(object: JsonObject): FieldError[] {
  const spec = asObject(object.spec);
  const names = asObject(spec.names);
  const errors: FieldError[] = [];
  const name = `${asText(names.plural)}.${asText(spec.group)}`;
  if (asText(asObject(object.metadata).name) !== name)
    errors.push(
      invalid('metadata.name', asObject(object.metadata).name, 'must be spec.names.plural+"."+spec.group'),
    );
  if (asText(spec.group) === '') errors.push(required('spec.group'));
  for (const field of ['plural', 'kind'])
    if (asText(names[field]) === '') errors.push(required(`spec.names.${field}`));
  const scope = asText(spec.scope);
  if (scope === '') errors.push(required('spec.scope'));
  else if (scope !== 'Namespaced' && scope !== 'Cluster')
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  return [...errors, ...validateVersions(asList(spec.versions).map(asObject))];
}

function validateVersions(versions: readonly JsonObject[]): FieldError[] {
  const storing = versions.filter((version) => version.storage === true);
  const errors: FieldError[] = [];
  if (storing.length !== 1)
    errors.push(
      invalid(
        'spec.versions',
        versions.map((version) => version.name ?? ''),
        'must have exactly one version marked as storage version',
      ),
    );
  versions.forEach((version, index) => {
    const field = `spec.versions[${index}]`;
    if (asText(version.name) === '') errors.push(required(`${field}.name`));
    const schema = asObject(version.schema).openAPIV3Schema;
    const root = `${field}.schema.openAPIV3Schema`;
    if (!isObject(schema)) errors.push(required(root, 'schemas are required'));
    else errors.push(...validateStructure(schema, root));
  });
  return errors;
}

/** Structural schemas say the type of everything they describe. */
function validateStructure(schema: JsonObject, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const free =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (asText(schema.type) === '' && !free)
    errors.push(required(`${field}.type`, 'must not be empty for specified object fields'));
  for (const [name, item] of Object.entries(asObject(schema.properties)))
    errors.push(...validateStructure(asObject(item), `${field}.properties[${name}]`));
  if (isObject(schema.items)) errors.push(...validateStructure(schema.items, `${field}.items`));
  else if (schema.type === 'array') errors.push(required(`${field}.items`, 'must be specified'));
  if (isObject(schema.additionalProperties))
    errors.push(...validateStructure(schema.additionalProperties, `${field}.additionalProperties`));
  errors.push(...validateDefault(schema, `${field}.default`));
  if (schema['x-kubernetes-list-type'] === 'map' && asList(schema['x-kubernetes-list-map-keys']).length === 0)
    errors.push(
      required(`${field}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    );
  return errors;
}

/** A default is tried by its schema and its rules as it stands: what is deeper is not filled in before (schema/defaulting/validation.go). */
function validateDefault(json: JsonObject, field: string): FieldError[] {
  const schema = toSchema(json);
  if (schema.default === undefined) return [];
  const errors = validateSchema(schema, schema.default);
  return [...errors, ...validateRules(schema, schema.default, undefined, errors)].map((error) => ({
    ...error,
    field: error.field === '' || error.field === '<nil>' ? field : `${field}.${error.field}`,
  }));
}

function validateChange(object: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [asObject(object.spec), asObject(old.spec)];
  return ['group', 'scope']
    .filter((field) => !equal(spec[field], before[field]))
    .map((field) => invalid(`spec.${field}`, spec[field], 'field is immutable'));
}
