import type { KubeObject } from '../../../../src/common/objects.ts';
import type { KubeError } from '../../../../src/kube/client/errors.ts';
import { refusal } from '../../../../src/kube/client/errors.ts';
import type { Call, StreamCall, Transport } from '../../../../src/kube/transport/transport.ts';

interface Event {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  version: number;
  object: KubeObject;
}

/** Answers instead of the server: throw to fail, return undefined to let the call through. */
export type Fault = (call: Call) => unknown;

/**
 * The least that behaves like an API server, in-process: versions, pages, optimistic locking, watches that resume, bookmarks
 * and 410. Objects of all resources are kept by their path.
 */
export class ModelServer implements Transport {
  readonly calls: Call[] = [];
  readonly watches = new Set<WatchStream>();
  fault: Fault = () => undefined;
  #version = 100;
  #uids = 0;
  /** Versions up to this one are forgotten. */
  #compacted = 0;
  readonly #objects = new Map<string, KubeObject>();
  readonly #history: (Event & { path: string })[] = [];

  /** Objects under a collection's path, for comparison. */
  objects<T extends KubeObject>(collection: string): T[] {
    const found = [...this.#objects].filter(([path]) => path.startsWith(`${collection}/`));
    return found.map(([, object]) => object as T);
  }

  put(collection: string, name: string, fields: object = {}): KubeObject {
    const path = `${collection}/${name}`;
    const known = this.#objects.get(path);
    const namespace = /\/namespaces\/([^/]+)\//.exec(path)?.[1];
    const metadata = {
      name,
      ...(namespace && { namespace }),
      uid: known?.metadata.uid ?? `uid-${++this.#uids}`,
      resourceVersion: String(++this.#version),
      creationTimestamp: '2026-01-01T00:00:00Z',
    };
    const given = fields as Partial<KubeObject>;
    const object = {
      apiVersion: 'v1',
      kind: 'Thing',
      ...fields,
      metadata: { ...given.metadata, ...metadata },
    };
    this.#objects.set(path, object);
    this.#happened(known ? 'MODIFIED' : 'ADDED', path, object);
    return object;
  }

  remove(collection: string, name: string): void {
    const path = `${collection}/${name}`;
    const object = this.#objects.get(path);
    if (!object) return;
    this.#objects.delete(path);
    const version = String(++this.#version);
    this.#happened('DELETED', path, {
      ...object,
      metadata: { ...object.metadata, resourceVersion: version },
    });
  }

  /** Tells every watch the version reached. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.#version) };
    for (const watch of this.watches) watch.send({ type: 'BOOKMARK', object: { metadata } });
  }

  /** Forgets history: a watch from an older version than now gets 410. */
  compact(): void {
    this.#compacted = this.#version;
  }

  async request(call: Call): Promise<unknown> {
    call.signal?.throwIfAborted();
    this.calls.push(structuredClone({ ...call, signal: undefined, keep: undefined }));
    const answer: unknown = await this.fault(call);
    call.signal?.throwIfAborted();
    const content = structuredClone(answer ?? this.#answer(call)) as { items?: unknown[] };
    const { keep } = call;
    return keep ? { ...content, items: content.items?.map(keep) } : content;
  }

  async *stream(call: StreamCall): AsyncGenerator<string> {
    call.signal?.throwIfAborted();
    this.calls.push(structuredClone({ ...call, signal: undefined, onOpen: undefined }));
    await this.fault(call);
    const since = Number(call.query?.['resourceVersion']);
    if (since < this.#compacted) throw refuse(call, 410, 'Expired');
    const watch = new WatchStream(call.path);
    for (const { path, type, version, object } of this.#history)
      if (path.startsWith(`${call.path}/`) && version > since) watch.send({ type, object });
    this.watches.add(watch);
    call.onOpen?.();
    try {
      yield* watch.lines(call.signal);
    } finally {
      this.watches.delete(watch);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer(call: Call): unknown {
    const object = this.#objects.get(call.path);
    switch (call.method) {
      case 'GET':
        if (object) return object;
        if (/\/(leases|pods)\/[^/]+$/.test(call.path)) throw refuse(call, 404, 'NotFound');
        return this.#list(call);
      case 'POST': {
        const body = call.body as KubeObject;
        if (this.#objects.has(`${call.path}/${body.metadata.name}`)) throw refuse(call, 409, 'AlreadyExists');
        return this.put(call.path, body.metadata.name, body);
      }
      case 'PATCH': {
        if (!object) throw refuse(call, 404, 'NotFound');
        const patch = call.body as Partial<KubeObject>;
        const version = patch.metadata?.resourceVersion;
        if (version !== undefined && version !== object.metadata.resourceVersion)
          throw refuse(call, 409, 'Conflict');
        const slash = call.path.lastIndexOf('/');
        return this.put(call.path.slice(0, slash), call.path.slice(slash + 1), merge(object, patch));
      }
      default:
        throw refuse(call, 405, 'MethodNotAllowed');
    }
  }

  #list(call: Call): unknown {
    const all = this.objects(call.path).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const { limit, continue: from } = call.query ?? {};
    const [version = String(this.#version), offset = '0'] = from?.split(':') ?? [];
    if (Number(version) < this.#compacted) throw refuse(call, 410, 'Expired');
    const end = limit ? Number(offset) + Number(limit) : all.length;
    const more = end < all.length && { continue: `${version}:${end}` };
    return { metadata: { resourceVersion: version, ...more }, items: all.slice(Number(offset), end) };
  }

  #happened(type: Event['type'], path: string, object: KubeObject): void {
    const event = { type, path, version: this.#version, object };
    this.#history.push(event);
    for (const watch of this.watches)
      if (path.startsWith(`${watch.collection}/`)) watch.send({ type, object });
  }
}

/** One watch as the server sees it. */
export class WatchStream {
  readonly collection: string;
  readonly #lines: string[] = [];
  #end: { error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(collection: string) {
    this.collection = collection;
  }

  send(event: object | string): void {
    if (this.#end) return;
    this.#lines.push(typeof event === 'string' ? event : JSON.stringify(event));
    this.#wake();
  }

  /** Ends the stream, cleanly or with an error. */
  end(error?: unknown): void {
    this.#end = error === undefined ? {} : { error };
    this.#wake();
  }

  async *lines(signal: AbortSignal | undefined): AsyncGenerator<string> {
    const abort = (): void => this.end(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) yield line;
        if (this.#end) {
          if ('error' in this.#end) throw this.#end.error;
          return;
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}

export function refuse(call: Call, code: number, reason: string, retryAfterSeconds?: number): KubeError {
  return refusal(call, code, { kind: 'Status', code, reason, details: { retryAfterSeconds } });
}

function merge(target: unknown, patch: unknown): object {
  const result: Record<string, unknown> = { ...(target as object) };
  for (const [name, value] of Object.entries(patch as object)) {
    if (value === null) delete result[name];
    else
      result[name] = typeof value === 'object' && !Array.isArray(value) ? merge(result[name], value) : value;
  }
  return result;
}
