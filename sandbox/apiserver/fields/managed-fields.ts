import { asList, asObject, asText, type JsonObject } from '../json.ts';
import { fromFieldsV1, toFieldsV1, type FieldSet } from './field-set.ts';

/** Who owns which fields of an object: one entry of `metadata.managedFields`. */
export interface Owner {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  time: string;
  fields: FieldSet;
}

/** The identity of an owner: appliers are the same across versions, updaters are not. */
export function ownerKey(owner: Omit<Owner, 'fields' | 'time'>): string {
  const version = owner.operation === 'Apply' ? '' : owner.apiVersion;
  return JSON.stringify([owner.manager, owner.operation, version, owner.subresource]);
}

/** Reads `metadata.managedFields`; entries that cannot be read make the whole list count as none, as upstream. */
export function readOwners(metadata: JsonObject): Map<string, Owner> {
  const owners = new Map<string, Owner>();
  for (const item of asList(metadata.managedFields)) {
    const entry = asObject(item);
    const operation = asText(entry.operation);
    if (operation !== 'Apply' && operation !== 'Update') return new Map();
    const owner: Owner = {
      manager: asText(entry.manager),
      operation,
      apiVersion: asText(entry.apiVersion),
      subresource: asText(entry.subresource),
      time: asText(entry.time),
      fields: fromFieldsV1(asObject(entry.fieldsV1)),
    };
    owners.set(ownerKey(owner), owner);
  }
  return owners;
}

/** The metadata with the owners written into it, in the order of upstream's sortEncodedManagedFields. */
export function writeOwners(metadata: JsonObject, owners: ReadonlyMap<string, Owner>): JsonObject {
  const { managedFields: _, ...rest } = metadata;
  if (owners.size === 0) return rest;
  const rank = (owner: Owner): string =>
    [owner.operation, owner.time, owner.manager, owner.apiVersion, owner.subresource].join('\u0000');
  const sorted = [...owners.values()].sort((left, right) => (rank(left) < rank(right) ? -1 : 1));
  return { ...rest, managedFields: sorted.map(entryOf) };
}

function entryOf(owner: Owner): JsonObject {
  return {
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: owner.apiVersion,
    ...(owner.time && { time: owner.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(owner.fields),
    ...(owner.subresource && { subresource: owner.subresource }),
  };
}

/** Whether two states differ in nothing but the times of their managedFields. */
export function ownersEqual(left: ReadonlyMap<string, Owner>, right: ReadonlyMap<string, Owner>): boolean {
  return (
    left.size === right.size &&
    [...left].every(([key, owner]) => {
      const other = right.get(key);
      return (
        other !== undefined && other.apiVersion === owner.apiVersion && owner.fields.equals(other.fields)
      );
    })
  );
}
