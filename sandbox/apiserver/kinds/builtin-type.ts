import { asList, asObject, asText, type Json, type JsonObject } from '../json.ts';
import { subdomainFault } from '../metadata.ts';
import type { ResourceType } from '../resource-type.ts';
import { builtinSchema } from '../schema/builtin.ts';
import { ageColumn, nameColumn } from '../table/columns.ts';

type Given = Pick<ResourceType, 'plural' | 'kind'> & Partial<ResourceType> & { model: string };

/** A built-in resource: what most of them have in common, and what is given. */
export function builtinType({ model, ...given }: Given): ResourceType {
  const type: ResourceType = {
    group: '',
    version: 'v1',
    singular: given.kind.toLowerCase(),
    listKind: `${given.kind}List`,
    namespaced: true,
    shortNames: [],
    categories: [],
    schema: builtinSchema(model),
    collection: given.group ? `${given.group}/${given.plural}` : given.plural,
    custom: false,
    hasStatus: false,
    hasGeneration: false,
    unconditionalUpdate: true,
    createOnUpdate: false,
    returnsDeleted: false,
    serverFields: [],
    columns: [nameColumn, ageColumn],
    nameFault: subdomainFault,
    domainFinalizers: !given.group,
    selectableFields: () => ({}),
    prepare: (object) => object,
    validate: () => [],
    read: (stored) => stored,
    store: (object) => object,
    ...given,
  };
  return type;
}

/** The fields of an object reference, as event selectors name them. */
export function referenceFields(prefix: string, reference: JsonObject): Record<string, string> {
  const names = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
  return Object.fromEntries(names.map((name) => [`${prefix}.${name}`, asText(reference[name])]));
}

/** The count of entries in a map of the object. */
export function sizeOf(object: JsonObject, ...fields: string[]): number {
  return fields.reduce((sum, field) => sum + Object.keys(asObject(object[field])).length, 0);
}

/** A label selector as tables show it. */
export function selectorText(selector: Json | undefined): string {
  const { matchLabels, matchExpressions } = asObject(selector);
  const labels = Object.entries(asObject(matchLabels)).map(([key, value]) => `${key}=${asText(value)}`);
  const expressions = asList(matchExpressions).map((item) => {
    const { key, operator, values } = asObject(item);
    const list = values === undefined ? '' : ` (${asList(values).map(asText).join(',')})`;
    return `${asText(key)} ${asText(operator).toLowerCase()}${list}`;
  });
  return [...labels.toSorted(), ...expressions].join(',') || '<none>';
}
