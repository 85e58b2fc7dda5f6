import { isObject, type Json, type JsonObject } from '../json.ts';
import { ANYTHING, declares, fieldSchema, isAtomicMap, type Schema } from '../schema/schema.ts';
import { fieldName, fieldStep, type FieldPath, type Step } from './field-path.ts';
import { FieldSet } from './field-set.ts';
import { isLeafList, itemStep, itemsByStep, schemaOfField } from './typed-value.ts';

/** Lays an applied configuration over the live object: its leaves win, its list items are merged by key. */
export function mergeConfiguration(schema: Schema, live: JsonObject, applied: JsonObject): JsonObject {
  return mergeFields(schema, live, applied, []);
}

function merge(schema: Schema, live: Json | undefined, applied: Json, path: FieldPath): Json {
  if (Array.isArray(live) && Array.isArray(applied) && !isLeafList(schema))
    return mergeItems(schema, live, applied, path);
  if (isObject(live) && isObject(applied) && !isAtomicMap(schema))
    return mergeFields(schema, live, applied, path);
  return applied;
}

function mergeFields(schema: Schema, live: JsonObject, applied: JsonObject, path: FieldPath): JsonObject {
  const merged = { ...live };
  for (const [name, value] of Object.entries(applied)) {
    const at = [...path, fieldStep(name)];
    merged[name] = merge(schemaOfField(schema, name, path), live[name], value, at);
  }
  return merged;
}

/** Items of both keep the applied order; items of the live list alone stay where they are among them. */
function mergeItems(schema: Schema, live: Json[], applied: Json[], path: FieldPath): Json[] {
  const ours = itemsByStep(schema, applied, path, 'refuse');
  const theirs = itemsByStep(schema, live, path, 'first');
  const waiting = [...ours.keys()];
  const merged: Json[] = [];
  const takeUpTo = (step: Step): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const item = ours.get(next) ?? null;
      merged.push(merge(schema.items ?? ANYTHING, theirs.get(next), item, [...path, next]));
      if (next === step) return;
    }
  };
  for (const [step, item] of theirs) {
    if (!ours.has(step)) merged.push(item);
    else if (waiting.includes(step)) takeUpTo(step);
  }
  takeUpTo('');
  return merged;
}

/** The value without the fields and items in the set (structured-merge-diff, typed/remove.go). */
export function removeFields(schema: Schema, value: JsonObject, set: FieldSet): JsonObject {
  const removed = removeBelow(schema, value, set, []);
  return isObject(removed) ? removed : {};
}

function removeBelow(schema: Schema, value: Json, set: FieldSet, path: FieldPath): Json | undefined {
  if (Array.isArray(value) && !isLeafList(schema)) {
    const kept = value.flatMap((item) => {
      const at = [...path, itemStep(schema, item, path)];
      if (set.has(at)) return [];
      const rest = removeBelow(schema.items ?? ANYTHING, item, set, at);
      return rest === undefined ? [] : [rest];
    });
    return kept.length > 0 || value.length === 0 ? kept : undefined;
  }
  if (!isObject(value) || isAtomicMap(schema)) return value;
  const kept: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const at = [...path, fieldStep(name)];
    if (set.has(at)) continue;
    // What is left of nothing is null, so that the field itself still counts as there.
    kept[name] = removeBelow(schemaOfField(schema, name, path), item, set, at) ?? null;
  }
  return Object.keys(kept).length > 0 || Object.keys(value).length === 0 ? kept : undefined;
}

/** The set with every declared field that lies on the way to a member. */
export function withNamedParents(schema: Schema, set: FieldSet): FieldSet {
  const result = new FieldSet(set);
  for (const path of set) {
    let at: Schema | undefined = schema;
    for (const [index, step] of path.entries()) {
      const name = fieldName(step);
      if (name !== undefined && declares(at, name)) result.add(path.slice(0, index + 1));
      at = name === undefined ? at?.items : fieldSchema(at, name);
    }
  }
  return result;
}
