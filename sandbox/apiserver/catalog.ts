import { builtinTypes } from './kinds/builtin-types.ts';
import { customTypes } from './kinds/custom-type.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import type { ResourceType } from './resource-type.ts';

/** Which resources the server has right now. */
export class Catalog {
  readonly #custom = new Map<string, ResourceType[]>();
  #types: readonly ResourceType[] = builtinTypes;
  /** Collections whose definition is going away: they are emptied and take nothing new. */
  readonly closing = new Set<string>();

  /** Serves what an accepted CustomResourceDefinition defines, in place of what it defined before. */
  define(definition: JsonObject): void {
    this.#custom.set(nameOf(definition), customTypes(definition));
    this.#gather();
  }

  remove(definition: JsonObject): void {
    this.#custom.delete(nameOf(definition));
    this.#gather();
  }

  types(): readonly ResourceType[] {
    return this.#types;
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    return this.types().find(
      (type) => type.plural === plural && type.group === group && type.version === version,
    );
  }

  /** Any version of the kind. */
  findKind(group: string, kind: string): ResourceType | undefined {
    return this.types().find((type) => type.kind === kind && type.group === group);
  }

  has(group: string, version: string): boolean {
    return this.types().some((type) => type.group === group && type.version === version);
  }

  /** One resource for each kind of namespaced object that is stored. */
  namespaced(): ResourceType[] {
    const byCollection = new Map(this.types().map((type) => [type.collection, type]));
    return [...byCollection.values()].filter((type) => type.namespaced);
  }

  #gather(): void {
    this.#types = [...builtinTypes, ...[...this.#custom.values()].flat()];
  }
}

function nameOf(definition: JsonObject): string {
  return asText(asObject(definition.metadata).name);
}
