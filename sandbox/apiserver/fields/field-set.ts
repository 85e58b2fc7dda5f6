import { asObject, type JsonObject } from '../json.ts';
import { readStep, type FieldPath } from './field-path.ts';

const SEPARATOR = '\u0000';

/**
 * A set of field paths: what a manager owns, or what changed. A path is a member on its own, not with all below it. Not to be
 * changed once it is built; what comes out the same as a set there is already, is that set.
 */
export class FieldSet {
  readonly #members = new Map<string, FieldPath>();

  constructor(paths: Iterable<FieldPath> = []) {
    for (const path of paths) this.add(path);
  }

  add(path: FieldPath): void {
    this.#members.set(path.join(SEPARATOR), path);
  }

  has(path: FieldPath): boolean {
    return this.#members.has(path.join(SEPARATOR));
  }

  get size(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): IterableIterator<FieldPath> {
    return this.#members.values();
  }

  union(other: FieldSet): FieldSet {
    const missing = this.difference(other);
    return missing.size === 0 ? other : new FieldSet([...missing, ...other]);
  }

  intersection(other: FieldSet): FieldSet {
    return this.filter((path) => other.has(path));
  }

  difference(other: FieldSet): FieldSet {
    return other.size === 0 ? this : this.filter((path) => !other.has(path));
  }

  /** The members for which the test holds. */
  filter(test: (path: FieldPath) => boolean): FieldSet {
    const kept = [...this].filter(test);
    return kept.length === this.size ? this : new FieldSet(kept);
  }

  equals(other: FieldSet): boolean {
    return this === other || (this.size === other.size && this.difference(other).size === 0);
  }
}

interface Node {
  member: boolean;
  children: Map<string, Node>;
}

/** Sets and what they are stored as never change, and most writes change few of an object's. */
const stored = new WeakMap<FieldSet, JsonObject>();
const read = new WeakMap<JsonObject, FieldSet>();

/** The set as `managedFields` stores it. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const json = stored.get(set) ?? encode(set);
  stored.set(set, json);
  return json;
}

/** Reads what `managedFields` holds. @throws SyntaxError when a step is not valid */
export function fromFieldsV1(json: JsonObject): FieldSet {
  const set = read.get(json) ?? decode(json);
  read.set(json, set);
  return set;
}

function encode(set: FieldSet): JsonObject {
  const root: Node = { member: false, children: new Map() };
  for (const path of set) {
    let node = root;
    for (const step of path) {
      let child = node.children.get(step);
      if (!child) node.children.set(step, (child = { member: false, children: new Map() }));
      node = child;
    }
    node.member = true;
  }
  return nodeJson(root);
}

function nodeJson(node: Node): JsonObject {
  const json: JsonObject = {};
  if (node.member && node.children.size > 0) json['.'] = {};
  for (const step of [...node.children.keys()].sort()) {
    const child = node.children.get(step);
    if (child) json[step] = nodeJson(child);
  }
  return json;
}

function decode(json: JsonObject): FieldSet {
  const set = new FieldSet();
  const visit = (node: JsonObject, path: FieldPath): void => {
    const steps = Object.keys(node).filter((step) => step !== '.');
    if (path.length > 0 && (Object.hasOwn(node, '.') || steps.length === 0)) set.add(path);
    for (const step of steps) visit(asObject(node[step]), [...path, readStep(step)]);
  };
  visit(json, []);
  return set;
}
