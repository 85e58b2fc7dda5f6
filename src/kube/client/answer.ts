import { RowSplitter } from '../../common/row-splitter.ts';
import { KubeError } from './errors.ts';
import type { Call } from '../transport/transport.ts';

/**
 * Bytes of one object beyond which an answer or event is given up. etcd takes 1.5 MiB unless it is told otherwise, which JSON's
 * escapes can make six times as much.
 */
export const MAX_OBJECT = 2 ** 24;

/**
 * Reads the answer to a call while it arrives.
 * @throws KubeError when it is not JSON, too long, or no list where one was asked for; what the stream throws
 */
export async function readAnswer(call: Call, chunks: AsyncIterable<Uint8Array>): Promise<unknown> {
  return call.keep ? readList(call, call.keep, chunks) : readObject(call, chunks);
}

async function readObject(call: Call, chunks: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > MAX_OBJECT) throw flawed(call, 'is too long');
    parts.push(chunk);
  }
  return parse(call, Buffer.concat(parts));
}

async function readList(
  call: Call,
  keep: (item: unknown) => unknown,
  chunks: AsyncIterable<Uint8Array>,
): Promise<unknown> {
  const splitter = new RowSplitter({ key: 'items', select: keep, maxRow: MAX_OBJECT, maxRows: Infinity });
  for await (const chunk of chunks) {
    splitter.take(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    if (splitter.flaw) throw flawed(call, splitter.flaw);
  }
  const list = parse(call, splitter.frame);
  const { count, kept } = splitter.rows;
  if (!isListOf(count, list)) throw flawed(call, 'is no list of objects');
  return { ...list, items: kept };
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
