import { isObject, unlessSame, type Json, type JsonObject } from '../json.ts';
import { fieldSchema, preservesUnknown, type Schema } from './schema.ts';

/** A value that a Go type cannot hold. */
export class DecodingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodingError';
  }
}

export interface Decoded {
  value: JsonObject;
  /** Paths of the fields the type does not have. */
  unknown: string[];
}

/**
 * Passes an object through its Go type, as the API server does with built-in kinds and with all metadata: unknown
 * fields, nulls and empty maps and lists do not survive, but a null in a map of texts is an empty one; defaults of list keys are
 * filled in.
 * @throws DecodingError when a value has the wrong type
 */
export function decodeObject(schema: Schema, object: JsonObject, path = ''): Decoded {
  const unknown: string[] = [];
  return { value: decodeFields(schema, object, path, unknown), unknown };
}

function decodeFields(schema: Schema, object: JsonObject, path: string, unknown: string[]): JsonObject {
  const decoded: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    const at = path ? `${path}.${name}` : name;
    const field = fieldSchema(schema, name);
    if (!field) {
      if (preservesUnknown(schema)) decoded[name] = value;
      else unknown.push(at);
      continue;
    }
    const kept = isText(schema, name, field) && value === null ? '' : decode(field, value, at, unknown);
    if (kept !== undefined) decoded[name] = kept;
  }
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    if (field.default !== undefined && decoded[name] === undefined) decoded[name] = field.default;
  return unlessSame(object, decoded);
}

/** Whether this is text in a map, not in a field of its own. */
function isText(schema: Schema, name: string, field: Schema): boolean {
  return field.type === 'string' && !Object.hasOwn(schema.properties ?? {}, name);
}

function decode(schema: Schema, value: Json, path: string, unknown: string[]): Json | undefined {
  if (value === null) return undefined;
  if (preservesUnknown(schema) && schema.type === undefined) return value;
  checkType(schema, value, path);
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    const items = value.map((item, index) =>
      isObject(item) && schema.items
        ? decodeFields(schema.items, item, `${path}[${index}]`, unknown)
        : checked(schema.items, item, path),
    );
    return unlessSame(value, items);
  }
  if (!isObject(value)) return value;
  const open = schema.properties === undefined;
  return open && Object.keys(value).length === 0 ? undefined : decodeFields(schema, value, path, unknown);
}

function checked(schema: Schema | undefined, item: Json, path: string): Json {
  if (schema) checkType(schema, item, path);
  return item;
}

function checkType(schema: Schema, value: Json, path: string): void {
  if (schema['x-kubernetes-int-or-string']) {
    if (typeof value === 'string' || Number.isInteger(value)) return;
    throw new DecodingError(
      `cannot unmarshal ${goKind(value)} into field ${path} of type intstr.IntOrString`,
    );
  }
  if (schema.type !== undefined && !fits(schema.type, value))
    throw new DecodingError(
      `json: cannot unmarshal ${goKind(value)} into Go struct field ${path} of type ${goType(schema)}`,
    );
  if (typeof value !== 'string') return;
  if (schema.format === 'byte' && !isBase64(value))
    throw new DecodingError(`illegal base64 data at input byte ${base64Fault(value)}`);
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value)))
    throw new DecodingError(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse`,
    );
}

function fits(type: string, value: Json): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (isObject(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goType(schema: Schema): string {
  const type = schema.type ?? 'interface {}';
  switch (type) {
    case 'integer':
      return schema.format === 'int32' ? 'int32' : 'int64';
    case 'boolean':
      return 'bool';
    case 'array':
      return `[]${schema.items ? goType(schema.items) : 'interface {}'}`;
    case 'object':
      if (typeof schema.additionalProperties === 'object')
        return `map[string]${goType(schema.additionalProperties)}`;
      return (schema.definition ?? 'object').replace(/^.*\.(v1\.)/, '$1');
    default:
      return type;
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function base64Fault(text: string): number {
  const at = text.search(/[^A-Za-z0-9+/=]/);
  return at < 0 ? text.length - (text.length % 4) : at;
}
