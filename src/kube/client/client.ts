import type { KubeObject, ObjectMeta, ObjectName, Resource } from '../../common/objects.ts';
import { KubeError } from './errors.ts';
import type { JsonPatchOperation } from './json-patch.ts';
import type { Manifest } from './manifest.ts';
import { resourcePath } from './resources.ts';
import { acceptFor, named, selectionQuery, type Selection } from './selection.ts';
import type { Call, Transport } from '../transport/transport.ts';
import { watch, type WatchEvent, type WatchOptions } from '../cache/watch.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds; default a minute. */
  timeout?: number | undefined;
}

export interface PatchOptions extends CallOptions {
  subresource?: 'status' | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only the object of this uid; another one of that name gives a conflict. */
  uid?: string | undefined;
  /** Delete only this version; a later one gives a conflict. */
  resourceVersion?: string | undefined;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
}

export type ListOptions = Selection & CallOptions;

export interface PageOptions extends ListOptions {
  /** Objects per page. */
  limit?: number | undefined;
  /** Where the page before ended. */
  continue?: string | undefined;
}

export interface Page<T> {
  items: T[];
  resourceVersion: string;
  /** Present when there is more. */
  continue?: string;
}

/** A resource or subresource as discovery shows it; group and version are there where they are not those asked for. */
export interface DiscoveredResource {
  /** As `pods` or `pods/eviction`. */
  name: string;
  group?: string;
  version?: string;
  kind: string;
}

/** A column of a table (meta.k8s.io/v1, TableColumnDefinition). */
export interface TableColumn {
  name: string;
  /** Those above 0 are for wide tables. */
  priority: number;
}

/** A row of a table, with a cell for each column; null where the object has nothing. */
export interface TableRow {
  cells: (string | number | boolean | null)[];
  object: { metadata: ObjectMeta };
}

/** Keeps the event loop responsive on large lists, and what the API server has to hold; objects are read one by one. */
const PAGE_SIZE = 500;

/**
 * Typed calls to the API server. Every method throws KubeError when the server refuses or cannot be reached, and the
 * signal's reason when that aborts. Nothing is tried again here.
 */
export class KubeClient {
  readonly #transport: Transport;
  readonly #fieldManager: string;

  constructor(transport: Transport, { fieldManager }: { fieldManager: string }) {
    this.#transport = transport;
    this.#fieldManager = fieldManager;
  }

  async get<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    { metadataOnly, ...options }: CallOptions & { metadataOnly?: boolean | undefined } = {},
  ): Promise<T> {
    const path = resourcePath(resource, name);
    const accept = acceptFor('object', metadataOnly);
    return named(resource, await this.#call<T>({ method: 'GET', path, accept }, options));
  }

  async create<T extends KubeObject>(
    resource: Resource,
    object: Manifest,
    options: CallOptions = {},
  ): Promise<T> {
    const path = resourcePath(resource, { namespace: object.metadata.namespace });
    return this.#write({ method: 'POST', path, body: object }, options);
  }

  /** Posts to a subresource of an object, such as the eviction of a pod. */
  async createSubresource(
    resource: Resource,
    name: ObjectName,
    subresource: string,
    body: Manifest,
    options: CallOptions = {},
  ): Promise<void> {
    await this.#write({ method: 'POST', path: resourcePath(resource, name, subresource), body }, options);
  }

  /** The resources of a group's version and their subresources, which can be of other groups. */
  async discover(
    { group, version }: Pick<Resource, 'group' | 'version'>,
    options: CallOptions = {},
  ): Promise<readonly DiscoveredResource[]> {
    const path = group ? `/apis/${group}/${version}` : `/api/${version}`;
    const { resources } = await this.#call<{ resources: DiscoveredResource[] }>(
      { method: 'GET', path },
      options,
    );
    return resources;
  }

  /**
   * Server-side apply: creates the object or makes these fields so. With `metadata.uid` set it must be that very object;
   * one that is gone or replaced gives a conflict and is not created again.
   * @param options `force` takes fields over from other managers; otherwise theirs give a conflict
   */
  async apply<T extends KubeObject>(
    resource: Resource,
    object: Manifest,
    { force = false, ...options }: CallOptions & { force?: boolean | undefined } = {},
  ): Promise<T> {
    const path = resourcePath(resource, object.metadata);
    const contentType = 'application/apply-patch+yaml';
    const query = { force: String(force) };
    return this.#write({ method: 'PATCH', path, body: object, contentType, query }, options);
  }

  /** JSON merge patch (RFC 7386). With `metadata.resourceVersion` in it, a later version gives a conflict. */
  async mergePatch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: object,
    { subresource, ...options }: PatchOptions = {},
  ): Promise<T> {
    const path = resourcePath(resource, name, subresource);
    const contentType = 'application/merge-patch+json';
    return this.#write({ method: 'PATCH', path, body: patch, contentType }, options);
  }

  /** JSON patch (RFC 6902): all operations or none. */
  async jsonPatch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    operations: readonly JsonPatchOperation[],
    { subresource, ...options }: PatchOptions = {},
  ): Promise<T> {
    const path = resourcePath(resource, name, subresource);
    const contentType = 'application/json-patch+json';
    return this.#write({ method: 'PATCH', path, body: operations, contentType }, options);
  }

  /** Asks for deletion; finalizers may hold the object for longer. */
  async delete(
    resource: Resource,
    name: ObjectName,
    { uid, resourceVersion, propagationPolicy, ...options }: DeleteOptions = {},
  ): Promise<void> {
    const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(Object.keys(preconditions).length > 0 && { preconditions }),
      ...(propagationPolicy && { propagationPolicy }),
    };
    await this.#call({ method: 'DELETE', path: resourcePath(resource, name), body }, options);
  }

  /**
   * One page of a list; the whole list unless `limit` is given.
   * @param keep what to keep of each object as it arrives
   */
  async listPage<T extends KubeObject>(
    resource: Resource,
    options: PageOptions = {},
    keep: (object: T) => T = (object) => object,
  ): Promise<Page<T>> {
    const { limit, continue: from } = options;
    const query = {
      ...selectionQuery(options),
      ...(limit && { limit: String(limit) }),
      ...(from && { continue: from }),
    };
    const path = resourcePath(resource, { namespace: options.namespace });
    const accept = acceptFor('list', options.metadataOnly);
    const { metadata, items } = await this.#call<{
      metadata: { resourceVersion: string; continue?: string };
      items: T[] | null;
    }>({ method: 'GET', path, query, accept, keep: (item) => keep(named(resource, item as T)) }, options);
    return {
      items: items ?? [],
      resourceVersion: metadata.resourceVersion,
      ...(metadata.continue && { continue: metadata.continue }),
    };
  }

  /**
   * A complete list, read page by page. When the server forgets a list midway it is asked for all at once, as client-go's
   * pager does.
   * @param keep what to keep of each object as it arrives
   */
  async list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions = {},
    keep: (object: T) => T = (object) => object,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    let from: string | undefined;
    for (;;) {
      let page: Page<T>;
      try {
        page = await this.listPage<T>(resource, { ...options, limit: PAGE_SIZE, continue: from }, keep);
      } catch (error) {
        if (!(from && error instanceof KubeError && error.isGone)) throw error;
        page = await this.listPage<T>(resource, options, keep);
        items.length = 0;
      }
      for (const item of page.items) items.push(item);
      from = page.continue;
      if (!from) return { items, resourceVersion: page.resourceVersion };
    }
  }

  /** Objects as the server shows them to people: one, or all of a namespace, or all. */
  async table(
    resource: Resource,
    name: Partial<ObjectName>,
    options: CallOptions = {},
  ): Promise<{ columns: readonly TableColumn[]; rows: readonly TableRow[] }> {
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const call = { method: 'GET', path: resourcePath(resource, name), accept };
    const { columnDefinitions, rows } = await this.#call<{
      columnDefinitions: TableColumn[];
      rows: TableRow[] | null;
    }>(call, options);
    return { columns: columnDefinitions, rows: rows ?? [] };
  }

  async listAll<T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<T[]> {
    return (await this.list<T>(resource, options)).items;
  }

  /** Changes as they happen, until the server ends the watch. See `watch`. */
  watch<T extends KubeObject>(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return watch<T>(this.#transport, resource, options);
  }

  #write<T>(call: Call, options: CallOptions): Promise<T> {
    return this.#call({ ...call, query: { fieldManager: this.#fieldManager, ...call.query } }, options);
  }

  async #call<T>(call: Call, { signal, timeout }: CallOptions): Promise<T> {
    return (await this.#transport.request({
      ...call,
      ...(signal && { signal }),
      ...(timeout !== undefined && { timeout }),
    })) as T;
  }
}
