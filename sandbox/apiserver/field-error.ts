import type { Json, JsonObject } from './json.ts';

/** What is wrong with one field. Types and texts are those of k8s.io/apimachinery/pkg/util/validation/field. */
export interface FieldError {
  type: keyof typeof TITLES;
  field: string;
  /** Shown quoted in the message; left out for types that never show it. */
  value?: Json;
  detail?: string;
}

const TITLES = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
} as const;

const WITHOUT_VALUE = new Set<FieldError['type']>([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
]);

/** The message without the field's name. */
export function describe(error: FieldError): string {
  const title = TITLES[error.type];
  const head = WITHOUT_VALUE.has(error.type) ? title : `${title}: ${JSON.stringify(error.value ?? null)}`;
  return error.detail ? `${head}: ${error.detail}` : head;
}

/** As one entry of a Status's `details.causes`. */
export function asCause(error: FieldError): JsonObject {
  return { reason: error.type, message: describe(error), field: error.field };
}

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, detail };
}

export function invalid(field: string, value: Json | undefined, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, value: value ?? null, detail };
}

export function typeInvalid(field: string, value: Json, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, value, detail };
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, detail };
}

export function duplicate(field: string, value: Json): FieldError {
  return { type: 'FieldValueDuplicate', field, value };
}

export function notSupported(field: string, value: Json, supported: readonly string[]): FieldError {
  const list = supported.map((item) => JSON.stringify(item)).join(', ');
  return { type: 'FieldValueNotSupported', field, value, detail: `supported values: ${list}` };
}

export function tooLong(field: string, limit: number): FieldError {
  return { type: 'FieldValueTooLong', field, detail: `may not be more than ${limit} bytes` };
}

export function tooMany(field: string, actual: number, limit: number): FieldError {
  return { type: 'FieldValueTooMany', field, value: actual, detail: `must have at most ${limit} items` };
}
