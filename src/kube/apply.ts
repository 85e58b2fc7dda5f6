import { isDeepStrictEqual } from 'node:util';

/** Lists that the server merges element by element, and what tells their elements apart. */
const MERGED_LISTS: ReadonlyMap<string, string> = new Map([['ownerReferences', 'uid']]);
const SETS: ReadonlySet<string> = new Set(['finalizers']);

/**
 * Whether applying would change nothing, because the live object holds every field of what would be applied. An empty map
 * is held by a missing one, since the server drops it. Lists must be equal, except those of an object's metadata that the
 * server merges. A field applied before and left out now is not noticed.
 */
export function holds(live: unknown, applied: unknown): boolean {
  if (!isMap(applied)) return isDeepStrictEqual(live, applied);
  if (!isMap(live)) return live === undefined && Object.keys(applied).length === 0;
  return Object.entries(applied).every(([name, value]) => {
    if (value === undefined) return true;
    const present = Object.hasOwn(live, name) ? live[name] : undefined;
    const key = MERGED_LISTS.get(name);
    if (key) return holdsElements(present, value, key);
    if (SETS.has(name)) return asList(value).every((element) => asList(present).includes(element));
    return holds(present, value);
  });
}

function holdsElements(live: unknown, applied: unknown, key: string): boolean {
  return asList(applied).every((element) =>
    asList(live).some(
      (candidate) =>
        isMap(candidate) && isMap(element) && candidate[key] === element[key] && holds(candidate, element),
    ),
  );
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
