import { equal, isObject, type Json, type JsonObject } from '../json.ts';
import { ANYTHING, isAtomicMap, type Schema } from '../schema/schema.ts';
import { fieldStep, type FieldPath } from './field-path.ts';
import { FieldSet } from './field-set.ts';
import { isLeafList, itemsByStep, schemaOfField } from './typed-value.ts';

export interface Comparison {
  added: FieldSet;
  removed: FieldSet;
  modified: FieldSet;
}

/** What differs between two states of an object (structured-merge-diff, typed/compare.go). */
export function compare(schema: Schema, before: JsonObject, after: JsonObject): Comparison {
  const comparison = { added: new FieldSet(), removed: new FieldSet(), modified: new FieldSet() };
  visit(schema, before, after, [], comparison);
  return comparison;
}

function visit(
  schema: Schema,
  before: Json | undefined,
  after: Json | undefined,
  path: FieldPath,
  found: Comparison,
): void {
  if (before === after) return;
  if (before === undefined) found.added.add(path);
  else if (after === undefined) found.removed.add(path);
  if (canBeList(before, after) && !isLeafList(schema)) visitItems(schema, before, after, path, found);
  else if (canBeObject(before, after) && !isAtomicMap(schema))
    visitFields(schema, before ?? {}, after ?? {}, path, found);
  else if (before !== undefined && after !== undefined && !equal(before, after)) found.modified.add(path);
}

type MaybeList = Json[] | undefined;
type MaybeObject = JsonObject | undefined;

function canBeList(before: Json | undefined, after: Json | undefined): before is MaybeList {
  return [before, after].every((value) => value === undefined || Array.isArray(value));
}

function canBeObject(before: Json | undefined, after: Json | undefined): before is MaybeObject {
  return [before, after].every((value) => value === undefined || isObject(value));
}

function visitFields(schema: Schema, before: Json, after: Json, path: FieldPath, found: Comparison): void {
  const left = before as JsonObject;
  const right = after as JsonObject;
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)]))
    visit(schemaOfField(schema, name, path), left[name], right[name], [...path, fieldStep(name)], found);
}

function visitItems(
  schema: Schema,
  before: MaybeList,
  after: Json | undefined,
  path: FieldPath,
  found: Comparison,
): void {
  const left = itemsByStep(schema, before ?? [], path, 'first');
  const right = itemsByStep(schema, (after as MaybeList) ?? [], path, 'first');
  for (const step of new Set([...left.keys(), ...right.keys()]))
    visit(schema.items ?? ANYTHING, left.get(step), right.get(step), [...path, step], found);
}
