import { asCause, describe, type FieldError } from './field-error.ts';
import type { JsonObject } from './json.ts';

/** The kind of thing a Status speaks of: a resource (plural) or, for validation, a kind. */
export interface Subject {
  group: string;
  plural: string;
  kind: string;
}

/** An answer other than success, with the Status body clients expect. */
export class StatusError extends Error {
  readonly status: JsonObject;
  readonly code: number;

  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason && { reason }),
      ...(details && { details }),
      code,
    };
  }
}

const qualified = (name: string, group: string): string => (group ? `${name}.${group}` : name);

function detailsOf(subject: Subject, name: string, more: JsonObject = {}): JsonObject {
  return {
    ...(name && { name }),
    ...(subject.group && { group: subject.group }),
    kind: subject.plural,
    ...more,
  };
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function notFound(subject: Subject, name: string): StatusError {
  const message = `${qualified(subject.plural, subject.group)} ${JSON.stringify(name)} not found`;
  return new StatusError(404, 'NotFound', message, detailsOf(subject, name));
}

/** For a path that leads to no resource although its group and version exist. */
export function noSuchResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(subject: Subject, name: string): StatusError {
  const message = `${qualified(subject.plural, subject.group)} ${JSON.stringify(name)} already exists`;
  return new StatusError(409, 'AlreadyExists', message, detailsOf(subject, name));
}

export function conflict(subject: Subject, name: string, why: string): StatusError {
  const resource = qualified(subject.plural, subject.group);
  const message = `Operation cannot be fulfilled on ${resource} ${JSON.stringify(name)}: ${why}`;
  return new StatusError(409, 'Conflict', message, detailsOf(subject, name));
}

/** The answer to a write that names a resourceVersion the object no longer has. */
export function staleWrite(subject: Subject, name: string): StatusError {
  return conflict(
    subject,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}

export function forbiddenFor(
  subject: Subject,
  name: string,
  why: string,
  causes: JsonObject[] = [],
): StatusError {
  const resource = qualified(subject.plural, subject.group);
  const message = `${resource} ${JSON.stringify(name)} is forbidden: ${why}`;
  return new StatusError(
    403,
    'Forbidden',
    message,
    detailsOf(subject, name, causes.length ? { causes } : {}),
  );
}

export function invalidObject(subject: Subject, name: string, errors: readonly FieldError[]): StatusError {
  const texts = [...new Set(errors.map((error) => `${error.field}: ${describe(error)}`))];
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const message = `${qualified(subject.kind, subject.group)} ${JSON.stringify(name)} is invalid: ${list}`;
  const details = detailsOf(subject, name, { kind: subject.kind, causes: errors.map(asCause) });
  return new StatusError(422, 'Invalid', message, details);
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return new StatusError(405, 'MethodNotAllowed', message, {});
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${accepted.join(', ')}`,
  );
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });
}
