import { isObject, type Json, type JsonObject } from '../json.ts';

/** Applies a JSON merge patch (RFC 7386): null removes, objects merge, all else replaces. */
export function applyMergePatch(target: Json | undefined, patch: JsonObject): JsonObject {
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = isObject(value) ? applyMergePatch(merged[key], value) : value;
  }
  return merged;
}
