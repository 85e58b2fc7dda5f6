import { asObject, asText, type JsonObject } from './json.ts';
import { apiVersionOf, type ResourceType } from './resource-type.ts';
import { builtinSchema } from './schema/builtin.ts';
import { decodeObject, DecodingError } from './schema/decoding.ts';
import { applyDefaults } from './schema/defaulting.ts';
import { pruneObject } from './schema/pruning.ts';
import { badRequest } from './status-error.ts';

export interface Admitted {
  object: JsonObject;
  /** Fields that were dropped because nothing knows them. */
  unknown: string[];
}

/**
 * Turns what a client sent into an object of the type: unknown fields dropped, defaults filled in.
 * @throws DecodingError when a built-in type or metadata cannot hold it
 */
export function admit(type: ResourceType, sent: JsonObject): Admitted {
  if (!type.custom) {
    const { value, unknown } = decodeObject(type.schema, sent);
    return { object: { ...value, apiVersion: apiVersionOf(type), kind: type.kind }, unknown };
  }
  const metadata = decodeObject(builtinSchema('V1ObjectMeta'), asObject(sent.metadata), 'metadata');
  const pruned = pruneObject(type.schema, { ...sent, metadata: metadata.value });
  const object = applyDefaults(type.schema, pruned.value);
  return { object, unknown: [...metadata.unknown, ...pruned.unknown] };
}

/** @throws StatusError 400 when the object says it is of another kind than the path asks for */
export function checkKind(type: ResourceType, sent: JsonObject): void {
  const apiVersion = apiVersionOf(type);
  if (sent.apiVersion !== undefined && sent.apiVersion !== apiVersion)
    throw badRequest(
      `the API version in the data (${asText(sent.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  if (sent.kind !== undefined && sent.kind !== type.kind)
    throw badRequest(
      `${asText(sent.kind)} in version "${type.version}" cannot be handled as a ${type.kind}: converting (v1.${asText(sent.kind)}) to (v1.${type.kind}): unknown conversion`,
    );
}

/** `admit` for a whole object in a request: what cannot be decoded is the client's fault. @throws StatusError 400 */
export function admitRequest(type: ResourceType, sent: JsonObject): Admitted {
  checkKind(type, sent);
  try {
    return admit(type, { apiVersion: apiVersionOf(type), kind: type.kind, ...sent });
  } catch (error) {
    if (!(error instanceof DecodingError)) throw error;
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${error.message}`,
    );
  }
}
