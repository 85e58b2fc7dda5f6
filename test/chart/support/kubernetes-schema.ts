import { readdir, readFile } from 'node:fs/promises';
import * as models from '@kubernetes/client-node';
import { parse } from 'yaml';
import { admit } from '../../../sandbox/apiserver/admission.ts';
import { describe as inWords } from '../../../sandbox/apiserver/field-error.ts';
import type { JsonObject } from '../../../sandbox/apiserver/json.ts';
import { customTypes } from '../../../sandbox/apiserver/kinds/custom-type.ts';
import { apiVersionOf } from '../../../sandbox/apiserver/resource-type.ts';
import type { Rendered } from './helm.ts';

interface Attribute {
  baseName: string;
  type: string;
}

interface TypedModel {
  getAttributeTypeMap(): Attribute[];
}

interface ValidatedModel {
  validate(): void;
}

const CRDS = new URL('../../../crds/', import.meta.url);
const definitions = (await readdir(CRDS)).map((name) => readFile(new URL(name, CRDS), 'utf8'));
/** The project's own kinds, by the schemas and rules of their CRDs. */
const own = (await Promise.all(definitions)).flatMap((text) => customTypes(parse(text) as JsonObject));

/** Why the API server would refuse an object or drop a part of it; none when it is as it should be. */
export async function complaints(object: Rendered): Promise<string[]> {
  const where = `${object.kind} ${object.metadata.name}`;
  const type = own.find((each) => apiVersionOf(each) === object.apiVersion && each.kind === object.kind);
  if (type) {
    const { object: stored, unknown } = admit(type, object as unknown as JsonObject);
    return [
      ...unknown.map((field) => `${where} has no field ${field}`),
      ...type.validate(stored, undefined).map((error) => `${where}: ${error.field}: ${inWords(error)}`),
    ];
  }
  const found = object.apiVersion.startsWith('monitoring.coreos.com/')
    ? []
    : unknownFields(object, `V1${object.kind}`, where);
  return [...found, ...(await violations(object)).map((text) => `${where}: ${text}`)];
}

/** Values that break the schema of their kind: a required field is missing, a type or a pattern is wrong. */
async function violations(object: Rendered): Promise<string[]> {
  const vendor = object.apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  const module = (await import(`${vendor}/${object.apiVersion}`)) as Record<
    string,
    new (data: object) => ValidatedModel
  >;
  const Model = module[object.kind];
  if (!Model) return [`there is no kind ${object.kind} in ${object.apiVersion}`];
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Fields that the kind does not have, which the API server drops with a warning at most. */
function unknownFields(value: unknown, type: string, path: string): string[] {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list) return (value as unknown[]).flatMap((each, at) => unknownFields(each, list, `${path}[${at}]`));
  const map = /^{ \[key: string\]: (.*); }$/.exec(type)?.[1];
  if (map) {
    const entries = Object.entries(value as object) as [string, unknown][];
    return entries.flatMap(([key, each]) => unknownFields(each, map, `${path}.${key}`));
  }
  const model = (models as unknown as Record<string, TypedModel | undefined>)[type];
  if (!model?.getAttributeTypeMap) return [];
  const attributes = new Map(model.getAttributeTypeMap().map((each) => [each.baseName, each.type]));
  return Object.entries(value as object).flatMap(([key, each]) => {
    const attribute = attributes.get(key);
    return attribute === undefined
      ? [`${path} has no field ${key}`]
      : unknownFields(each, attribute, `${path}.${key}`);
  });
}
