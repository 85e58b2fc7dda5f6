import { asList, asObject, asText, type JsonObject } from '../json.ts';
import { customResourceDefinitions as definitions } from '../kinds/custom-resource-definition.ts';
import type { Change } from '../change.ts';
import { timeText } from '../time-text.ts';
import { AS_IS, type Surroundings } from './surroundings.ts';
import { WorkLoop } from './work-loop.ts';

const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** Accepts CustomResourceDefinitions, serves what they define, and empties those that go away. */
export class DefinitionController {
  readonly #parts: Surroundings;
  readonly #loop: WorkLoop;
  readonly #unsubscribe: () => void;
  /** The definitions as they are served now, by name. */
  readonly #served = new Map<string, JsonObject>();

  constructor(parts: Surroundings) {
    this.#parts = parts;
    this.#loop = new WorkLoop(parts.clock, () => this.#work());
    this.#unsubscribe = parts.store.subscribe((change) => this.#notice(change));
  }

  stop(): void {
    this.#unsubscribe();
    this.#loop.stop();
  }

  #notice({ collection, type, object }: Change): void {
    if (collection === definitions.collection) {
      if (type === 'DELETED') this.#retire(object);
      this.#loop.wake();
    } else if (type === 'DELETED' && this.#parts.catalog.closing.has(collection)) this.#loop.wake();
  }

  #work(): void {
    for (const definition of this.#parts.store.list(definitions.collection)) {
      if (asObject(definition.metadata).deletionTimestamp !== undefined) this.#empty(definition);
      else this.#establish(definition);
    }
  }

  #establish(definition: JsonObject): void {
    const { store, clock, catalog } = this.#parts;
    const wanted = withStatus(definition, timeText(clock.now()));
    const accepted = wanted === definition ? definition : store.put(definitions.collection, wanted);
    const name = asText(asObject(accepted.metadata).name);
    if (this.#served.get(name) === accepted) return;
    this.#served.set(name, accepted);
    catalog.define(accepted);
  }

  /** Deletes the objects; the definition goes when the last one has. */
  #empty(definition: JsonObject): void {
    const { store, catalog, deleter } = this.#parts;
    const collection = collectionOf(definition);
    const type = catalog.types().find((one) => one.collection === collection);
    catalog.closing.add(collection);
    if (type) for (const object of store.list(collection)) deleter.delete(type, object, AS_IS);
    if (store.list(collection).length > 0) return;
    const metadata = asObject(definition.metadata);
    const finalizers = asList(metadata.finalizers).filter((item) => item !== CLEANUP);
    deleter.finish(definitions, { ...definition, metadata: { ...metadata, finalizers } });
  }

  #retire(definition: JsonObject): void {
    const collection = collectionOf(definition);
    this.#parts.catalog.closing.delete(collection);
    this.#served.delete(asText(asObject(definition.metadata).name));
    this.#parts.catalog.remove(definition);
    this.#parts.watches.endCollection(collection);
  }
}

function collectionOf(definition: JsonObject): string {
  const spec = asObject(definition.spec);
  return `${asText(spec.group)}/${asText(asObject(spec.names).plural)}`;
}

/** The definition as accepted and established; itself when it already says so. */
function withStatus(definition: JsonObject, now: string): JsonObject {
  const { spec, status, metadata } = definition;
  const names = asObject(asObject(spec).names);
  const known = asObject(status);
  const generation = asObject(metadata).generation ?? 1;
  const stored = asList(asObject(spec).versions)
    .map(asObject)
    .filter((version) => version.storage === true)
    .map((version) => version.name ?? '');
  const storedVersions = [...new Set([...asList(known.storedVersions), ...stored])];
  const accepted = JSON.stringify(known.acceptedNames) === JSON.stringify(names);
  if (accepted && storedVersions.length === asList(known.storedVersions).length) return definition;
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: now,
    observedGeneration: generation,
  });
  return {
    ...definition,
    metadata: {
      ...asObject(metadata),
      finalizers: [...new Set([...asList(asObject(metadata).finalizers), CLEANUP])],
    },
    status: {
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      acceptedNames: names,
      storedVersions,
    },
  };
}
