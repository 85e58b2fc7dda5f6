import { isObject, unlessSame, type Json, type JsonObject } from '../json.ts';
import { fieldSchema, type Schema } from './schema.ts';

/**
 * Fills in the defaults of a custom resource's schema, and drops nulls that a default or the schema does not allow
 * (apiextensions, schema/defaulting: PruneNonNullableNullsWithoutDefaults runs first).
 */
export function applyDefaults(schema: Schema, value: JsonObject): JsonObject {
  const filled: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const field = fieldSchema(schema, name);
    if (item === null && field && !field.nullable) continue;
    filled[name] = field ? defaultBelow(field, item) : item;
  }
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    if (field.default !== undefined && !Object.hasOwn(filled, name))
      filled[name] = defaultBelow(field, field.default);
  return unlessSame(value, filled);
}

function defaultBelow(schema: Schema, value: Json): Json {
  if (isObject(value)) return applyDefaults(schema, value);
  const { items } = schema;
  if (!Array.isArray(value) || !items) return value;
  const filled = value.map((item) => defaultBelow(items, item));
  return unlessSame(value, filled);
}
