import { asList, asObject, equal, isEmptyObject, without, type JsonObject } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { conflictError, type FieldConflict } from './apply-conflict.ts';
import { compare, type Comparison } from './comparison.ts';
import type { FieldPath } from './field-path.ts';
import { FieldSet } from './field-set.ts';
import { ownerKey, readOwners, writeOwners, type Owner } from './managed-fields.ts';
import { mergeConfiguration, removeFields, withNamedParents } from './merge.ts';
import { fieldsOf } from './typed-value.ts';

/** Who writes, how, and to which part. */
export interface Writing {
  manager: string;
  apiVersion: string;
  subresource: string;
  /** The time of the write, as managedFields shows it. */
  time: string;
  schema: Schema;
  /** Whether this write may own the field: a main write never owns status, a status write owns nothing else. */
  mayOwn: (path: FieldPath) => boolean;
}

/** Fields the server keeps; nobody owns them (upstream's stripMeta). */
const SERVER_FIELDS = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
];

/** An object before it is made. Go structs within it are there already, so that only their fields count as added. */
function emptyObject(schema: Schema): JsonObject {
  const structs = Object.entries(schema.properties ?? {}).filter(
    ([, field]) => field.definition !== undefined,
  );
  return Object.fromEntries(structs.map(([name]) => [name, {}]));
}

type Owners = ReadonlyMap<string, Owner>;

/**
 * Notes what a create, update or patch changed: the writer owns what it added or modified, others lose it
 * (structured-merge-diff, merge/update.go, Update).
 */
export function trackUpdate(live: JsonObject | undefined, updated: JsonObject, writing: Writing): JsonObject {
  const given = asList(asObject(updated.metadata).managedFields);
  if (given.length === 1 && isEmptyObject(given[0])) return withOwners(updated, new Map());
  const before = readOwners(asObject(live?.metadata));
  const kept = given.length > 0 ? readOwners(asObject(updated.metadata)) : before;
  if (live && before.size === 0) return withOwners(updated, kept);
  const comparison = compareOwnable(live ?? emptyObject(writing.schema), updated, writing);
  const self: Owner = { ...identity(writing, 'Update'), fields: new FieldSet() };
  const changed = comparison.added.union(comparison.modified);
  const owners = yieldTo(kept, '', changed, comparison.removed);
  if (changed.size > 0) {
    const previous = owners.get(ownerKey(self));
    owners.set(ownerKey(self), { ...self, fields: changed.union(previous?.fields ?? new FieldSet()) });
  }
  return withOwners(updated, owners);
}

/**
 * Applies a configuration on behalf of its manager: merges it, removes what the manager applied before and no longer
 * does, and settles who owns what (structured-merge-diff, merge/update.go, Apply).
 * @throws StatusError 409 when another manager owns a changed field and force is not set
 * @throws UntypedValueError when the configuration does not fit the schema
 */
export function applyConfiguration(
  live: JsonObject,
  applied: JsonObject,
  writing: Writing,
  force: boolean,
): JsonObject {
  const { schema } = writing;
  const owners = ownersBeforeApply(live, writing);
  const self: Owner = { ...identity(writing, 'Apply'), fields: ownable(fieldsOf(schema, applied), writing) };
  const key = ownerKey(self);
  const last = owners.get(key)?.fields;
  const claimed = new Map(owners).set(key, self);
  const merged = mergeConfiguration(schema, live, applied);
  const pruned = last ? prune(schema, merged, last, claimed) : merged;
  const comparison = compareOwnable(live, pruned, writing);
  const changed = comparison.added.union(comparison.modified);
  const conflicts = force ? [] : conflictsOf(claimed, key, changed);
  if (conflicts.length > 0) throw conflictError(conflicts);
  const settled = yieldTo(claimed, key, changed, comparison.removed);
  const before = owners.get(key);
  if (
    before?.fields.equals(self.fields) &&
    before.apiVersion === self.apiVersion &&
    equalContent(live, pruned)
  )
    settled.set(key, before);
  return withOwners(pruned, settled);
}

function identity(writing: Writing, operation: Owner['operation']): Omit<Owner, 'fields'> {
  const { manager, apiVersion, subresource, time } = writing;
  return { manager, operation, apiVersion, subresource, time };
}

/** An object that nobody tracked yet belongs, at its first apply, to `before-first-apply`. */
function ownersBeforeApply(live: JsonObject, writing: Writing): Owners {
  const owners = readOwners(asObject(live.metadata));
  if (owners.size > 0 || live.metadata === undefined) return owners;
  const first: Owner = {
    ...identity({ ...writing, manager: 'before-first-apply', subresource: '' }, 'Update'),
    fields: ownable(fieldsOf(writing.schema, withoutServerFields(live)), writing),
  };
  return first.fields.size > 0 ? new Map([[ownerKey(first), first]]) : owners;
}

/** Removes what the manager applied last and no longer does, unless somebody else owns it. */
function prune(schema: Schema, merged: JsonObject, last: FieldSet, owners: Owners): JsonObject {
  const whole = withNamedParents(schema, fieldsOf(schema, merged));
  const lastNamed = withNamedParents(schema, last);
  const left = removeFields(schema, merged, lastNamed);
  const owned = new FieldSet([...owners.values()].flatMap((owner) => [...owner.fields]));
  const wanted = withNamedParents(schema, fieldsOf(schema, left)).union(withNamedParents(schema, owned));
  const kept = removeFields(schema, merged, whole.difference(wanted));
  const present = withNamedParents(schema, fieldsOf(schema, kept));
  return removeFields(schema, merged, whole.difference(present).intersection(lastNamed));
}

function conflictsOf(owners: Owners, self: string, changed: FieldSet): FieldConflict[] {
  return [...owners].flatMap(([key, owner]) =>
    key === self ? [] : [...owner.fields.intersection(changed)].map((path) => ({ owner, path })),
  );
}

/** Everybody but the writer loses what was changed; fields that are gone belong to nobody. */
function yieldTo(owners: Owners, self: string, changed: FieldSet, removed: FieldSet): Map<string, Owner> {
  const settled = new Map<string, Owner>();
  for (const [key, owner] of owners) {
    const fields = key === self ? owner.fields : owner.fields.difference(changed).difference(removed);
    if (fields.size > 0) settled.set(key, { ...owner, fields });
  }
  return settled;
}

function compareOwnable(before: JsonObject, after: JsonObject, writing: Writing): Comparison {
  const all = compare(writing.schema, withoutServerFields(before), withoutServerFields(after));
  return {
    added: ownable(all.added, writing),
    modified: ownable(all.modified, writing),
    removed: ownable(all.removed, writing),
  };
}

function ownable(fields: FieldSet, writing: Writing): FieldSet {
  return fields.filter(
    (path) =>
      path.length > 0 &&
      path[0] !== 'f:apiVersion' &&
      path[0] !== 'f:kind' &&
      !(path[0] === 'f:metadata' && isServerField(path)) &&
      writing.mayOwn(path),
  );
}

function isServerField(path: FieldPath): boolean {
  return path.length === 1 || SERVER_FIELDS.includes(path[1]?.slice(2) ?? '');
}

function withoutServerFields(object: JsonObject): JsonObject {
  return { ...object, metadata: without(asObject(object.metadata), ...SERVER_FIELDS) };
}

function equalContent(left: JsonObject, right: JsonObject): boolean {
  return equal(withoutServerFields(left), withoutServerFields(right));
}

function withOwners(object: JsonObject, owners: Owners): JsonObject {
  return { ...object, metadata: writeOwners(asObject(object.metadata), owners) };
}
