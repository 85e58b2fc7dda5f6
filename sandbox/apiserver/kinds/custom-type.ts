import { validateRules } from '../schema/cel-rules.ts';
import { asList, asObject, asText, withValue, type JsonObject } from '../json.ts';
import { subdomainFault } from '../metadata.ts';
import type { ResourceType } from '../resource-type.ts';
import { builtinSchema } from '../schema/builtin.ts';
import { toSchema, type Schema } from '../schema/schema.ts';
import { validateSchema } from '../schema/validation.ts';
import { customColumns } from '../table/custom-columns.ts';
import { compileJsonPath } from '../table/json-path.ts';

/** The resources that a CustomResourceDefinition defines: one for each version it serves. */
export function customTypes(definition: JsonObject): ResourceType[] {
  const spec = asObject(definition.spec);
  const versions = asList(spec.versions).map(asObject);
  return versions.filter((version) => version.served === true).map((version) => customType(spec, version));
}

function customType(spec: JsonObject, version: JsonObject): ResourceType {
  const names = asObject(spec.names);
  const group = asText(spec.group);
  const plural = asText(names.plural);
  const hasStatus = asObject(version.subresources).status !== undefined;
  const schema = wholeSchema(toSchema(asObject(version.schema).openAPIV3Schema));
  const apiVersion = `${group}/${asText(version.name)}`;
  return {
    group,
    version: asText(version.name),
    plural,
    kind: asText(names.kind),
    singular: asText(names.singular),
    listKind: asText(names.listKind),
    namespaced: spec.scope === 'Namespaced',
    shortNames: asList(names.shortNames).map(asText),
    categories: asList(names.categories).map(asText),
    schema,
    collection: `${group}/${plural}`,
    custom: true,
    hasStatus,
    hasGeneration: true,
    unconditionalUpdate: false,
    createOnUpdate: false,
    returnsDeleted: false,
    serverFields: [],
    columns: customColumns(version),
    nameFault: subdomainFault,
    domainFinalizers: false,
    selectableFields: selectable(asList(version.selectableFields).map(asObject)),
    prepare: (object, old) => (hasStatus && !old ? withValue(object, 'status', undefined) : object),
    validate: (object, old) => {
      const errors = validateSchema(schema, object);
      return [...errors, ...validateRules(schema, object, old, errors)];
    },
    read: (stored) => (stored.apiVersion === apiVersion ? stored : { ...stored, apiVersion }),
    store: (object) => object,
  };
}

/** The schema with the parts every object has, which definitions only hint at. */
function wholeSchema(schema: Schema): Schema {
  return {
    ...schema,
    properties: {
      ...schema.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: builtinSchema('V1ObjectMeta'),
    },
  };
}

function selectable(fields: readonly JsonObject[]): ResourceType['selectableFields'] {
  const paths = fields.map((field) => {
    const path = asText(field.jsonPath);
    return { name: path.replace(/^\./, ''), find: compileJsonPath(path) };
  });
  return (object) =>
    Object.fromEntries(
      paths.map(({ name, find }) => [name, String((find(object)[0] ?? '') as string | number)]),
    );
}
