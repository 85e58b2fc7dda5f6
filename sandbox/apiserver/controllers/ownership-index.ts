import { asList, asObject, asText, type JsonObject } from '../json.ts';
import { keyOf, type Change } from '../change.ts';

/** Where an object is: its collection and key. */
export interface Place {
  collection: string;
  key: string;
}

/** Who owns whom, by uid. */
export class OwnershipIndex {
  readonly #places = new Map<string, Place>();
  readonly #dependents = new Map<string, Set<string>>();

  /** Takes a change in. */
  note({ type, collection, object, previous }: Change): void {
    const uid = uidOf(object);
    for (const owner of ownersOf(previous)) this.#dependents.get(asText(owner.uid))?.delete(uid);
    if (type === 'DELETED') {
      this.#places.delete(uid);
      return;
    }
    this.#places.set(uid, { collection, key: keyOf(object) });
    for (const owner of ownersOf(object)) {
      const owned = this.#dependents.get(asText(owner.uid)) ?? new Set();
      this.#dependents.set(asText(owner.uid), owned.add(uid));
    }
  }

  place(uid: string): Place | undefined {
    return this.#places.get(uid);
  }

  /** The uids of what the object owns. */
  dependents(uid: string): string[] {
    return [...(this.#dependents.get(uid) ?? [])];
  }
}

export function uidOf(object: JsonObject): string {
  return asText(asObject(object.metadata).uid);
}

export function ownersOf(object: JsonObject | undefined): JsonObject[] {
  return asList(asObject(object?.metadata).ownerReferences).map(asObject);
}
