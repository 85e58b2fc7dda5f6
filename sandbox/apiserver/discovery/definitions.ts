import type { Catalog } from '../catalog.ts';
import type { Json, JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import type { Schema } from '../schema/schema.ts';

/** Turns schemas into the definitions of an OpenAPI document, each named type once. */
export class Definitions {
  readonly #prefix: string;
  readonly all: JsonObject = {};

  /** @param prefix where references point: `#/definitions/` or `#/components/schemas/` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Publishes the schema of a resource. @returns its name */
  addType(type: ResourceType, groupVersionKind: JsonObject): string {
    const name = type.schema.definition ?? definitionName(type);
    if (!Object.hasOwn(this.all, name)) {
      this.all[name] = {};
      this.all[name] = { ...this.#body(type.schema), 'x-kubernetes-group-version-kind': [groupVersionKind] };
    }
    return name;
  }

  reference(name: string): JsonObject {
    return { $ref: this.#prefix + name };
  }

  #publish(schema: Schema): JsonObject {
    const name = schema.definition;
    if (name === undefined) return this.#body(schema);
    if (!Object.hasOwn(this.all, name)) {
      this.all[name] = {};
      this.all[name] = this.#body(schema);
    }
    return this.reference(name);
  }

  #body(schema: Schema): JsonObject {
    const { definition: _definition, properties, items, additionalProperties, ...plain } = schema;
    const body = Object.fromEntries(Object.entries(plain)) as JsonObject;
    if (properties) {
      const fields: [string, Json][] = Object.entries(properties).map(([name, field]) => [
        name,
        this.#publish(field),
      ]);
      body.properties = Object.fromEntries(fields);
    }
    if (items) body.items = this.#publish(items);
    if (typeof additionalProperties === 'object')
      body.additionalProperties = this.#publish(additionalProperties);
    return body;
  }
}

/** As apiextensions names a custom resource: the group's parts in reverse order. */
function definitionName({ group, version, kind }: ResourceType): string {
  return `${group.split('.').toReversed().join('.')}.${version}.${kind}`;
}

/** The groups and versions that documents are made for. */
export function groupVersions(catalog: Catalog): Map<string, ResourceType[]> {
  return Map.groupBy(catalog.types(), ({ group, version }) =>
    group ? `apis/${group}/${version}` : `api/${version}`,
  );
}
