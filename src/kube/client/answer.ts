import { RowSplitter } from '../../common/row-splitter.ts';
import { KubeError } from './errors.ts';
import type { Call } from '../transport/transport.ts';

/**
 * Bytes of one object beyond which an answer or event is given up. etcd takes 1.5 MiB unless it is told otherwise, which JSON's
 * escapes can make six times as much.
 */
export const MAX_OBJECT = 2 ** 24;

/** The body of an answer to a call, read while it arrives. */
export interface AnswerBody {
  /** Takes the next bytes. @throws KubeError when they can't be part of a valid answer */
  take(chunk: Buffer): void;
  /** The parsed answer, once all has arrived. @throws KubeError when it is not JSON, or no list where one was asked for */
  end(): unknown;
}

export function answerBody(call: Call): AnswerBody {
  return call.keep ? new ListBody(call, call.keep) : new ObjectBody(call);
}

class ObjectBody implements AnswerBody {
  readonly #call: Call;
  readonly #parts: Buffer[] = [];
  #size = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > MAX_OBJECT) throw flawed(this.#call, 'is too long');
    this.#parts.push(chunk);
  }

  end(): unknown {
    const [only = Buffer.alloc(0)] = this.#parts;
    return parse(this.#call, this.#parts.length > 1 ? Buffer.concat(this.#parts) : only);
  }
}

class ListBody implements AnswerBody {
  readonly #call: Call;
  readonly #splitter: RowSplitter;

  constructor(call: Call, keep: (item: unknown) => unknown) {
    this.#call = call;
    this.#splitter = new RowSplitter({ key: 'items', select: keep, maxRow: MAX_OBJECT, maxRows: Infinity });
  }

  take(chunk: Buffer): void {
    this.#splitter.take(chunk);
    if (this.#splitter.flaw) throw flawed(this.#call, this.#splitter.flaw);
  }

  end(): unknown {
    const list = parse(this.#call, this.#splitter.frame);
    const { count, kept } = this.#splitter.rows;
    if (!isListOf(count, list)) throw flawed(this.#call, 'is no list of objects');
    return { ...list, items: kept };
  }
}

/** Whether it has metadata and every item was an object, and so handed over. The server writes null where there are none. */
function isListOf(count: number, list: unknown): list is object {
  const { metadata, items } = (list ?? {}) as { metadata?: unknown; items?: unknown };
  if (typeof metadata !== 'object' || metadata === null) return false;
  return items === null ? count === 0 : Array.isArray(items) && items.length === count;
}

function parse(call: Call, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    // Nothing of it is quoted: it may be a Secret.
    throw flawed(call, 'is not JSON');
  }
}

const flawed = ({ method, path }: Call, flaw: string): KubeError =>
  new KubeError(`${method} ${path}: the API server's answer ${flaw}`);
