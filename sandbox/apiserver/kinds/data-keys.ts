import { invalid, type FieldError } from '../field-error.ts';
import { asObject, asText, type JsonObject } from '../json.ts';

const SIZE_LIMIT = 1024 * 1024;
const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/** Checks the keys of a Secret's or ConfigMap's data. */
export function validateKeys(data: JsonObject, field: string): FieldError[] {
  return Object.keys(data)
    .filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === '.' || key.startsWith('..'))
    .map((key) => invalid(`${field}[${key}]`, key, KEY));
}

/** Checks that the values together stay within a mebibyte. */
export function validateSize(object: JsonObject, ...fields: string[]): FieldError[] {
  const values = fields.flatMap((field) => Object.values(asObject(object[field])));
  const size = values.reduce<number>((sum, value) => sum + Buffer.byteLength(asText(value)), 0);
  if (size <= (SIZE_LIMIT * 4) / 3) return [];
  return [
    {
      type: 'FieldValueTooLong',
      field: fields[0] ?? '',
      detail: `may not be more than ${SIZE_LIMIT} bytes`,
    },
  ];
}
