import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import { invalid, type FieldError } from '../field-error.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { hasKey } from '../fields/field-path.ts';
import { celEnvironment } from './cel-environment.ts';
import { celValue } from './cel-values.ts';
import { fieldSchema, itemKey, listKind, type Schema, type ValidationRule } from './schema.ts';

/** Errors after which the rules would look at values they cannot rely on (apiextensions, hasBlockingErr). */
const BLOCKING = new Set<FieldError['type']>([
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** Checks the `x-kubernetes-validations` of a schema. `schemaErrors` are what structural validation found before. */
export function validateRules(
  schema: Schema,
  value: Json,
  old: JsonObject | undefined,
  schemaErrors: readonly FieldError[],
): FieldError[] {
  if (!hasRules(schema)) return [];
  if (schemaErrors.some((error) => BLOCKING.has(error.type)))
    return [
      invalid(
        '<nil>',
        null,
        'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      ),
    ];
  return visit(schema, value, old, '');
}

const withRules = new WeakMap<Schema, boolean>();

function hasRules(schema: Schema): boolean {
  const known = withRules.get(schema);
  if (known !== undefined) return known;
  withRules.set(schema, false);
  const { additionalProperties, items } = schema;
  const below = [
    ...Object.values(schema.properties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...(items ? [items] : []),
  ];
  const found = (schema['x-kubernetes-validations']?.length ?? 0) > 0 || below.some(hasRules);
  withRules.set(schema, found);
  return found;
}

function visit(schema: Schema, value: Json, old: Json | undefined, path: string): FieldError[] {
  if (!hasRules(schema)) return [];
  const errors = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) =>
    check(rule, schema, value, old, path),
  );
  const { items } = schema;
  if (Array.isArray(value) && items)
    return [
      ...errors,
      ...value.flatMap((item, index) => visit(items, item, oldItem(schema, item, old), `${path}[${index}]`)),
    ];
  if (!isObject(value)) return errors;
  const below = Object.entries(value).flatMap(([name, item]) => {
    const field = fieldSchema(schema, name);
    const before = isObject(old) ? old[name] : undefined;
    return field ? visit(field, item, before, path ? `${path}.${name}` : name) : [];
  });
  return [...errors, ...below];
}

/** Only items of map lists can be told to be the same as before. */
function oldItem(schema: Schema, item: Json, old: Json | undefined): Json | undefined {
  const key = listKind(schema) === 'map' ? itemKey(schema, item) : undefined;
  return key && Array.isArray(old) ? old.find((other) => hasKey(other, key)) : undefined;
}

function check(
  rule: ValidationRule,
  schema: Schema,
  value: Json,
  old: Json | undefined,
  path: string,
): FieldError[] {
  if (/\boldSelf\b/.test(rule.rule) && old === undefined) return [];
  const context = {
    self: celValue(schema, value),
    ...(old !== undefined && { oldSelf: celValue(schema, old) }),
  };
  const field = `${path}${rule.fieldPath ?? ''}`.replace(/^\./, '') || '<nil>';
  const shown = schema.type ?? 'any';
  try {
    if (compiled(rule.rule)(context) === true) return [];
    return [{ ...invalid(field, shown, messageOf(rule, context)), type: reasonOf(rule) }];
  } catch (error) {
    return [
      invalid(field, shown, `${(error as Error).message} evaluating rule: ${rule.message ?? rule.rule}`),
    ];
  }
}

function messageOf(rule: ValidationRule, context: Record<string, unknown>): string {
  const fixed = rule.message ?? `failed rule: ${rule.rule.trim()}`;
  if (!rule.messageExpression) return fixed;
  const message: unknown = compiled(rule.messageExpression)(context);
  return typeof message === 'string' && message.trim() !== '' ? message : fixed;
}

function reasonOf(rule: ValidationRule): FieldError['type'] {
  const { reason } = rule;
  return reason === 'FieldValueRequired' ||
    reason === 'FieldValueForbidden' ||
    reason === 'FieldValueDuplicate'
    ? reason
    : 'FieldValueInvalid';
}

let environment: Environment | undefined;
const programs = new Map<string, ParseResult>();

function compiled(rule: string): ParseResult {
  let program = programs.get(rule);
  if (!program) {
    environment ??= celEnvironment();
    programs.set(rule, (program = environment.parse(rule)));
  }
  return program;
}
