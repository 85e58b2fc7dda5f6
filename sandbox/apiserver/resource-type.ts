import type { FieldError } from './field-error.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import type { Schema } from './schema/schema.ts';
import type { Subject } from './status-error.ts';

/** A column of `kubectl get`. */
export interface Column {
  name: string;
  type: string;
  format?: string;
  description: string;
  priority: number;
  /** The cell's value; `now` in milliseconds since 1970. */
  cell: (object: JsonObject, now: number) => string | number | boolean | null;
}

/** One resource in one version, as discovery shows it, with the rules its objects follow. */
export interface ResourceType extends Subject {
  version: string;
  singular: string;
  listKind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  schema: Schema;
  /** Where its objects are stored: several versions or views may share one place. */
  collection: string;
  /** Whether it comes from a CustomResourceDefinition. */
  custom: boolean;
  hasStatus: boolean;
  hasGeneration: boolean;
  /** Whether an update may leave out the resourceVersion. */
  unconditionalUpdate: boolean;
  /** Whether PUT to a name that does not exist creates it. */
  createOnUpdate: boolean;
  /** Whether DELETE answers with the object, not with a Status. */
  returnsDeleted: boolean;
  /** Top-level fields, as steps of managedFields, that only the server writes and nobody owns. */
  serverFields: string[];
  columns: Column[];
  nameFault: (name: string) => string | undefined;
  /** Whether finalizers that are not standard ones need a domain: of kinds that are checked as the core's are. */
  domainFinalizers: boolean;
  /** Fields besides name and namespace that field selectors may use. */
  selectableFields: (object: JsonObject) => Record<string, string>;
  /** Fills in what a request leaves out; `old` is absent on create. */
  prepare: (object: JsonObject, old: JsonObject | undefined) => JsonObject;
  validate: (object: JsonObject, old: JsonObject | undefined) => FieldError[];
  /** From the stored form to this version's, and back. */
  read: (stored: JsonObject) => JsonObject;
  store: (object: JsonObject) => JsonObject;
}

export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** Every field that a field selector of this resource may use, with the object's values. */
export function selectableFieldsOf(type: ResourceType): (object: JsonObject) => Record<string, string> {
  return (object) => {
    const metadata = asObject(object.metadata);
    const fields = { 'metadata.name': asText(metadata.name), ...type.selectableFields(object) };
    return type.namespaced ? { ...fields, 'metadata.namespace': asText(metadata.namespace) } : fields;
  };
}
