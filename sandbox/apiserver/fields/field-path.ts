import { canonical, equal, isObject, type Json, type JsonObject } from '../json.ts';

/**
 * One step into an object, in the notation of `fieldsV1`: `f:name`, `k:{"type":"Ready"}` (item of a map list),
 * `v:"x"` (item of a set) or `i:0`.
 */
export type Step = string;
export type FieldPath = readonly Step[];

export const fieldStep = (name: string): Step => `f:${name}`;
export const keyStep = (key: JsonObject): Step => `k:${canonical(key)}`;
export const valueStep = (value: Json): Step => `v:${canonical(value)}`;

/** The field's name when the step leads to a field. */
export function fieldName(step: Step): string | undefined {
  return step.startsWith('f:') ? step.slice(2) : undefined;
}

/** Reads a step from `fieldsV1`, with its keys in our order. */
export function readStep(text: string): Step {
  const notation = text.slice(0, 2);
  if (notation !== 'k:' && notation !== 'v:') return text;
  return notation + canonical(JSON.parse(text.slice(2)) as Json);
}

/** As conflict messages show it: `.status.conditions[type="Ready"].reason`. */
export function pathText(path: FieldPath): string {
  return path.map(stepText).join('');
}

function stepText(step: Step): string {
  const rest = step.slice(2);
  if (step.startsWith('f:')) return `.${rest}`;
  if (step.startsWith('v:')) return `[=${rest}]`;
  if (step.startsWith('i:')) return `[${rest}]`;
  const key = JSON.parse(rest) as JsonObject;
  const parts = Object.entries(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `[${parts.join(',')}]`;
}

/** Whether a list item is the one a key names. */
export function hasKey(item: Json, key: JsonObject): boolean {
  return isObject(item) && Object.entries(key).every(([name, value]) => equal(item[name], value));
}
