import {
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
  type FieldError,
} from '../field-error.ts';
import { canonical, equal, isObject, type Json, type JsonObject } from '../json.ts';
import { hasFormat, matchesPattern } from './formats.ts';
import { fieldSchema, itemKey, listKind, type Schema } from './schema.ts';

/**
 * Checks a custom resource against its schema, with the messages of kube-openapi's validator as the API server
 * reports them.
 */
export function validateSchema(schema: Schema, value: Json, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  check(schema, value, path, errors);
  return errors;
}

function check(schema: Schema, value: Json, path: string, errors: FieldError[]): void {
  if (value === null && schema.nullable) return;
  const wrong = typeError(schema, value, path);
  if (wrong) {
    errors.push(wrong);
    return;
  }
  if (schema.enum && !schema.enum.some((allowed) => equal(allowed, value)))
    errors.push(
      notSupported(
        path,
        value,
        schema.enum.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
      ),
    );
  if (typeof value === 'string') checkText(schema, value, path, errors);
  if (typeof value === 'number') checkNumber(schema, value, path, errors);
  if (Array.isArray(value)) checkItems(schema, value, path, errors);
  if (isObject(value)) checkFields(schema, value, path, errors);
  checkCombinations(schema, value, path, errors);
}

const TYPE_CHECKS: Record<string, (value: Json) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
};

function typeError(schema: Schema, value: Json, path: string): FieldError | undefined {
  if (schema['x-kubernetes-int-or-string'])
    return typeof value === 'string' || Number.isInteger(value)
      ? undefined
      : typeInvalid(
          path,
          typeName(value),
          `${path} in body must be of type integer,string: ${quotedType(value)}`,
        );
  const fits = schema.type === undefined ? undefined : TYPE_CHECKS[schema.type];
  if (!fits || fits(value)) return undefined;
  const detail = `${path || 'value'} in body must be of type ${schema.type}: ${quotedType(value)}`;
  return typeInvalid(path || '<nil>', typeName(value), detail);
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

const quotedType = (value: Json): string => JSON.stringify(typeName(value));

function checkText(schema: Schema, value: string, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern, format } = schema;
  const length = Array.from(value).length;
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength)
    errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  if (pattern !== undefined && !matchesPattern(pattern, value))
    errors.push(invalid(path, value, `${path} in body should match '${pattern}'`));
  if (format !== undefined && !hasFormat(format, value))
    errors.push(
      typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`),
    );
}

function checkNumber(schema: Schema, value: number, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema;
  const complain = (what: string): void =>
    void errors.push(invalid(path, value, `${path} in body should be ${what}`));
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum))
    complain(`greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum))
    complain(`less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  if (multipleOf !== undefined && value % multipleOf !== 0) complain(`a multiple of ${multipleOf}`);
}

function checkItems(schema: Schema, value: Json[], path: string, errors: FieldError[]): void {
  const { items, minItems, maxItems } = schema;
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems)
    errors.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  if (items) value.forEach((item, index) => check(items, item, `${path}[${index}]`, errors));
  checkUnique(schema, value, path, errors);
}

function checkUnique(schema: Schema, value: Json[], path: string, errors: FieldError[]): void {
  const kind = listKind(schema);
  if (kind === 'atomic') return;
  const seen = new Set<string>();
  value.forEach((item, index) => {
    const identity = kind === 'map' ? (itemKey(schema, item) ?? null) : item;
    const text = canonical(identity);
    if (seen.has(text)) errors.push(duplicate(`${path}[${index}]`, identity));
    seen.add(text);
  });
}

function checkFields(schema: Schema, value: JsonObject, path: string, errors: FieldError[]): void {
  const at = (name: string): string => (path ? `${path}.${name}` : name);
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(required(at(name)));
  const count = Object.keys(value).length;
  const { minProperties, maxProperties } = schema;
  if (maxProperties !== undefined && count > maxProperties) errors.push(tooMany(path, count, maxProperties));
  if (minProperties !== undefined && count < minProperties)
    errors.push(invalid(path, count, `${path} in body should have at least ${minProperties} properties`));
  for (const [name, item] of Object.entries(value)) {
    const field = fieldSchema(schema, name);
    if (field) check(field, item, at(name), errors);
  }
}

function checkCombinations(schema: Schema, value: Json, path: string, errors: FieldError[]): void {
  const passing = (options: Schema[]): number =>
    options.filter((option) => validateSchema(option, value, path).length === 0).length;
  const fail = (what: string): void =>
    void errors.push(invalid(path, value, `${path || '<nil>'} in body ${what}`));
  for (const option of schema.allOf ?? []) check(option, value, path, errors);
  if (schema.anyOf && passing(schema.anyOf) === 0) fail('must validate at least one schema (anyOf)');
  if (schema.oneOf && passing(schema.oneOf) !== 1) fail('must validate one and only one schema (oneOf)');
  if (schema.not && passing([schema.not]) === 1) fail('must not validate the schema (not)');
}
