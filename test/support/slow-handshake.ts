import dns from 'node:dns';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Has a thread of its own, which it stops for a while: then the kernel takes no connection beyond the two it can queue. */
const SERVER = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer((_, response) => response.end('{}'));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(workerData), 0, 0, 700);
  });
`;

/**
 * An HTTP server that answers `{}`, and whose connections take about a second to open at first, as over a long way: the kernel drops
 * the first packet, and the client's sends it again after a second. Its name has an IPv4 address and then an IPv6 one, where
 * nothing listens.
 */
export class SlowHandshake implements AsyncDisposable {
  static readonly #lookup = dns.lookup;
  readonly host = 'two-families.test';
  readonly port: number;
  readonly #worker: Worker;
  readonly #queued: Socket[];

  static async start(): Promise<SlowHandshake> {
    const worker = new Worker(SERVER, { eval: true, workerData: new SharedArrayBuffer(4) });
    const port = await new Promise<number>((resolve) => worker.once('message', resolve));
    const queued = await Promise.all(
      [1, 2].map(async () => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve));
        return socket;
      }),
    );
    return new SlowHandshake(worker, port, queued);
  }

  private constructor(worker: Worker, port: number, queued: Socket[]) {
    this.#worker = worker;
    this.port = port;
    this.#queued = queued;
    const addresses = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    dns.lookup = ((name: string, options: object, done: (error: null, found: object[]) => void) =>
      name === this.host
        ? done(null, addresses)
        : SlowHandshake.#lookup(name, options, done as never)) as typeof dns.lookup;
  }

  get origin(): string {
    return `http://${this.host}:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    dns.lookup = SlowHandshake.#lookup;
    for (const socket of this.#queued) socket.destroy();
    await this.#worker.terminate();
  }
}
