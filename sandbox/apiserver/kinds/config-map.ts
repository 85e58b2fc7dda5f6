import { forbidden, invalid, type FieldError } from '../field-error.ts';
import { asObject, equal, type JsonObject } from '../json.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType, sizeOf } from './builtin-type.ts';
import { validateKeys, validateSize } from './data-keys.ts';

export const configMaps = builtinType({
  model: 'V1ConfigMap',
  plural: 'configmaps',
  kind: 'ConfigMap',
  shortNames: ['cm'],
  columns: [nameColumn, column('Data', (object) => sizeOf(object, 'data', 'binaryData')), ageColumn],
  validate: (object, old) => [
    ...validateKeys(asObject(object.data), 'data'),
    ...validateKeys(asObject(object.binaryData), 'binaryData'),
    ...validateSize(object, 'data', 'binaryData'),
    ...validateOverlap(object),
    ...(old?.immutable === true ? validateImmutable(object, old) : []),
  ],
});

function validateOverlap(object: JsonObject): FieldError[] {
  return Object.keys(asObject(object.binaryData))
    .filter((key) => Object.hasOwn(asObject(object.data), key))
    .map((key) => invalid(`data[${key}]`, key, `duplicate of key present in binaryData`));
}

function validateImmutable(object: JsonObject, old: JsonObject): FieldError[] {
  const detail = 'field is immutable when `immutable` is set';
  return ['immutable', 'data', 'binaryData']
    .filter((field) => !equal(object[field], old[field]))
    .map((field) => forbidden(field, detail));
}
