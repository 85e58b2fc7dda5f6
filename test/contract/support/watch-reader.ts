import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Response } from 'undici';
import type { Body } from './api.ts';

export interface WatchEvent {
  type: string;
  object: Body;
}

/** Reads the events of a watch one by one. */
export class WatchReader {
  readonly status: number;
  readonly #abort: AbortController;
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;

  constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.#abort = abort;
    const input = Readable.fromWeb(response.body as ReadableStream);
    input.on('error', () => undefined);
    this.#interface = createInterface({ input });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  /** The next event; undefined at the end of the stream. */
  async next(): Promise<WatchEvent | undefined> {
    const { done, value } = await this.#lines.next();
    return done ? undefined : (JSON.parse(value) as WatchEvent);
  }

  /** The next events as `TYPE name`. */
  async take(count: number): Promise<string[]> {
    const events: string[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (!event) break;
      events.push(`${event.type} ${event.object.metadata?.name}`);
    }
    return events;
  }

  close(): void {
    this.#interface.close();
    this.#abort.abort();
  }
}
