import type { KubeObject, Resource } from '../common/objects.ts';
import type { KubeClient, ListOptions } from '../kube/client/client.ts';
import { KubeError } from '../kube/client/errors.ts';

/** Objects that a page has. They are read one by one, so that it does not matter how large they are. */
const PAGE_SIZE = 500;

/**
 * Reads a list page by page and keeps nothing of it. When the server forgets it midway, it is begun again, and asked for all at once.
 * @param begin what to do with each object; called when the list begins, and again when it begins anew: then what was seen before does not count
 * @throws KubeError, the signal's reason
 */
export async function scan(
  client: KubeClient,
  resource: Resource,
  options: ListOptions,
  begin: () => (object: KubeObject) => void,
): Promise<void> {
  let limit: number | undefined = PAGE_SIZE;
  let from: string | undefined;
  let visit = begin();
  const keep = (object: KubeObject): KubeObject => {
    visit(object);
    return SEEN;
  };
  for (;;) {
    try {
      const page = await client.listPage(resource, { ...options, limit, continue: from }, keep);
      from = page.continue;
      if (!from) return;
    } catch (error) {
      if (!(from && error instanceof KubeError && error.isGone)) throw error;
      [limit, from] = [undefined, undefined];
      visit = begin();
    }
  }
}

/** In place of every object that was seen. */
const SEEN = {} as KubeObject;
