import { asList, asObject, asText, without, type JsonObject } from '../json.ts';
import { namespaces, NAMESPACE_FINALIZER } from '../kinds/namespace.ts';
import type { Change } from '../change.ts';
import { IN_BACKGROUND, type Surroundings } from './surroundings.ts';
import { WorkLoop } from './work-loop.ts';

/** Empties namespaces that are being deleted, then lets them go. */
export class NamespaceController {
  readonly #parts: Surroundings;
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

  #notice({ object, collection }: Change): void {
    const { namespace } = asObject(object.metadata);
    const home = collection === namespaces.collection ? object : this.#namespace(asText(namespace));
    if (home && isTerminating(home)) this.#loop.wake();
  }

  #namespace(name: string): JsonObject | undefined {
    return name === '' ? undefined : this.#parts.store.get(namespaces.collection, name);
  }

  #work(): void {
    for (const namespace of this.#parts.store.list(namespaces.collection))
      if (isTerminating(namespace)) this.#empty(namespace);
  }

  #empty(namespace: JsonObject): void {
    const { store, catalog, deleter } = this.#parts;
    const { name } = asObject(namespace.metadata);
    let left = 0;
    for (const type of catalog.namespaced())
      for (const object of store.list(type.collection)) {
        if (asObject(object.metadata).namespace !== name) continue;
        if (!deleter.delete(type, object, IN_BACKGROUND).gone) left++;
      }
    const spec = asObject(namespace.spec);
    const finalizers = asList(spec.finalizers).filter((item) => item !== NAMESPACE_FINALIZER);
    if (left > 0 || finalizers.length === asList(spec.finalizers).length) return;
    const rest = without(spec, 'finalizers');
    deleter.finish(namespaces, {
      ...namespace,
      spec: finalizers.length > 0 ? { ...rest, finalizers } : rest,
    });
  }
}

function isTerminating(namespace: JsonObject): boolean {
  return asObject(namespace.metadata).deletionTimestamp !== undefined;
}
