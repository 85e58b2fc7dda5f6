import { asText, equal, isObject, type Json, type JsonObject } from '../json.ts';

/** A JSON patch that cannot be applied, or whose test fails. */
export class JsonPatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonPatchError';
  }
}

interface Operation {
  op: string;
  path: string[];
  from: string[];
  value: Json | undefined;
}

/**
 * Applies a JSON patch as kube-apiserver does: by RFC 6902, but what an object lacks can be replaced and copied, and is null in
 * tests (gopkg.in/evanphx/json-patch.v4).
 * @throws JsonPatchError
 */
export function applyJsonPatch(document: JsonObject, patch: readonly Json[]): Json {
  return patch.map(readOperation).reduce<Json>(applyOperation, document);
}

function readOperation(item: Json): Operation {
  if (!isObject(item)) throw new JsonPatchError('a JSON patch operation must be an object');
  return { op: asText(item.op), path: tokens(item.path), from: tokens(item.from), value: item.value };
}

function tokens(pointer: Json | undefined): string[] {
  const text = asText(pointer);
  if (text === '') return [];
  if (!text.startsWith('/')) throw new JsonPatchError(`not a JSON pointer: ${JSON.stringify(text)}`);
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyOperation(document: Json, operation: Operation): Json {
  const { op, path, from } = operation;
  switch (op) {
    case 'add':
      return put(document, path, needValue(operation), 'insert');
    case 'replace':
      readOrNull(document, path);
      return put(document, path, needValue(operation), 'replace');
    case 'remove':
      return remove(document, path);
    case 'move':
      return put(remove(document, from), path, read(document, from), 'insert');
    case 'copy':
      return put(document, path, readOrNull(document, from), 'insert');
    case 'test':
      if (!equal(readOrNull(document, path), operation.value ?? null))
        throw new JsonPatchError(`testing value /${path.join('/')} failed`);
      return document;
    default:
      throw new JsonPatchError(`unexpected kind of JSON patch operation: ${JSON.stringify(op)}`);
  }
}

function needValue(operation: Operation): Json {
  if (operation.value === undefined) throw new JsonPatchError(`operation ${operation.op} has no value`);
  return operation.value;
}

function read(document: Json, path: readonly string[]): Json {
  let current = document;
  for (const token of path) {
    const next = child(current, token);
    if (next === undefined) throw new JsonPatchError(`the path /${path.join('/')} does not exist`);
    current = next;
  }
  return current;
}

/** What an object has there; null where it lacks only the last step. */
function readOrNull(document: Json, path: readonly string[]): Json {
  const parent = read(document, path.slice(0, -1));
  return path.length === 0 ? parent : (child(parent, path.at(-1) ?? '') ?? null);
}

function child(value: Json, token: string): Json | undefined {
  if (Array.isArray(value)) return value[index(token, value.length - 1)];
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}

function index(token: string, last: number): number {
  const position = /^(0|[1-9]\d*)$/.test(token) ? Number(token) : -1;
  if (position < 0 || position > last)
    throw new JsonPatchError(`invalid list index ${JSON.stringify(token)}`);
  return position;
}

function put(document: Json, path: readonly string[], value: Json, mode: 'insert' | 'replace'): Json {
  return (
    edit(document, path, (parent, token) => {
      if (!Array.isArray(parent)) return { ...parent, [token]: value };
      if (mode === 'replace') return parent.with(index(token, parent.length - 1), value);
      return parent.toSpliced(token === '-' ? parent.length : index(token, parent.length), 0, value);
    }) ?? value
  );
}

function remove(document: Json, path: readonly string[]): Json {
  read(document, path);
  const removed = edit(document, path, (parent, token) => {
    if (Array.isArray(parent)) return parent.toSpliced(index(token, parent.length - 1), 1);
    const { [token]: _, ...rest } = parent;
    return rest;
  });
  if (removed === undefined) throw new JsonPatchError('the whole document cannot be removed');
  return removed;
}

/** Rebuilds the document with the parent of the path's last token changed; undefined for the empty path. */
function edit(
  document: Json,
  path: readonly string[],
  change: (parent: Json[] | JsonObject, token: string) => Json,
): Json | undefined {
  const [token, ...rest] = path;
  if (token === undefined) return undefined;
  if (!Array.isArray(document) && !isObject(document))
    throw new JsonPatchError(
      `the path /${path.join('/')} leads into a value that is neither object nor list`,
    );
  if (rest.length === 0) return change(document, token);
  const inner = child(document, token);
  if (inner === undefined) throw new JsonPatchError(`the path /${path.join('/')} does not exist`);
  const edited = edit(inner, rest, change) ?? null;
  if (Array.isArray(document)) return document.with(index(token, document.length - 1), edited);
  return { ...document, [token]: edited };
}
