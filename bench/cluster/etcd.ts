/** Operations of one transaction, as many as etcd takes. */
const MAX_OPERATIONS = 128;
/** Transactions under way at a time. */
const AT_ONCE = 4;

/** What every answer has: the revision of the store after it. */
interface Answer {
  header: { revision: string };
}

/** Keys and values of an etcd without authentication, over its JSON gateway (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/). */
export class Etcd {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Writes all, in transactions of many.
   * @returns the revision that each got, in their order
   * @throws Error when etcd refuses
   */
  async put(entries: Iterable<readonly [key: string, value: string]>): Promise<string[]> {
    const batches = inBatches(entries, MAX_OPERATIONS);
    const revisions: string[] = [];
    let taken = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const batch of batches) {
          const first = taken;
          taken += batch.length;
          const success = batch.map(([key, value]) => ({
            requestPut: { key: encode(key), value: encode(value) },
          }));
          const { header } = (await this.#ask('txn', { success })) as Answer;
          for (let n = 0; n < batch.length; n++) revisions[first + n] = header.revision;
        }
      }),
    );
    return revisions;
  }

  /**
   * Removes every key that begins with the prefix, and all versions there were of it: they count towards the 2 GiB that etcd holds
   * unless it is told otherwise.
   * @throws Error when etcd refuses
   */
  async removeAll(prefix: string): Promise<void> {
    const { deleted = '0', header } = (await this.#ask('deleterange', {
      key: encode(prefix),
      range_end: encode(endOf(prefix)),
    })) as Answer & { deleted?: string };
    if (deleted !== '0') await this.#ask('compaction', { revision: header.revision });
  }

  async #ask(operation: string, body: object): Promise<unknown> {
    const answer = await fetch(`${this.#url}/v3/kv/${operation}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`etcd refuses ${operation}: ${text}`);
    return JSON.parse(text);
  }
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** The first key after all that begin with a prefix. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** Arrays of up to `size` each, made as they are taken. */
export function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
