import type { Clock } from '../../src/common/clock.ts';
import type { Change } from './change.ts';
import { asObject, type JsonObject } from './json.ts';
import { LineQueue } from './line-queue.ts';
import { readRevision, requestSelector } from './lister.ts';
import { partial, table, type Representation } from './representation.ts';
import { apiVersionOf, type ResourceType } from './resource-type.ts';
import type { Selector } from './selectors.ts';
import { expired, type StatusError } from './status-error.ts';
import type { Store } from './store.ts';

/** When bookmarks come, as from kube-apiserver: each minute, and shortly before the end of the watch. */
const BOOKMARK_INTERVAL = 60_000;
const LAST_BOOKMARK = 2_000;
const MAX_WATCH = 30 * 60_000;

export interface WatchParameters {
  type: ResourceType;
  namespace: string;
  query: URLSearchParams;
  representation: Representation;
  /** Asked for each line; true while a fault keeps this watch silent. */
  silent: () => boolean;
}

/** One watch: the state at its start when asked for, then every change that its selector lets through. */
export class Watch {
  readonly lines = new LineQueue();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #parameters: WatchParameters;
  readonly #selects: Selector;
  #sentColumns = false;
  #stop: (() => void)[] = [];

  /** @throws StatusError 400 for a bad parameter */
  constructor(store: Store, clock: Clock, parameters: WatchParameters) {
    this.#store = store;
    this.#clock = clock;
    this.#parameters = parameters;
    const { type, namespace, query } = parameters;
    this.#selects = requestSelector(type, namespace, query);
    this.#begin(readRevision(query.get('resourceVersion') ?? ''));
  }

  /** The collection watched. */
  get collection(): string {
    return this.#parameters.type.collection;
  }

  /** Ends the stream as a server does that closes a watch in good order. */
  end(): void {
    this.#release();
    this.lines.end();
  }

  /** Ends the stream in the middle. */
  fail(error: Error): void {
    this.#release();
    this.lines.fail(error);
  }

  #begin(revision: number): void {
    const { type, query } = this.#parameters;
    const initial = query.get('sendInitialEvents') === 'true';
    const changes = revision > 0 && !initial ? this.#store.changesAfter(type.collection, revision) : [];
    if (!changes) {
      this.#send('ERROR', tooOld(revision, this.#store.oldest(type.collection)).status);
      return this.lines.end();
    }
    if (initial || (revision === 0 && query.get('sendInitialEvents') !== 'false'))
      for (const object of this.#store.list(type.collection)) this.#sendIfSelected(type.read(object));
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    if (initial && bookmarks)
      this.#sendBookmark(this.#store.revision, { 'k8s.io/initial-events-end': 'true' });
    for (const change of changes) this.#deliver(change);
    this.#stop = [
      this.#store.subscribe((change) => change.collection === type.collection && this.#deliver(change)),
      this.#clock.after(timeoutOf(query), () => this.end()),
    ];
    if (bookmarks) this.#scheduleBookmark(timeoutOf(query));
  }

  #release(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  #sendIfSelected(object: JsonObject): void {
    if (this.#selects(object)) this.#send('ADDED', this.#shown(object));
  }

  /** A change into or out of the selection shows as ADDED or DELETED. */
  #deliver({ type, object, previous, revision }: Change): void {
    const { read } = this.#parameters.type;
    const before = previous !== undefined && this.#selects(read(previous));
    const after = type !== 'DELETED' && this.#selects(read(object));
    if (after) this.#send(before ? 'MODIFIED' : 'ADDED', this.#shown(read(object)));
    else if (before) {
      const last = type === 'DELETED' ? object : atRevision(previous, revision);
      this.#send('DELETED', this.#shown(read(last)));
    }
  }

  #shown(object: JsonObject): JsonObject {
    const { representation, type } = this.#parameters;
    if (representation.form === 'object') return object;
    if (representation.form === 'metadata') return partial(object);
    const metadata = { resourceVersion: asObject(object.metadata).resourceVersion ?? '' };
    const shown = table(type, [object], metadata, representation.include, this.#clock.now());
    const withColumns = !this.#sentColumns;
    this.#sentColumns = true;
    return withColumns ? shown : { ...shown, columnDefinitions: null };
  }

  /** @param left milliseconds until the watch ends */
  #scheduleBookmark(left: number): void {
    if (left <= LAST_BOOKMARK) return;
    const wait = Math.min(BOOKMARK_INTERVAL, left - LAST_BOOKMARK);
    const cancel = this.#clock.after(wait, () => {
      this.#stop.splice(this.#stop.indexOf(cancel), 1);
      const latest = this.#store.latest(this.collection);
      if (latest > 0) this.#sendBookmark(latest);
      this.#scheduleBookmark(left - wait);
    });
    this.#stop.push(cancel);
  }

  #sendBookmark(revision: number, annotations?: JsonObject): void {
    const { type, representation } = this.#parameters;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    const object =
      representation.form === 'object'
        ? { kind: type.kind, apiVersion: apiVersionOf(type), metadata }
        : partial({ metadata });
    this.#send('BOOKMARK', object);
  }

  #send(type: string, object: JsonObject): void {
    if (!this.#parameters.silent()) this.lines.push(`${JSON.stringify({ type, object })}\n`);
  }
}

function atRevision(object: JsonObject, revision: number): JsonObject {
  return { ...object, metadata: { ...asObject(object.metadata), resourceVersion: String(revision) } };
}

function tooOld(asked: number, oldest: number): StatusError {
  return expired(`too old resource version: ${asked} (${oldest})`);
}

function timeoutOf(query: URLSearchParams): number {
  const seconds = Number(query.get('timeoutSeconds') ?? '0');
  return seconds > 0 ? seconds * 1000 : MAX_WATCH;
}
