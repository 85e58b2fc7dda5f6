import { keyOf, objectKey } from './change.ts';
import { asObject, asText, type Json, type JsonObject } from './json.ts';
import { selectableFieldsOf, type ResourceType } from './resource-type.ts';
import { fieldSelector, labelSelector, type Selector } from './selectors.ts';
import { badRequest, expired, StatusError } from './status-error.ts';
import type { Store } from './store.ts';

export interface Listing {
  items: JsonObject[];
  metadata: JsonObject;
}

/** Where a paged list goes on: after this key, in the state of this revision (-1: whatever is now). */
interface Continuation {
  revision: number;
  after: string;
}

const TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** What a request selects of a collection: its namespace, labels and fields, in the version's own form. */
export function requestSelector(type: ResourceType, namespace: string, query: URLSearchParams): Selector {
  const labels = labelSelector(query.get('labelSelector') ?? '');
  const fields = fieldSelector(query.get('fieldSelector') ?? '', selectableFieldsOf(type));
  return (object) =>
    (namespace === '' || asObject(object.metadata).namespace === namespace) &&
    labels(object) &&
    fields(object);
}

/**
 * Lists a collection with limit and continue, consistent over all pages.
 * @throws StatusError 400 for a bad parameter, 410 when the revision asked for is too old, 504 when it is in the future
 */
export function list(store: Store, type: ResourceType, namespace: string, query: URLSearchParams): Listing {
  const select = requestSelector(type, namespace, query);
  const limit = Number(query.get('limit') ?? '0');
  const from = startOf(store, query);
  const revision = from.revision < 0 ? store.revision : from.revision;
  const all = store.listAt(type.collection, revision);
  if (!all)
    throw query.has('continue')
      ? tooOldToContinue(store, from)
      : expired(`The resourceVersion for the provided list is too old.`);
  const matching = all
    .filter((object) => keyOf(object) > from.after)
    .map(type.read)
    .filter(select);
  const items = limit > 0 ? matching.slice(0, limit) : matching;
  const left = matching.length - items.length;
  const last = items.at(-1);
  const countable = !query.get('labelSelector') && !query.get('fieldSelector');
  return {
    items,
    metadata: {
      resourceVersion: String(revision),
      ...(left > 0 && last && { continue: token({ revision, after: keyOf(last) }) }),
      ...(left > 0 && countable && { remainingItemCount: left }),
    },
  };
}

function startOf(store: Store, query: URLSearchParams): Continuation {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const continuation = query.get('continue') ?? '';
  if (continuation !== '') {
    if (version !== '' && version !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    return readToken(continuation);
  }
  if (match !== '' && version === '')
    throw invalidParameter(
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  const revision = readRevision(version);
  if (revision > store.revision) throw tooLarge(revision, store.revision);
  const exact = match === 'Exact' || (match === '' && Number(query.get('limit') ?? '0') > 0);
  return { revision: exact && revision > 0 ? revision : -1, after: '' };
}

/** @throws StatusError 400 when it is not a number */
export function readRevision(text: string): number {
  if (text === '') return 0;
  if (!/^\d+$/.test(text))
    throw badRequest(
      `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

function invalidParameter(field: string, why: string): StatusError {
  const message = `Forbidden: ${why}`;
  return new StatusError(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes: [{ reason: 'FieldValueForbidden', message, field }],
  });
}

function tooLarge(revision: number, current: number): StatusError {
  return new StatusError(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${revision}, current: ${current}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  );
}

function token({ revision, after }: Continuation): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\u0000` })).toString(
    'base64url',
  );
}

function readToken(text: string): Continuation {
  try {
    const { v, rv, start } = asObject(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Json);
    if (v === 'meta.k8s.io/v1' && typeof rv === 'number')
      return { revision: rv, after: asText(start).slice(0, -1) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest('continue key is not valid: not a token of this server');
}

/** Also gives the token to go on with what is there now. */
function tooOldToContinue(store: Store, from: Continuation): StatusError {
  const error = expired(TOO_OLD);
  const rest = token({ revision: -1, after: from.after });
  error.status.metadata = { resourceVersion: String(store.revision), continue: rest };
  return error;
}

/** The stored object under the path. */
export function find(
  store: Store,
  type: ResourceType,
  namespace: string,
  name: string,
): JsonObject | undefined {
  return store.get(type.collection, objectKey(namespace, name));
}
