import type { Catalog } from '../catalog.ts';
import type { JsonObject } from '../json.ts';
import { mediaRanges } from '../representation.ts';
import type { Answer, ApiRequest } from '../request.ts';
import { answer } from '../resource-service.ts';
import { methodNotAllowed } from '../status-error.ts';
import { aggregatedGroups, AGGREGATED } from './aggregated.ts';
import { openApi } from './openapi.ts';
import { coreVersions, group, groupList, resourceList } from './resources.ts';

const VERSION: JsonObject = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0-embedded',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
};

/** Answers what is not about objects: version, health, discovery, OpenAPI. Undefined for other paths. */
export function discover(catalog: Catalog, request: ApiRequest): Answer | undefined {
  const found = find(catalog, request);
  if (found && request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
  return found;
}

function find(catalog: Catalog, request: ApiRequest): Answer | undefined {
  const [root = '', name, version, ...rest] = request.path.split('/').filter((part) => part !== '');
  switch (root) {
    case 'version':
      return answer(200, VERSION);
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' };
    case 'openapi':
      return openApi(catalog, request);
    case 'api':
      if (name === undefined) return rootOf(catalog, request, '');
      return version === undefined && catalog.has('', name)
        ? answer(200, resourceList(catalog, '', name))
        : undefined;
    case 'apis':
      if (name === undefined) return rootOf(catalog, request, 'apis');
      if (rest.length > 0) return undefined;
      if (version !== undefined)
        return catalog.has(name, version) ? answer(200, resourceList(catalog, name, version)) : undefined;
      return catalog.types().some((type) => type.group === name)
        ? answer(200, group(catalog, name))
        : undefined;
    default:
      return undefined;
  }
}

/** /api and /apis: everything at once for clients that ask for it, the list of groups for others. */
function rootOf(catalog: Catalog, request: ApiRequest, root: '' | 'apis'): Answer {
  const aggregated = mediaRanges(request.headers.accept ?? '').some(
    ({ parameters }) =>
      parameters.get('g') === 'apidiscovery.k8s.io' &&
      parameters.get('v') === 'v2' &&
      parameters.get('as') === 'APIGroupDiscoveryList',
  );
  if (aggregated) {
    const body = aggregatedGroups(catalog, root === 'apis');
    return answer(200, body, { 'content-type': AGGREGATED });
  }
  return answer(200, root === 'apis' ? groupList(catalog) : coreVersions());
}
