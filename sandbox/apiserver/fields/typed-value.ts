import { isEmptyObject, isObject, type Json, type JsonObject } from '../json.ts';
import {
  ANYTHING,
  declares,
  fieldSchema,
  isAtomicMap,
  itemKey,
  listKind,
  preservesUnknown,
  type Schema,
} from '../schema/schema.ts';
import { fieldStep, keyStep, valueStep, type FieldPath, type Step, pathText } from './field-path.ts';
import { FieldSet } from './field-set.ts';

/** A value that does not fit its schema, so that field ownership has no meaning for it. */
export class UntypedValueError extends Error {
  constructor(path: FieldPath, why: string) {
    super(`${pathText(path)}: ${why}`);
    this.name = 'UntypedValueError';
  }
}

/**
 * The schema of a field. Where unknown fields are preserved, their shape is deduced: objects by field, lists atomic.
 * @throws UntypedValueError when the schema has no such field
 */
export function schemaOfField(schema: Schema, name: string, path: FieldPath): Schema {
  const found = fieldSchema(schema, name);
  if (found) return found;
  if (preservesUnknown(schema) || schema['x-kubernetes-int-or-string']) return ANYTHING;
  throw new UntypedValueError([...path, fieldStep(name)], 'field not declared in schema');
}

export function isLeafList(schema: Schema): boolean {
  return listKind(schema) === 'atomic';
}

/** The step to an item of a set or map list. @throws UntypedValueError for an item without its keys */
export function itemStep(schema: Schema, item: Json, path: FieldPath): Step {
  if (listKind(schema) === 'set') return valueStep(item);
  const key = itemKey(schema, item);
  if (!key || Object.keys(key).length === 0)
    throw new UntypedValueError(path, 'associative list with keys has an element that omits all key fields');
  return keyStep(key);
}

/** The items of a set or map list under their steps. @throws UntypedValueError for two items with one step */
export function itemsByStep(
  schema: Schema,
  items: readonly Json[],
  path: FieldPath,
  duplicates: 'refuse' | 'first',
): Map<Step, Json> {
  const found = new Map<Step, Json>();
  for (const item of items) {
    const step = itemStep(schema, item, path);
    if (!found.has(step)) found.set(step, item);
    else if (duplicates === 'refuse')
      throw new UntypedValueError(path, `duplicate entries for key ${pathText([step])}`);
  }
  return found;
}

/**
 * The paths an applied configuration claims (structured-merge-diff, typed/tofieldset.go): leaves, items of lists, and
 * the keys of open maps.
 * @throws UntypedValueError when the value does not fit the schema
 */
export function fieldsOf(schema: Schema, value: JsonObject): FieldSet {
  const set = new FieldSet();
  visitObject(schema, value, [], set);
  return set;
}

function visit(schema: Schema, value: Json, path: FieldPath, set: FieldSet): void {
  if (Array.isArray(value)) {
    if (isLeafList(schema)) set.add(path);
    else
      for (const [step, item] of itemsByStep(schema, value, path, 'refuse')) {
        visit(schema.items ?? ANYTHING, item, [...path, step], set);
        set.add([...path, step]);
      }
  } else if (isObject(value)) {
    if (isAtomicMap(schema)) set.add(path);
    else visitObject(schema, value, path, set);
  } else set.add(path);
}

function visitObject(schema: Schema, value: JsonObject, path: FieldPath, set: FieldSet): void {
  for (const [name, item] of Object.entries(value)) {
    const at = [...path, fieldStep(name)];
    visit(schemaOfField(schema, name, path), item, at, set);
    if (item === null || isEmptyObject(item) || !declares(schema, name)) set.add(at);
  }
}
