import { asList, asObject, asText, withValue, type JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import type { Change } from '../change.ts';
import { ownersOf, OwnershipIndex, uidOf } from './ownership-index.ts';
import { IN_BACKGROUND, IN_FOREGROUND, type Surroundings } from './surroundings.ts';
import { WorkLoop } from './work-loop.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

interface Found {
  type: ResourceType;
  object: JsonObject;
}

/** Deletes what lost all its owners, and carries out foreground deletion and orphaning (kube-controller-manager's). */
export class GarbageCollector {
  readonly #parts: Surroundings;
  readonly #index = new OwnershipIndex();
  readonly #dirty = new Set<string>();
  readonly #loop: WorkLoop;
  readonly #unsubscribe: () => void;

  constructor(parts: Surroundings) {
    this.#parts = parts;
    this.#loop = new WorkLoop(parts.clock, () => this.#work());
    this.#unsubscribe = parts.store.subscribe((change) => this.#notice(change));
  }

  stop(): void {
    this.#unsubscribe();
    this.#loop.stop();
  }

  #notice(change: Change): void {
    const { type, object, previous } = change;
    this.#index.note(change);
    const uid = uidOf(object);
    if (type === 'DELETED') {
      for (const dependent of this.#index.dependents(uid)) this.#dirty.add(dependent);
      for (const owner of ownersOf(previous)) this.#dirty.add(asText(owner.uid));
    } else if (ownersOf(object).length > 0 || asObject(object.metadata).deletionTimestamp !== undefined)
      this.#dirty.add(uid);
    if (this.#dirty.size > 0) this.#loop.wake();
  }

  #work(): void {
    const due = [...this.#dirty];
    this.#dirty.clear();
    for (const uid of due) {
      const found = this.#find(uid);
      if (found) this.#collect(found, uid);
    }
  }

  #find(uid: string): Found | undefined {
    const place = this.#index.place(uid);
    if (!place) return undefined;
    const object = this.#parts.store.get(place.collection, place.key);
    const type = this.#parts.catalog.types().find(({ collection }) => collection === place.collection);
    return object && type && uidOf(object) === uid ? { type, object } : undefined;
  }

  #collect(found: Found, uid: string): void {
    const { metadata } = found.object;
    const { deletionTimestamp, finalizers } = asObject(metadata);
    if (deletionTimestamp !== undefined) {
      if (asList(finalizers).includes(FOREGROUND)) this.#deleteDependents(found, uid);
      else if (asList(finalizers).includes(ORPHAN)) this.#orphanDependents(found, uid);
      return;
    }
    const owners = ownersOf(found.object).map((reference) => ({
      reference,
      owner: this.#find(asText(reference.uid)),
    }));
    const present = owners.filter(({ owner }) => owner && sameScope(owner, found));
    if (owners.length === 0) return;
    const solid = present.filter(({ owner }) => owner && !waitsForDependents(owner.object));
    if (solid.length === 0) {
      const options = present.length > 0 ? IN_FOREGROUND : IN_BACKGROUND;
      this.#parts.deleter.delete(found.type, found.object, options);
    } else if (solid.length < owners.length)
      this.#writeOwners(
        found,
        solid.map(({ reference }) => reference),
      );
  }

  #deleteDependents(owner: Found, uid: string): void {
    const dependents = this.#index.dependents(uid).flatMap((dependent) => this.#find(dependent) ?? []);
    const blocking = dependents.filter(({ object }) =>
      ownersOf(object).some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
    );
    for (const { object } of dependents) this.#dirty.add(uidOf(object));
    const waiting = dependents.some(
      ({ object }) => asObject(object.metadata).deletionTimestamp === undefined,
    );
    if (blocking.length === 0) this.#removeFinalizer(owner, FOREGROUND);
    else if (waiting) this.#loop.wake();
  }

  #orphanDependents(owner: Found, uid: string): void {
    for (const dependent of this.#index.dependents(uid)) {
      const found = this.#find(dependent);
      if (found)
        this.#writeOwners(
          found,
          ownersOf(found.object).filter((reference) => reference.uid !== uid),
        );
    }
    this.#removeFinalizer(owner, ORPHAN);
  }

  #writeOwners({ type, object }: Found, owners: JsonObject[]): void {
    const metadata = withValue(
      asObject(object.metadata),
      'ownerReferences',
      owners.length > 0 ? owners : undefined,
    );
    this.#parts.store.put(type.collection, { ...object, metadata });
  }

  #removeFinalizer({ type, object }: Found, finalizer: string): void {
    const metadata = asObject(object.metadata);
    const finalizers = asList(metadata.finalizers).filter((item) => item !== finalizer);
    const rest = withValue(metadata, 'finalizers', finalizers.length > 0 ? finalizers : undefined);
    this.#parts.deleter.finish(type, { ...object, metadata: rest });
  }
}

/** An owner counts only in its dependent's own namespace, or when it has none. */
function sameScope(owner: Found, dependent: Found): boolean {
  return (
    !owner.type.namespaced ||
    asObject(owner.object.metadata).namespace === asObject(dependent.object.metadata).namespace
  );
}

function waitsForDependents(object: JsonObject): boolean {
  const { deletionTimestamp, finalizers } = asObject(object.metadata);
  return deletionTimestamp !== undefined && asList(finalizers).includes(FOREGROUND);
}
