import { isObject, type Json } from '../json.ts';
import { fieldSchema, preservesUnknown, type Schema } from './schema.ts';

/**
 * A value as CEL sees it: integers as bigint, times as Date, and nothing that the schema does not declare
 * (k8s.io/apiserver/pkg/cel/common, UnstructuredToVal).
 */
export function celValue(schema: Schema, value: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => celValue(schema.items ?? {}, item));
  if (isObject(value)) {
    const fields = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
      const field = fieldSchema(schema, name) ?? (preservesUnknown(schema) ? {} : undefined);
      return field ? [[name, celValue(field, item)]] : [];
    });
    return Object.fromEntries(fields);
  }
  if (typeof value === 'number')
    return schema.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  if (typeof value === 'string' && (schema.format === 'date-time' || schema.format === 'date'))
    return new Date(value);
  return value;
}
