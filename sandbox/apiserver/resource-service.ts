import type { Clock } from '../../src/common/clock.ts';
import { admitRequest, type Admitted } from './admission.ts';
import { mediaType, readObject } from './body.ts';
import type { Catalog } from './catalog.ts';
import { readDeleteOptions, type Deleter } from './deleter.ts';
import { strictness } from './field-validation.ts';
import { isWatch } from './faults.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { evict } from './eviction.ts';
import { namespaces } from './kinds/namespace.ts';
import { pods } from './kinds/pod.ts';
import { find, list, requestSelector } from './lister.ts';
import { APPLY, patchObject } from './patcher.ts';
import { negotiate, represent, representList } from './representation.ts';
import type { Answer, ApiRequest, ResourcePath } from './request.ts';
import type { ResourceType } from './resource-type.ts';
import { badRequest, forbiddenFor, methodNotAllowed, notFound, noSuchResource } from './status-error.ts';
import type { Store } from './store.ts';
import type { WatchRoom } from './watch-room.ts';
import type { Writer } from './writer.ts';

interface Parts {
  store: Store;
  clock: Clock;
  catalog: Catalog;
  writer: Writer;
  deleter: Deleter;
  watches: WatchRoom;
}

interface Call {
  type: ResourceType;
  path: ResourcePath;
  request: ApiRequest;
  subresource: '' | 'status';
}

/** Answers requests for resources. */
export class ResourceService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws StatusError for everything but success */
  handle(path: ResourcePath, request: ApiRequest): Answer {
    const type = this.#parts.catalog.find(path.group, path.version, path.plural);
    if (!type || (!type.namespaced && path.namespace !== '')) throw noSuchResource();
    if (type === namespaces && path.subresource === 'finalize') return this.#finalize(path, request);
    if (type === pods && path.subresource === 'eviction') return this.#evict(path, request);
    const { subresource } = path;
    if (subresource !== '' && !(subresource === 'status' && type.hasStatus)) throw noSuchResource();
    const call: Call = { type, path, request, subresource };
    return path.name === '' ? this.#collection(call) : this.#single(call);
  }

  #collection(call: Call): Answer {
    switch (call.request.method) {
      case 'GET':
        return isWatch(call.request) ? this.#watch(call, call.request.query) : this.#list(call);
      case 'POST':
        return this.#create(call);
      case 'DELETE':
        return this.#deleteCollection(call);
      default:
        throw methodNotAllowed();
    }
  }

  #single(call: Call): Answer {
    switch (call.request.method) {
      case 'GET':
        return isWatch(call.request)
          ? this.#watch(call, named(call))
          : this.#answer(call, 200, this.#read(call));
      case 'PUT':
        return this.#replace(call);
      case 'PATCH':
        return this.#patch(call);
      case 'DELETE':
        if (call.subresource !== '') throw methodNotAllowed();
        return this.#delete(call);
      default:
        throw methodNotAllowed();
    }
  }

  #stored({ type, path }: Call): JsonObject | undefined {
    return find(this.#parts.store, type, path.namespace, path.name);
  }

  #existing(call: Call): JsonObject {
    const stored = this.#stored(call);
    if (!stored) throw notFound(call.type, call.path.name);
    return stored;
  }

  #read(call: Call): JsonObject {
    return call.type.read(this.#existing(call));
  }

  #list(call: Call): Answer {
    const { type, path, request } = call;
    const representation = negotiate(request.headers.accept, request.query);
    const { items, metadata } = list(this.#parts.store, type, path.namespace, request.query);
    return answer(200, representList(type, items, metadata, representation, this.#parts.clock.now()));
  }

  #watch({ type, path, request }: Call, query: URLSearchParams): Answer {
    const representation = negotiate(request.headers.accept, request.query);
    const lines = this.#parts.watches.open(request, {
      type,
      namespace: path.namespace,
      query,
      representation,
    });
    return { status: 200, headers: { 'content-type': 'application/json' }, body: lines };
  }

  #create(call: Call): Answer {
    const { type, path, request } = call;
    if (type.namespaced && path.namespace === '') throw methodNotAllowed();
    const admitted = admitRequest(type, readObject(request));
    const headers = strictness(type, request, admitted);
    this.#checkOpen(type, asText(asObject(admitted.object.metadata).name));
    const object = this.#parts.writer.create(type, path.namespace, admitted.object, writeOptions(request));
    return this.#answer(call, 201, object, headers);
  }

  #replace(call: Call): Answer {
    const { type, path, request, subresource } = call;
    const admitted = admitRequest(type, readObject(request));
    const headers = strictness(type, request, admitted);
    const object = withName(admitted.object, path.name);
    const stored = this.#stored(call);
    const options = writeOptions(request);
    if (!stored && (!type.createOnUpdate || subresource !== '')) throw notFound(type, path.name);
    if (!stored)
      return this.#answer(
        call,
        201,
        this.#parts.writer.create(type, path.namespace, object, options),
        headers,
      );
    const updated = this.#parts.writer.update(type, stored, object, {
      ...options,
      subresource,
      tracked: false,
      uidMustMatch: true,
    });
    return this.#answer(call, 200, updated, headers);
  }

  #patch(call: Call): Answer {
    const { type, path, request, subresource } = call;
    const { writer } = this.#parts;
    const stored = this.#stored(call);
    const tracked = mediaType(request) === APPLY;
    const options = writeOptions(request);
    const patched: Admitted = patchObject(type, path.name, stored && type.read(stored), request, writer, {
      manager: tracked ? (request.query.get('fieldManager') ?? '') : options.manager,
      force: request.query.get('force') === 'true',
      subresource,
    });
    if (!stored) this.#checkOpen(type, path.name);
    const headers = strictness(type, request, patched);
    const object = withName(patched.object, path.name);
    if (!stored)
      return this.#answer(call, 201, writer.create(type, path.namespace, object, options, tracked), headers);
    const updated = writer.update(type, stored, withRevision(object, stored), {
      ...options,
      subresource,
      tracked,
      uidMustMatch: tracked,
    });
    return this.#answer(call, 200, updated, headers);
  }

  /** @throws StatusError 403 when the type's definition is going away */
  #checkOpen(type: ResourceType, name: string): void {
    if (this.#parts.catalog.closing.has(type.collection))
      throw forbiddenFor(type, name, 'create not allowed while custom resource definition is terminating');
  }

  #delete(call: Call): Answer {
    const { type, path, request } = call;
    const options = readDeleteOptions(deleteBody(request), request.query);
    const { object, gone } = this.#parts.deleter.delete(type, this.#existing(call), options);
    if (!gone || type.returnsDeleted) return this.#answer(call, 200, object);
    const details = {
      name: path.name,
      ...(type.group && { group: type.group }),
      kind: type.plural,
      uid: asObject(object.metadata).uid ?? '',
    };
    return answer(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
  }

  #deleteCollection({ type, path, request }: Call): Answer {
    if (type.namespaced && path.namespace === '') throw methodNotAllowed();
    const { store, deleter, clock } = this.#parts;
    const options = readDeleteOptions(deleteBody(request), request.query);
    const selects = requestSelector(type, path.namespace, request.query);
    const chosen = store.list(type.collection).filter((object) => selects(type.read(object)));
    const items = chosen.map((object) => deleter.delete(type, object, options).object);
    const representation = negotiate(request.headers.accept, request.query);
    const metadata = { resourceVersion: String(store.revision) };
    return answer(200, representList(type, items, metadata, representation, clock.now()));
  }

  /** PUT to a namespace's /finalize changes nothing but its spec.finalizers. */
  #finalize(path: ResourcePath, request: ApiRequest): Answer {
    const call: Call = { type: namespaces, path, request, subresource: '' };
    if (request.method !== 'PUT') throw methodNotAllowed();
    const stored = this.#existing(call);
    const { object } = admitRequest(namespaces, readObject(request));
    const next = { ...stored, spec: asObject(object.spec) };
    return this.#answer(call, 200, this.#parts.deleter.finish(namespaces, next));
  }

  #evict(path: ResourcePath, request: ApiRequest): Answer {
    if (request.method !== 'POST') throw methodNotAllowed();
    const pod = this.#existing({ type: pods, path, request, subresource: '' });
    return answer(201, evict(this.#parts, path, pod, request));
  }

  #answer(
    { type, request }: Call,
    status: number,
    object: JsonObject,
    headers: Record<string, string> = {},
  ): Answer {
    const representation = negotiate(request.headers.accept, request.query);
    return answer(status, represent(type, object, representation, this.#parts.clock.now()), headers);
  }
}

export function answer(status: number, body: JsonObject, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify(body)}\n`,
  };
}

function writeOptions(request: ApiRequest): { manager: string; dryRun: boolean } {
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0] ?? '';
  return {
    manager: request.query.get('fieldManager') || agent.slice(0, 128),
    dryRun: request.query.getAll('dryRun').includes('All'),
  };
}

function deleteBody(request: ApiRequest): JsonObject {
  return request.body.length > 0 ? readObject(request) : {};
}

/** @throws StatusError 400 when the object has another name than the path */
function withName(object: JsonObject, name: string): JsonObject {
  const own = asText(asObject(object.metadata).name);
  if (own !== '' && own !== name)
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  return { ...object, metadata: { ...asObject(object.metadata), name } };
}

/** A patch that says nothing of the revision is for whatever there is. */
function withRevision(object: JsonObject, stored: JsonObject): JsonObject {
  const metadata = asObject(object.metadata);
  if (asText(metadata.resourceVersion) !== '') return object;
  const { resourceVersion = '' } = asObject(stored.metadata);
  return { ...object, metadata: { ...metadata, resourceVersion } };
}

function named({ path, request }: Call): URLSearchParams {
  const query = new URLSearchParams(request.query);
  query.set('fieldSelector', `metadata.name=${path.name}`);
  return query;
}
