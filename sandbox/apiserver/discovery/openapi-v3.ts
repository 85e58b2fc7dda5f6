import type { Json, JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { Definitions } from './definitions.ts';
import { patchTypes } from '../patcher.ts';
import { kindOf, pathsOf, type Operation } from './operations.ts';

/** The OpenAPI v3 document of one group and version. */
export function openApiV3(types: readonly ResourceType[]): JsonObject {
  const definitions = new Definitions('#/components/schemas/');
  const paths: JsonObject = {};
  for (const type of types) {
    const reference = definitions.reference(definitions.addType(type, kindOf(type)));
    for (const [path, operations] of pathsOf(type)) {
      const entries = operations.map((operation): [string, Json] => [
        operation.method,
        v3(type, operation, reference),
      ]);
      paths[path] = { ...Object.fromEntries(entries), parameters: pathParameters(path) };
    }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths,
    components: { schemas: definitions.all },
  };
}

function v3(type: ResourceType, { action, parameters, body }: Operation, reference: JsonObject): JsonObject {
  const media = body === 'patch' ? patchTypes(type) : ['application/json', 'application/yaml'];
  const schema = body === 'patch' ? { type: 'object' } : reference;
  const content = Object.fromEntries(media.map((name): [string, Json] => [name, { schema }]));
  return {
    parameters: parameters.map((name) => ({
      name,
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    })),
    ...(body !== 'none' && { requestBody: { content, required: true } }),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: reference } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(type),
  };
}

function pathParameters(path: string): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', uniqueItems: true },
  }));
}
