import { parse, YAMLParseError } from 'yaml';
import { isObject, type Json, type JsonObject } from './json.ts';
import { ProtobufError } from './protobuf.ts';
import { PROTOBUF, readProtobuf } from './protobuf-kinds.ts';
import type { ApiRequest } from './request.ts';
import { badRequest, unsupportedMediaType } from './status-error.ts';

/** The media type of a request's body, without parameters. */
export function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** @throws StatusError 400 when the body is not JSON, or not YAML where that is meant */
export function readBody(request: ApiRequest, format: 'json' | 'yaml'): Json {
  const text = typeof request.body === 'string' ? request.body : Buffer.from(request.body).toString('utf8');
  try {
    return (format === 'yaml' ? parse(text, { uniqueKeys: true }) : JSON.parse(text)) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof YAMLParseError)) throw error;
    throw badRequest(`the body is not valid ${format === 'yaml' ? 'YAML' : 'JSON'}`);
  }
}

const OBJECT_TYPES = ['application/json', 'application/yaml'];

/** @throws StatusError 400 or 415 */
export function readObject(request: ApiRequest): JsonObject {
  const type = mediaType(request) || 'application/json';
  if (type === PROTOBUF) return protobufObject(request);
  if (!OBJECT_TYPES.includes(type)) throw unsupportedMediaType(OBJECT_TYPES);
  const value = readBody(request, type === 'application/yaml' ? 'yaml' : 'json');
  if (!isObject(value)) throw badRequest('the body is not an object');
  return value;
}

function protobufObject(request: ApiRequest): JsonObject {
  try {
    const object = readProtobuf(Buffer.from(request.body));
    if (object) return object;
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(error.message);
  }
  throw unsupportedMediaType(OBJECT_TYPES);
}
