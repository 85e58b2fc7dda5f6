/** JSON values and the few operations on them that everything here needs. Stored values are never changed in place. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object; anything else counts as an empty one. */
export function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The value as a list; anything else counts as an empty one. */
export function asList(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** The value as text; anything else counts as empty. */
export function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function isEmptyObject(value: Json | undefined): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** Deep equality; the order of keys does not count, the order of list items does. */
export function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left))
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => equal(item, right[index]))
    );
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}

/**
 * A copy that was made of an object or list, or that itself where its members are the very same: parts that nothing changed
 * keep their identity, and comparing them costs nothing.
 */
export function unlessSame<T extends JsonObject | Json[]>(original: T, copy: T): T {
  const [before, after] = [original as JsonObject, copy as JsonObject];
  const names = Object.keys(after);
  const same =
    Object.keys(before).length === names.length &&
    names.every((name) => Object.hasOwn(before, name) && before[name] === after[name]);
  return same ? original : copy;
}

/** A copy without the keys named. */
export function without(object: JsonObject, ...keys: string[]): JsonObject {
  const copy = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}

/** A copy in which the key has the value, or is absent when the value is undefined. */
export function withValue(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  if (value === undefined) return without(object, key);
  return { ...object, [key]: value };
}

/** Text that is the same for equal values, whatever the order of their keys. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${fields.join(',')}}`;
}
