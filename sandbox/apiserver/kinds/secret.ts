import { forbidden, invalid, required, type FieldError } from '../field-error.ts';
import { asObject, asText, equal, isObject, type Json, type JsonObject } from '../json.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType, sizeOf } from './builtin-type.ts';
import { validateKeys, validateSize } from './data-keys.ts';

export const secrets = builtinType({
  model: 'V1Secret',
  plural: 'secrets',
  kind: 'Secret',
  columns: [
    nameColumn,
    column('Type', (object) => asText(object.type)),
    column('Data', (object) => sizeOf(object, 'data')),
    ageColumn,
  ],
  selectableFields: (object) => ({ type: asText(object.type) }),
  prepare: (object) => {
    const { stringData, ...secret } = object;
    const texts = Object.entries(asObject(stringData)).map(([key, value]): [string, Json] => [
      key,
      Buffer.from(asText(value)).toString('base64'),
    ]);
    const data = { ...asObject(secret.data), ...Object.fromEntries(texts) };
    return {
      ...secret,
      ...(Object.keys(data).length > 0 && { data }),
      type: asText(secret.type) || 'Opaque',
    };
  },
  validate: (object, old) => [
    ...validateKeys(asObject(object.data), 'data'),
    ...validateSize(object, 'data'),
    ...validateTypedData(object),
    ...(old ? validateChange(object, old) : []),
  ],
});

/** Keys that a type asks for, and those whose value must be JSON. */
const NEEDED: Record<string, { keys: string[]; json: boolean }> = {
  'kubernetes.io/dockerconfigjson': { keys: ['.dockerconfigjson'], json: true },
  'kubernetes.io/dockercfg': { keys: ['.dockercfg'], json: true },
  'kubernetes.io/tls': { keys: ['tls.crt', 'tls.key'], json: false },
  'kubernetes.io/ssh-auth': { keys: ['ssh-privatekey'], json: false },
};

function validateTypedData(object: JsonObject): FieldError[] {
  const data = asObject(object.data);
  const needed = NEEDED[asText(object.type)];
  const missing = (needed?.keys ?? []).filter((key) => !Object.hasOwn(data, key));
  const errors = missing.map((key) => required(`data[${key}]`));
  for (const key of needed?.json ? needed.keys : [])
    if (Object.hasOwn(data, key) && !holdsJsonObject(asText(data[key])))
      errors.push(invalid(`data[${key}]`, '<secret contents redacted>', 'invalid character in JSON'));
  if (object.type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data))
    errors.push(required('data[username]'), required('data[password]'));
  return errors;
}

function holdsJsonObject(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return value === null || isObject(value);
  } catch {
    return false;
  }
}

function validateChange(object: JsonObject, old: JsonObject): FieldError[] {
  const errors = equal(object.type, old.type) ? [] : [invalid('type', object.type, 'field is immutable')];
  if (old.immutable !== true) return errors;
  if (object.immutable !== true)
    errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  if (!equal(object.data, old.data))
    errors.push(forbidden('data', 'field is immutable when `immutable` is set'));
  return errors;
}
