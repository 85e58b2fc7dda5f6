import type { Clock } from '../../src/common/clock.ts';
import { objectKey } from './change.ts';
import { invalid } from './field-error.ts';
import { trackUpdate, type Writing } from './fields/field-manager.ts';
import { readOwners, ownersEqual } from './fields/managed-fields.ts';
import { generateName, newUid } from './identifiers.ts';
import { asList, asObject, asText, equal, without, withValue, type JsonObject } from './json.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { requireNamespace } from './namespace-lifecycle.ts';
import { apiVersionOf, type ResourceType } from './resource-type.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  invalidObject,
  staleWrite,
  StatusError,
} from './status-error.ts';
import type { Store } from './store.ts';
import { timeText } from './time-text.ts';

export interface WriteOptions {
  manager: string;
  dryRun: boolean;
}

/** An update on its way: the new state in the version's own form. */
export interface Update extends WriteOptions {
  subresource: '' | 'status';
  /** Whether the new state already says who owns what, as server-side apply leaves it. */
  tracked: boolean;
  /** Whether another uid conflicts, as in a replacement and in server-side apply; patches merely cannot change it. */
  uidMustMatch: boolean;
}

/** A write of an object as admission sees it: merged, and not yet in the store. */
export interface Admission {
  collection: string;
  object: JsonObject;
  /** As it is in the store; undefined for one that is created. */
  previous: JsonObject | undefined;
  subresource: '' | 'status';
}

/**
 * What admission webhooks make of an object on its way into the store. As in Kubernetes, who owns which field is settled before.
 * @returns the object to store
 * @throws StatusError when one refuses it, or fails
 */
export type Webhook = (admission: Admission) => JsonObject;

interface Surroundings {
  store: Store;
  clock: Clock;
  random: () => number;
  webhook: Webhook;
}

/** Creates and updates objects by the rules all kinds share (k8s.io/apiserver/pkg/registry/rest and generic/registry). */
export class Writer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #webhook: Webhook;

  constructor({ store, clock, random, webhook }: Surroundings) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#webhook = webhook;
  }

  /**
   * @param tracked whether managedFields are settled already, by an apply, which may name a resourceVersion of what is not there
   * @returns the object as stored, in the version's form
   * @throws StatusError 400, 403, 404, 409 or 422
   */
  create(
    type: ResourceType,
    namespace: string,
    sent: JsonObject,
    options: WriteOptions,
    tracked = false,
  ): JsonObject {
    const given = placed(type, namespace, sent);
    if (!tracked && asText(given.resourceVersion) !== '')
      throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
    const prefix = asText(given.generateName);
    const name = asText(given.name) || (prefix && generateName(prefix, this.#random));
    if (type.namespaced) requireNamespace(this.#store, namespace, type, name);
    const metadata: JsonObject = {
      ...without(
        given,
        'deletionTimestamp',
        'deletionGracePeriodSeconds',
        'selfLink',
        'resourceVersion',
        'generation',
      ),
      ...(name && { name }),
      uid: newUid(this.#random),
      creationTimestamp: timeText(this.#clock.now()),
      ...(type.hasGeneration && { generation: 1 }),
    };
    const fresh = withValue({ ...sent, metadata }, 'status', type.hasStatus ? undefined : sent.status);
    const prepared = type.prepare(fresh, undefined);
    const errors = [...validateMetadata(metadata, type), ...type.validate(prepared, undefined)];
    if (errors.length > 0) throw invalidObject(type, name, errors);
    const complete = tracked
      ? prepared
      : trackUpdate(undefined, prepared, this.writing(type, options.manager, ''));
    const object = this.#webhook({
      collection: type.collection,
      object: complete,
      previous: undefined,
      subresource: '',
    });
    if (this.#store.get(type.collection, objectKey(namespace, name))) throw alreadyExists(type, name);
    return this.#put(type, object, options.dryRun);
  }

  /**
   * @param stored the object as it is in the store
   * @param sent the new state, in the version's form
   * @throws StatusError 400, 409 or 422
   */
  update(type: ResourceType, stored: JsonObject, sent: JsonObject, update: Update): JsonObject {
    const old = type.read(stored);
    const before = asObject(old.metadata);
    const name = asText(before.name);
    const given = placed(type, asText(before.namespace), sent);
    if (update.uidMustMatch) checkUid(type, name, given, before);
    checkRevision(type, name, given, before);
    const metadata = withServerFields(given, before);
    const merged = mergeSubresource(type, old, { ...sent, metadata }, update.subresource);
    const prepared = update.subresource === 'status' ? merged : type.prepare(merged, old);
    const tracked = update.tracked
      ? prepared
      : trackUpdate(old, prepared, this.writing(type, update.manager, update.subresource));
    const { subresource } = update;
    const admitted = this.#webhook({
      collection: type.collection,
      object: tracked,
      previous: old,
      subresource,
    });
    const next = withGeneration(type, admitted, old);
    const errors = [
      ...validateMetadata(asObject(next.metadata), type),
      ...validateMetadataUpdate(asObject(next.metadata), before),
      ...type.validate(next, old),
    ];
    if (errors.length > 0) throw invalidObject(type, name, errors);
    if (changesNothing(next, old)) return old;
    if (mayGo(next)) return update.dryRun ? next : this.#store.remove(type.collection, type.store(next));
    return this.#put(type, next, update.dryRun);
  }

  /** What field management needs to know of a write by this manager now. */
  writing(type: ResourceType, manager: string, subresource: '' | 'status'): Writing {
    return {
      manager,
      apiVersion: apiVersionOf(type),
      subresource,
      time: timeText(this.#clock.now()),
      schema: type.schema,
      mayOwn: ([first]) =>
        subresource === 'status'
          ? first === 'f:status' || (!type.custom && first === 'f:metadata')
          : !(first === 'f:status' && type.hasStatus) && !type.serverFields.includes(first ?? ''),
    };
  }

  #put(type: ResourceType, object: JsonObject, dryRun: boolean): JsonObject {
    return dryRun ? object : type.read(this.#store.put(type.collection, type.store(object)));
  }
}

/** Whether nothing holds a deleting object any more. */
export function mayGo(object: JsonObject): boolean {
  const metadata = asObject(object.metadata);
  return (
    metadata.deletionTimestamp !== undefined &&
    asList(metadata.finalizers).length === 0 &&
    !(object.kind === 'Namespace' && asList(asObject(object.spec).finalizers).length > 0)
  );
}

/** The metadata with the namespace of the request. @throws StatusError 400 when the object names another */
function placed(type: ResourceType, namespace: string, sent: JsonObject): JsonObject {
  const metadata = asObject(sent.metadata);
  const own = asText(metadata.namespace);
  if (own !== '' && own !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return type.namespaced ? { ...metadata, namespace } : metadata;
}

function checkUid(type: ResourceType, name: string, given: JsonObject, before: JsonObject): void {
  const [wanted, uid] = [asText(given.uid), asText(before.uid)];
  if (wanted !== '' && wanted !== uid)
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`,
    );
}

function checkRevision(type: ResourceType, name: string, given: JsonObject, before: JsonObject): void {
  const revision = asText(given.resourceVersion);
  if (revision === '' && !type.unconditionalUpdate)
    throw invalidObject(type, name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  if (revision !== '' && revision !== before.resourceVersion) throw staleWrite(type, name);
}

/** The metadata sent, with what only the server decides as it was before; to Go an empty text is one that was not sent. */
function withServerFields(given: JsonObject, before: JsonObject): JsonObject {
  let metadata = given;
  for (const key of [
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'selfLink',
    'resourceVersion',
  ])
    metadata = withValue(metadata, key, before[key]);
  for (const key of ['uid', 'creationTimestamp', 'generateName'])
    if (!metadata[key]) metadata = withValue(metadata, key, before[key]);
  return metadata;
}

/** A status write changes nothing but status (of built-in kinds also metadata); a main write leaves status alone. */
function mergeSubresource(
  type: ResourceType,
  old: JsonObject,
  next: JsonObject,
  subresource: '' | 'status',
): JsonObject {
  if (subresource === '') return type.hasStatus ? withValue(next, 'status', old.status) : next;
  const metadata = type.custom
    ? withValue(asObject(old.metadata), 'managedFields', asObject(next.metadata).managedFields)
    : asObject(next.metadata);
  return withValue({ ...old, metadata }, 'status', next.status);
}

function withGeneration(type: ResourceType, next: JsonObject, old: JsonObject): JsonObject {
  if (!type.hasGeneration) return next;
  const content = (object: JsonObject): JsonObject =>
    without(object, 'metadata', 'apiVersion', ...(type.hasStatus ? ['status'] : []));
  if (equal(content(next), content(old))) return next;
  const generation = Number(asObject(old.metadata).generation ?? 0) + 1;
  return { ...next, metadata: { ...asObject(next.metadata), generation } };
}

function changesNothing(next: JsonObject, old: JsonObject): boolean {
  return (
    ownersEqual(readOwners(asObject(next.metadata)), readOwners(asObject(old.metadata))) &&
    equal(withoutOwners(next), withoutOwners(old))
  );
}

function withoutOwners(object: JsonObject): JsonObject {
  return { ...object, metadata: without(asObject(object.metadata), 'managedFields') };
}
