import { sleep, type Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, Resource } from '../../common/objects.ts';
import { Backoff } from '../queue/backoff.ts';
import type { KubeClient } from '../client/client.ts';
import { KubeError } from '../client/errors.ts';
import type { ReflectorMetrics } from '../metrics.ts';
import { Replica, type Change } from './replica.ts';
import { resourceTitle } from '../client/resources.ts';
import type { Selection } from '../client/selection.ts';
import type { IndexFunction, Store } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  client: KubeClient;
  resource: Resource;
  /** How logs, metrics and health pages call this watch. Default: the resource's name. */
  title?: string;
  /** Lets `store.byIndex` find objects by what these functions give. */
  indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** What is kept of an object beside its managed fields, which never are; all, unless told. May change what it is given. */
  trim?: ((object: T) => T) | undefined;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  logger: Logger;
  metrics?: ReflectorMetrics;
}

export interface ReflectorHealth {
  /** The store was filled and nothing is known to be missing from it. */
  synced: boolean;
  /**
   * The server was heard (list, or a watch's event, bookmark or end in good order, or that it stayed open) within the limit.
   */
  live: boolean;
  /** Monotonic time in milliseconds when it was; -Infinity before the first time. */
  lastHeard: number;
  /** The server refused the list or watch with 403 when last asked: a Role is missing, or the namespace is. */
  refused: boolean;
}

/**
 * The server ends a watch after this long to twice as long, at random, so that not all come back at once. Nothing else makes it
 * speak when nothing happens: bookmarks are only a favour, and kube-apiserver sends none before it has seen an event.
 */
const WATCH_SECONDS = 40;
/** Silence that a server in good health leaves no watch in. */
const LIVE_LIMIT = 90_000;
/**
 * Silence after which a watch is dead: late enough for a readiness probe every ten seconds to see that it is not live, and with the
 * time to open another it is healed within two minutes.
 */
const STALL_LIMIT = 105_000;
/** A watch that lives shorter than this gained nothing; opening the next at once would be a hot loop. */
const SHORT_WATCH = 1_000;

/**
 * Keeps a store like the objects on the server, and tells of every change: lists once, then watches, and lists again only
 * when the server no longer knows the version to go on from. Whatever fails, it goes on.
 *
 * Follows client-go's tools/cache/reflector.go in its rules and waits.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #title: string;
  readonly #replica: Replica<T>;
  readonly #backoff: Backoff;
  /** Where the watch goes on; undefined when a list is needed. */
  #resourceVersion: string | undefined;
  #lastHeard = -Infinity;
  #refused = false;
  readonly #refusalHandlers: ((refused: boolean) => void)[] = [];
  /** Those who wait for a list, or for a refusal as well. */
  readonly #waiters = new Set<{ orRefused: boolean; resolve: () => void }>();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#title = options.title ?? resourceTitle(options.resource);
    this.#replica = new Replica(options.indexes, (error) =>
      options.logger.error({ resource: this.#title, err: error }, 'A handler of changes failed'),
    );
    this.#backoff = new Backoff(options.clock, options.random);
  }

  get store(): Store<T> {
    return this.#replica.store;
  }

  /** Whether the store was filled and nothing is known to be missing from it. */
  get synced(): boolean {
    return this.#resourceVersion !== undefined;
  }

  get health(): ReflectorHealth {
    const silence = this.#options.clock.monotonic() - this.#lastHeard;
    const live = silence <= LIVE_LIMIT;
    return { synced: this.synced, live, lastHeard: this.#lastHeard, refused: this.#refused };
  }

  get title(): string {
    return this.#title;
  }

  /** Calls the handler for every change, after the store has it. It must not wait; what it throws is logged. */
  onChange(handler: (change: Change<T>) => void): void {
    this.#replica.onChange(handler);
  }

  /** Calls the handler when the server begins to refuse the list or watch with 403, and when it no longer does. */
  onRefusal(handler: (refused: boolean) => void): void {
    this.#refusalHandlers.push(handler);
  }

  /** Resolves once the store is filled. @throws the signal's reason when that aborts first */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await this.#when(false, signal);
  }

  /** Resolves once the store is filled or the server refuses to fill it. @throws the signal's reason when that aborts first */
  async whenSyncedOrRefused(signal: AbortSignal): Promise<void> {
    await this.#when(true, signal);
  }

  async #when(orRefused: boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.synced || (orRefused && this.#refused)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(signal.reason as Error);
    const waiter = { orRefused, resolve };
    this.#waiters.add(waiter);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Runs until the signal aborts; never gives up and never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#resourceVersion ??= await this.#list(signal);
        await this.#watch(this.#resourceVersion, signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, resource, metrics } = this.#options;
    const { items, resourceVersion } = await client.list<T>(
      resource,
      { ...this.#selection(), signal },
      (object) => this.#trimmed(object),
    );
    this.#replica.replace(items);
    this.#resourceVersion = resourceVersion;
    this.#heard();
    metrics?.relisted(this.#title);
    for (const { resolve } of this.#waiters) resolve();
    return resourceVersion;
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, resource, clock, random } = this.#options;
    let opened = clock.monotonic();
    // Not at once, or a server that accepts every watch and breaks it would seem to be in good health.
    let forget = (): void => undefined;
    const events = client.watch<T>(resource, {
      ...this.#selection(),
      resourceVersion,
      timeoutSeconds: Math.floor(WATCH_SECONDS * (1 + random())),
      stallLimit: STALL_LIMIT,
      onOpen: () => {
        opened = clock.monotonic();
        forget = clock.after(SHORT_WATCH, () => this.#heard());
      },
      signal,
    });
    try {
      for await (const { type, object } of events) {
        this.#heard();
        if (type === 'DELETED') this.#replica.delete(object);
        else if (type !== 'BOOKMARK') this.#replica.set(this.#trimmed(object));
        this.#resourceVersion = object.metadata.resourceVersion;
      }
    } finally {
      forget();
    }
    if (clock.monotonic() - opened < SHORT_WATCH)
      throw new KubeError(`The watch of ${this.#title} ended as soon as it began`);
    this.#heard();
  }

  async #recover(failure: unknown, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const known = failure instanceof KubeError ? failure : undefined;
    // A resource that is not there may come back as a new one, whose versions have nothing to do with these.
    if (known?.isGone || known?.isNotFound) this.#resourceVersion = undefined;
    const wait = Math.max(this.#backoff.next(), known?.retryAfter ?? 0);
    this.#tell(failure, known, wait);
    await sleep(clock, wait, signal).catch(() => undefined);
  }

  /** A refusal lasts: it is told once, however often the server is asked. */
  #tell(failure: unknown, known: KubeError | undefined, wait: number): void {
    const { logger } = this.#options;
    const fields = {
      resource: this.#title,
      wait: Math.round(wait),
      ...(known ? { error: known.message } : { err: failure }),
    };
    if (!known?.isForbidden)
      return logger.warn(fields, this.synced ? 'Watch broke; watching again' : 'List needed; listing again');
    const message = 'The API server refuses list or watch: grant it to the operator; trying again';
    logger[this.#refused ? 'debug' : 'error'](fields, message);
    this.#setRefused(true);
  }

  #setRefused(refused: boolean): void {
    if (refused === this.#refused) return;
    this.#refused = refused;
    this.#options.metrics?.refused(this.#title, refused);
    if (!refused)
      this.#options.logger.info(
        { resource: this.#title },
        'The API server lets it be listed and watched again',
      );
    for (const { orRefused, resolve } of this.#waiters) if (refused && orRefused) resolve();
    for (const handler of this.#refusalHandlers) handler(refused);
  }

  #heard(): void {
    this.#lastHeard = this.#options.clock.monotonic();
    this.#setRefused(false);
    this.#options.metrics?.watchEvent(this.#title);
  }

  /** Managed fields are a sixth of a typical object: they are kept only where `trim` keeps them. */
  #trimmed(object: T): T {
    const { trim } = this.#options;
    if (trim) return trim(object);
    // Set to undefined, not deleted: a deleted property turns the object into a slow, larger dictionary.
    const metadata: { managedFields?: unknown } = object.metadata;
    if (metadata.managedFields) metadata.managedFields = undefined;
    return object;
  }

  #selection(): Selection {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    return { namespace, labelSelector, fieldSelector, metadataOnly };
  }
}
