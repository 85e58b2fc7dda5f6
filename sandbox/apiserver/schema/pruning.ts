import { isObject, unlessSame, type Json, type JsonObject } from '../json.ts';
import { builtinSchema } from './builtin.ts';
import { fieldSchema, preservesUnknown, type Schema } from './schema.ts';

export interface Pruned<T extends Json = Json> {
  value: T;
  /** Paths of the fields that the schema does not know, as strict field validation names them. */
  unknown: string[];
}

/** Drops what the schema of a custom resource does not specify (apiextensions, schema/pruning). */
export function pruneObject(schema: Schema, object: JsonObject): Pruned<JsonObject> {
  const unknown: string[] = [];
  return { value: pruneFields(schema, object, '', unknown), unknown };
}

function prune(schema: Schema, value: Json, path: string, unknown: string[]): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    const pruned = value.map((item, index) => prune(items, item, `${path}[${index}]`, unknown));
    return unlessSame(value, pruned);
  }
  return isObject(value) ? pruneFields(schema, value, path, unknown) : value;
}

function pruneFields(schema: Schema, object: JsonObject, path: string, unknown: string[]): JsonObject {
  const embedded = schema['x-kubernetes-embedded-resource'] ? embeddedFields : undefined;
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    const field = fieldSchema(schema, name) ?? embedded?.[name];
    const at = path ? `${path}.${name}` : name;
    if (field) kept[name] = prune(field, value, at, unknown);
    else if (preservesUnknown(schema)) kept[name] = value;
    else unknown.push(at);
  }
  return unlessSame(object, kept);
}

const embeddedFields: Record<string, Schema> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: builtinSchema('V1ObjectMeta'),
};
