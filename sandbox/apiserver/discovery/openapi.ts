import { createHash } from 'node:crypto';
import type { Catalog } from '../catalog.ts';
import type { Json, JsonObject } from '../json.ts';
import { mediaRanges } from '../representation.ts';
import type { Answer, ApiRequest } from '../request.ts';
import { answer } from '../resource-service.ts';
import { notAcceptable } from '../status-error.ts';
import { groupVersions } from './definitions.ts';
import { openApiV2 } from './openapi-v2.ts';
import { openApiV3 } from './openapi-v3.ts';

/**
 * /openapi/v2, /openapi/v3 and its documents, as JSON.
 * @throws StatusError 406 for clients that want protobuf alone
 */
export function openApi(catalog: Catalog, request: ApiRequest): Answer | undefined {
  const [, version, ...rest] = request.path.split('/').filter((part) => part !== '');
  if (version !== 'v2' && version !== 'v3') return undefined;
  if (!acceptsJson(request.headers.accept)) throw notAcceptable(['application/json']);
  if (version === 'v2') return answer(200, openApiV2(catalog.types()));
  if (rest.length === 0) return answer(200, index(catalog));
  const types = groupVersions(catalog).get(rest.join('/'));
  return types && answer(200, openApiV3(types));
}

/** What there is, each with a hash that changes with it, for clients that cache. */
function index(catalog: Catalog): JsonObject {
  const paths = [...groupVersions(catalog)].map(([path, types]): [string, Json] => {
    const hash = createHash('sha256')
      .update(JSON.stringify(openApiV3(types)))
      .digest('hex');
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash.slice(0, 32).toUpperCase()}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

function acceptsJson(accept: string | undefined): boolean {
  const ranges = mediaRanges(accept ?? '');
  return (
    ranges.length === 0 ||
    ranges.some(({ type }) => ['application/json', 'application/*', '*/*'].includes(type))
  );
}
