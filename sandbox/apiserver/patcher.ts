import { admit, admitRequest, checkKind, type Admitted } from './admission.ts';
import { mediaType, readBody } from './body.ts';
import { invalid } from './field-error.ts';
import { applyConfiguration } from './fields/field-manager.ts';
import { UntypedValueError } from './fields/typed-value.ts';
import { asList, asObject, asText, isObject, type JsonObject } from './json.ts';
import { applyJsonPatch, JsonPatchError } from './patch/json-patch.ts';
import { applyMergePatch } from './patch/merge-patch.ts';
import { applyStrategicPatch } from './patch/strategic-patch.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf, type ResourceType } from './resource-type.ts';
import { DecodingError } from './schema/decoding.ts';
import {
  badRequest,
  conflict,
  invalidObject,
  notFound,
  StatusError,
  unsupportedMediaType,
} from './status-error.ts';
import type { Writer } from './writer.ts';

export const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';

export interface PatchOptions {
  manager: string;
  force: boolean;
  subresource: '' | 'status';
}

/**
 * The object after the patch in the request.
 * @param live the object in the version's form; absent when there is none, which only apply can do with
 * @throws StatusError 400, 404, 409, 415 or 422
 */
export function patchObject(
  type: ResourceType,
  name: string,
  live: JsonObject | undefined,
  request: ApiRequest,
  writer: Writer,
  options: PatchOptions,
): Admitted {
  const media = mediaType(request);
  if (media === APPLY) return applied(type, name, live, request, writer, options);
  if (!patchTypes(type).includes(media)) throw unsupportedMediaType(patchTypes(type));
  if (!live) throw notFound(type, name);
  const patched = patchedDocument(type, media, live, request);
  try {
    return admit(type, patched);
  } catch (error) {
    if (!(error instanceof DecodingError)) throw error;
    throw invalidPatch(error.message);
  }
}

/** The media types of patches for this resource. */
export function patchTypes(type: ResourceType): string[] {
  return [JSON_PATCH, MERGE_PATCH, ...(type.custom ? [] : [STRATEGIC_PATCH]), APPLY];
}

function patchedDocument(
  type: ResourceType,
  media: string,
  live: JsonObject,
  request: ApiRequest,
): JsonObject {
  const patch = readBody(request, 'json');
  if (media === JSON_PATCH) return jsonPatched(live, patch);
  if (!isObject(patch)) throw badRequest('the patch is not an object');
  return media === MERGE_PATCH ? applyMergePatch(live, patch) : applyStrategicPatch(type.schema, live, patch);
}

function jsonPatched(live: JsonObject, patch: ReturnType<typeof readBody>): JsonObject {
  if (!Array.isArray(patch)) throw badRequest('the JSON patch is not a list of operations');
  try {
    return asObject(applyJsonPatch(live, patch));
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new StatusError(
      422,
      'Invalid',
      'the server rejected our request due to an error in our request',
      {},
    );
  }
}

/** A patch whose result is no object of the type. The result itself stays out of the message: it may be a Secret. */
export function invalidPatch(why: string): StatusError {
  return invalidObject({ group: '', plural: '', kind: '' }, '', [invalid('patch', '[object]', why)]);
}

function applied(
  type: ResourceType,
  name: string,
  live: JsonObject | undefined,
  request: ApiRequest,
  writer: Writer,
  options: PatchOptions,
): Admitted {
  const configuration = readBody(request, 'yaml');
  if (!isObject(configuration)) throw badRequest('the applied configuration is not an object');
  if (options.manager === '') throw managerRequired();
  checkConfiguration(type, name, live, configuration);
  if (!live && options.subresource !== '') throw notFound(type, name);
  const { unknown } = admitRequest(type, configuration);
  const base = live ?? { apiVersion: apiVersionOf(type), kind: type.kind };
  const writing = writer.writing(type, options.manager, options.subresource);
  try {
    const merged = applyConfiguration(base, configuration, writing, options.force);
    return { object: admit(type, merged).object, unknown };
  } catch (error) {
    if (!(error instanceof UntypedValueError)) throw error;
    const what = `${asText(asObject(configuration.metadata).namespace)}/${name}; ${apiVersionOf(type)}, Kind=${type.kind}`;
    throw new StatusError(500, '', `failed to create typed patch object (${what}): ${error.message}`);
  }
}

function managerRequired(): StatusError {
  return new StatusError(
    422,
    'Invalid',
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    {
      group: 'meta.k8s.io',
      kind: 'PatchOptions',
      causes: [
        {
          reason: 'FieldValueRequired',
          message: 'Required value: is required for apply patch',
          field: 'fieldManager',
        },
      ],
    },
  );
}

function checkConfiguration(
  type: ResourceType,
  name: string,
  live: JsonObject | undefined,
  configuration: JsonObject,
): void {
  const metadata = asObject(configuration.metadata);
  const [version, expected] = [asText(configuration.apiVersion), apiVersionOf(type)];
  if (version !== expected)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${version}, expected: ${expected}`,
    );
  if (asText(configuration.kind) === '') throw badRequest('the applied configuration needs a kind');
  checkKind(type, configuration);
  if (asList(metadata.managedFields).length > 0) throw badRequest('metadata.managedFields must be nil');
  const own = asText(metadata.name);
  if (own !== '' && own !== name)
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  const uid = asText(metadata.uid);
  if (!live && uid !== '')
    throw conflict(
      type,
      name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
}
