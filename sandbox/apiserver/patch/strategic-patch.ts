import { asList, asText, equal, isObject, without, type Json, type JsonObject } from '../json.ts';
import { ANYTHING, fieldSchema, type Schema } from '../schema/schema.ts';

const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/**
 * Applies a strategic merge patch (k8s.io/apimachinery/pkg/util/strategicpatch): a merge patch in which lists with a
 * merge key or the merge strategy are merged item by item, with the directives $patch, $retainKeys,
 * $deleteFromPrimitiveList and $setElementOrder.
 */
export function applyStrategicPatch(schema: Schema, target: Json | undefined, patch: JsonObject): JsonObject {
  if (patch.$patch === 'replace') return without(patch, '$patch');
  if (patch.$patch === 'delete') return {};
  const merged: JsonObject = retained(isObject(target) ? target : {}, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_FROM_LIST)) {
      const field = key.slice(DELETE_FROM_LIST.length);
      const gone = asList(value);
      merged[field] = asList(merged[field]).filter((item) => !gone.some((other) => equal(item, other)));
    } else if (!key.startsWith('$')) {
      const patched = patchField(fieldSchema(schema, key) ?? ANYTHING, merged[key], value);
      if (patched === undefined) delete merged[key];
      else merged[key] = patched;
    }
  }
  for (const [key, order] of Object.entries(patch))
    if (key.startsWith(ORDER)) reorder(schema, merged, key.slice(ORDER.length), asList(order));
  return merged;
}

function retained(target: JsonObject, patch: JsonObject): JsonObject {
  if (!Array.isArray(patch.$retainKeys)) return { ...target };
  const keep = new Set(patch.$retainKeys);
  return Object.fromEntries(Object.entries(target).filter(([key]) => keep.has(key)));
}

function patchField(schema: Schema, target: Json | undefined, value: Json): Json | undefined {
  if (value === null) return undefined;
  if (isObject(value)) return applyStrategicPatch(schema, target, value);
  if (!Array.isArray(value) || schema['x-kubernetes-patch-strategy'] !== 'merge') return value;
  const key = schema['x-kubernetes-patch-merge-key'];
  return key ? mergeItems(schema, key, asList(target), value) : mergeValues(asList(target), value);
}

function mergeValues(target: readonly Json[], patch: readonly Json[]): Json[] {
  return [...target, ...patch.filter((item) => !target.some((other) => equal(item, other)))];
}

function mergeItems(schema: Schema, key: string, target: readonly Json[], patch: readonly Json[]): Json[] {
  const items = patch.filter(isObject);
  if (items.some((item) => item.$patch === 'replace')) return items.filter((item) => !item.$patch);
  const merged = [...target];
  for (const item of items) {
    const at = merged.findIndex((other) => isObject(other) && equal(other[key], item[key]));
    if (item.$patch === 'delete') {
      if (at >= 0) merged.splice(at, 1);
    } else if (at >= 0) merged[at] = applyStrategicPatch(schema.items ?? ANYTHING, merged[at], item);
    else merged.push(applyStrategicPatch(schema.items ?? ANYTHING, {}, item));
  }
  return merged;
}

/** Puts the items the patch names into its order; items it does not name follow. */
function reorder(schema: Schema, merged: JsonObject, field: string, order: readonly Json[]): void {
  const list = merged[field];
  if (!Array.isArray(list)) return;
  const key = asText(fieldSchema(schema, field)?.['x-kubernetes-patch-merge-key']);
  const identity = (item: Json): Json | undefined => (isObject(item) && key ? item[key] : item);
  const rank = (item: Json): number => {
    const at = order.findIndex((other) => equal(identity(other), identity(item)));
    return at < 0 ? order.length : at;
  };
  merged[field] = list.toSorted((left, right) => rank(left) - rank(right));
}
