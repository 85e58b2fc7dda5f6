import type { Clock } from '../../src/common/clock.ts';
import { asList, asObject, asText, withValue, type Json, type JsonObject } from './json.ts';
import { namespaces } from './kinds/namespace.ts';
import { PERMANENT_NAMESPACES } from './namespace-lifecycle.ts';
import type { ResourceType } from './resource-type.ts';
import { badRequest, conflict, forbiddenFor } from './status-error.ts';
import type { Store } from './store.ts';
import { timeText } from './time-text.ts';
import { mayGo } from './writer.ts';

export interface DeleteOptions {
  uid: string;
  resourceVersion: string;
  propagation: 'Background' | 'Foreground' | 'Orphan' | '';
  dryRun: boolean;
}

export interface Deletion {
  /** The object as it was last seen. */
  object: JsonObject;
  /** Whether it is gone; otherwise finalizers hold it. */
  gone: boolean;
}

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/** Deletes objects: at once, or by marking those that finalizers hold. */
export class Deleter {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws StatusError 403 for permanent namespaces, 409 when a precondition does not hold */
  delete(type: ResourceType, stored: JsonObject, options: DeleteOptions): Deletion {
    checkPreconditions(type, stored, options);
    if (type === namespaces) checkNamespace(stored);
    const marked = this.#mark(type, stored, options.propagation);
    if (mayGo(marked)) {
      const object = options.dryRun
        ? stored
        : this.#store.remove(type.collection, withoutMark(marked, stored));
      return { object: type.read(object), gone: true };
    }
    const unchanged = marked === stored;
    const object = options.dryRun || unchanged ? marked : this.#store.put(type.collection, marked);
    return { object: type.read(object), gone: false };
  }

  /** Writes an object whose finalizers changed, or removes it when nothing holds it any more. */
  finish(type: ResourceType, stored: JsonObject): JsonObject {
    const store = this.#store;
    const { collection } = type;
    return type.read(mayGo(stored) ? store.remove(collection, stored) : store.put(collection, stored));
  }

  #mark(type: ResourceType, stored: JsonObject, propagation: DeleteOptions['propagation']): JsonObject {
    const before = asObject(stored.metadata);
    const finalizers = finalizersFor(asList(before.finalizers), propagation);
    const known = before.deletionTimestamp !== undefined;
    if (known && finalizers.length === asList(before.finalizers).length) return stored;
    const generation = typeof before.generation === 'number' ? before.generation + 1 : undefined;
    const metadata = withValue(before, 'finalizers', finalizers.length > 0 ? finalizers : undefined);
    const marked: JsonObject = known
      ? metadata
      : {
          ...metadata,
          ...(generation && { generation }),
          deletionTimestamp: timeText(this.#clock.now()),
          ...(type !== namespaces && { deletionGracePeriodSeconds: 0 }),
        };
    const object = { ...stored, metadata: marked };
    return type === namespaces
      ? { ...object, status: { ...asObject(stored.status), phase: 'Terminating' } }
      : object;
  }
}

/** An object that goes at once was never seen deleting. */
function withoutMark(marked: JsonObject, stored: JsonObject): JsonObject {
  return asObject(stored.metadata).deletionTimestamp === undefined ? stored : marked;
}

function finalizersFor(finalizers: Json[], propagation: DeleteOptions['propagation']): Json[] {
  if (propagation === '') return finalizers;
  const others = finalizers.filter((item) => item !== FOREGROUND && item !== ORPHAN);
  if (propagation === 'Foreground') return [...others, FOREGROUND];
  return propagation === 'Orphan' ? [...others, ORPHAN] : others;
}

function checkPreconditions(type: ResourceType, stored: JsonObject, options: DeleteOptions): void {
  const metadata = asObject(stored.metadata);
  const name = asText(metadata.name);
  const uid = asText(metadata.uid);
  if (options.uid !== '' && options.uid !== uid)
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`,
    );
  const revision = asText(metadata.resourceVersion);
  if (options.resourceVersion !== '' && options.resourceVersion !== revision)
    throw conflict(
      type,
      name,
      `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${revision}`,
    );
}

function checkNamespace(stored: JsonObject): void {
  const { name, deletionTimestamp } = asObject(stored.metadata);
  if (PERMANENT_NAMESPACES.includes(asText(name)))
    throw forbiddenFor(namespaces, asText(name), 'this namespace may not be deleted');
  if (deletionTimestamp !== undefined && !mayGo(stored))
    throw conflict(
      namespaces,
      asText(name),
      'The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.',
    );
}

/**
 * Reads DeleteOptions from the body and the query; the body wins.
 * @throws StatusError 400 for an unknown propagation policy
 */
export function readDeleteOptions(body: JsonObject, query: URLSearchParams): DeleteOptions {
  const preconditions = asObject(body.preconditions);
  const orphan =
    body.orphanDependents ??
    (query.has('orphanDependents') ? query.get('orphanDependents') === 'true' : undefined);
  const policy = asText(body.propagationPolicy) || (query.get('propagationPolicy') ?? '');
  const propagation = policy || (orphan === undefined ? '' : orphan === true ? 'Orphan' : 'Background');
  if (
    propagation !== '' &&
    propagation !== 'Background' &&
    propagation !== 'Foreground' &&
    propagation !== 'Orphan'
  )
    throw badRequest(
      `invalid DeleteOptions: propagationPolicy: Unsupported value: ${JSON.stringify(propagation)}`,
    );
  return {
    uid: asText(preconditions.uid),
    resourceVersion: asText(preconditions.resourceVersion),
    propagation,
    dryRun: asList(body.dryRun).includes('All') || query.getAll('dryRun').includes('All'),
  };
}
