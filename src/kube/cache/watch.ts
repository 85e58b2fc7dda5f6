import type { KubeObject, Resource } from '../../common/objects.ts';
import { KubeError, refusal, type Status } from '../client/errors.ts';
import { resourcePath } from '../client/resources.ts';
import { acceptFor, named, selectionQuery, type Selection } from '../client/selection.ts';
import type { Transport } from '../transport/transport.ts';

/** One event of a watch. A bookmark's object holds nothing but a resource version to go on from. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

export interface WatchOptions extends Selection {
  /** Gives what changed after this version. */
  resourceVersion: string;
  /** The server ends the watch after so many seconds. */
  timeoutSeconds: number;
  /** Milliseconds of silence after which the watch counts as dead: more than the server's own end takes. */
  stallLimit: number;
  /** Told when the server has accepted the watch. */
  onOpen?: () => void;
  signal?: AbortSignal | undefined;
}

/** Headers of a watch come at once. */
const OPEN_TIMEOUT = 30_000;

/**
 * Watches a resource until the server ends it.
 * @throws KubeError when the watch fails, is told so in band, stalls, or sends what is no event
 */
export async function* watch<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { namespace, resourceVersion, timeoutSeconds, stallLimit, onOpen, signal, metadataOnly } = options;
  const call = {
    method: 'GET',
    path: resourcePath(resource, { namespace }),
    query: {
      ...selectionQuery(options),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(timeoutSeconds),
    },
    accept: acceptFor('object', metadataOnly),
    timeout: OPEN_TIMEOUT,
    stallLimit,
    signal,
    ...(onOpen && { onOpen }),
  };
  for await (const line of transport.stream(call)) {
    const event = parse(line);
    if (event?.type === 'ERROR') {
      const status = event.object as unknown as Status;
      throw refusal({ method: 'WATCH', path: call.path }, status.code ?? 500, status);
    }
    if (!isEvent<T>(event)) {
      // Never quote the line: it may be an object.
      throw new KubeError(
        `WATCH ${call.path}: the API server sent a line that is no watch event; watching again`,
      );
    }
    yield { type: event.type, object: named(resource, event.object) };
  }
}

interface ReceivedEvent {
  type?: unknown;
  object?: { metadata?: { resourceVersion?: unknown } };
}

function parse(line: string): ReceivedEvent | undefined {
  try {
    return JSON.parse(line) as ReceivedEvent;
  } catch {
    return undefined;
  }
}

const TYPES: readonly unknown[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'];

function isEvent<T extends KubeObject>(event: unknown): event is WatchEvent<T> {
  const { type, object } = (event ?? {}) as ReceivedEvent;
  return TYPES.includes(type) && typeof object?.metadata?.resourceVersion === 'string';
}
