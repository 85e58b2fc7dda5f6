import type { Catalog } from '../catalog.ts';
import type { Answer, ApiRequest } from '../request.ts';

export function openApi(_catalog: Catalog, _request: ApiRequest): Answer | undefined {
  return undefined;
}
