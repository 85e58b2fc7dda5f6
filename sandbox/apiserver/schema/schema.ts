import { asObject, isObject, type Json, type JsonObject } from '../json.ts';

/**
 * The part of OpenAPI v3 that Kubernetes schemas use. Built-in kinds and custom resources share it, so that validation,
 * field ownership and patches are written once. Schemas of built-in kinds may refer to themselves (a cycle of objects).
 */
export interface Schema {
  type?: string;
  format?: string;
  description?: string;
  default?: Json;
  nullable?: boolean;
  enum?: Json[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-validations'?: ValidationRule[];
  /** Name under which OpenAPI documents publish a built-in type. */
  definition?: string;
}

export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** A value of any shape, whose unknown fields stay. */
export const ANYTHING: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

/** What the schema says of one field of an object; undefined when it says nothing. */
export function fieldSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const properties = schema?.properties;
  if (properties && Object.hasOwn(properties, name)) return properties[name];
  const additional = schema?.additionalProperties;
  if (additional === true) return ANYTHING;
  return typeof additional === 'object' ? additional : undefined;
}

/** Whether the object's fields are declared by name (a struct), not open (a map). */
export function declares(schema: Schema | undefined, name: string): boolean {
  return schema?.properties !== undefined && Object.hasOwn(schema.properties, name);
}

export function preservesUnknown(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true;
}

export type ListKind = 'atomic' | 'set' | 'map';

/** How items of a list are told apart. Lists without a list type are atomic, as in structured-merge-diff. */
export function listKind(schema: Schema | undefined): ListKind {
  const kind = schema?.['x-kubernetes-list-type'];
  return kind === 'set' || kind === 'map' ? kind : 'atomic';
}

export function isAtomicMap(schema: Schema | undefined): boolean {
  return schema?.['x-kubernetes-map-type'] === 'atomic';
}

/** The keys that name an item of a map list, with their defaults for items that leave them out. */
export function itemKey(schema: Schema | undefined, item: Json): JsonObject | undefined {
  if (!isObject(item)) return undefined;
  const key: JsonObject = {};
  for (const name of schema?.['x-kubernetes-list-map-keys'] ?? []) {
    const value = item[name] ?? fieldSchema(schema?.items, name)?.default;
    if (value === undefined) continue;
    key[name] = value;
  }
  return key;
}

/** Reads a schema from a CustomResourceDefinition. Its shape was validated before. */
export function toSchema(value: Json | undefined): Schema {
  return asObject(value);
}
