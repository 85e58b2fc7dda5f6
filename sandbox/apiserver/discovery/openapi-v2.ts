import type { Json, JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { Definitions } from './definitions.ts';
import { patchTypes } from '../patcher.ts';
import { kindOf, pathsOf, type Operation } from './operations.ts';

/** The OpenAPI v2 document of everything. */
export function openApiV2(types: readonly ResourceType[]): JsonObject {
  const definitions = new Definitions('#/definitions/');
  const paths: JsonObject = {};
  const parameters: JsonObject = {};
  for (const type of types) {
    const reference = definitions.reference(definitions.addType(type, kindOf(type)));
    for (const [path, operations] of pathsOf(type)) {
      const entries = operations.map((operation): [string, Json] => [
        operation.method,
        v2(type, operation, reference),
      ]);
      for (const name of operations.flatMap((operation) => operation.parameters))
        parameters[name] = { name, in: 'query', type: 'string', uniqueItems: true };
      paths[path] = Object.fromEntries(entries);
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths,
    definitions: definitions.all,
    parameters,
  };
}

function v2(type: ResourceType, { action, parameters, body }: Operation, reference: JsonObject): JsonObject {
  const schema = body === 'patch' ? { type: 'object' } : reference;
  return {
    consumes: body === 'patch' ? patchTypes(type) : ['*/*'],
    produces: ['application/json'],
    parameters: [
      ...parameters.map((name) => ({ $ref: `#/parameters/${name}` })),
      ...(body === 'none' ? [] : [{ name: 'body', in: 'body', required: true, schema }]),
    ],
    responses: { 200: { description: 'OK', schema: reference } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(type),
  };
}
