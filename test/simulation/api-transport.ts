import { abortable } from '../../src/common/abortable.ts';
import { sleep } from '../../src/common/clock.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import type { Call, StreamCall, Transport } from '../../src/kube/transport/transport.ts';
import { ConnectionLost, type Answer } from '../../sandbox/apiserver/request.ts';
import { contentOf, requestOf } from './api-call.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Fate } from './weather.ts';
import type { World } from './world.ts';

const DEFAULT_TIMEOUT = 60_000;
/** Seconds after which the server ends a watch. Where nothing goes wrong few end, so that time without events costs next to nothing. */
const WATCH_SECONDS = { calm: '3600', otherwise: '600' };

/** The way of one process to the API server: slow, broken, held up, as the weather is. */
export class ApiTransport implements Transport {
  readonly #world: World;
  readonly #process: SimulatedProcess;

  constructor(world: World, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
  }

  async request(call: Call): Promise<unknown> {
    call.signal?.throwIfAborted();
    const writes = call.method !== 'GET';
    const title = `${this.#process.name} ${call.method} ${call.path}`;
    await this.#process.gate.open();
    if (writes) await this.#world.boundary(this.#process, `before ${title}`);
    call.guard?.();
    if (writes) this.#world.changed();
    this.#world.audit.sent(this.#process, call);
    const fate = this.#world.weather.api(writes);
    if (fate.kind !== 'through') this.#world.journal.note(() => `${title}: ${JSON.stringify(fate)}`);
    // What it comes to is not looked at before the process runs again.
    const flight = this.#fly(call, fate).then(
      (content) => ({ content }),
      (error: unknown) => ({ error }),
    );
    const outcome = await abortable(flight, call.signal);
    if (writes) await this.#world.boundary(this.#process, `after ${title}`);
    await this.#process.gate.open();
    if ('error' in outcome) throw outcome.error;
    return outcome.content;
  }

  async *stream(call: StreamCall): AsyncGenerator<string> {
    const { weather, clock } = this.#world;
    const { gate, connections } = this.#process;
    const ended = AbortSignal.any(call.signal ? [connections, call.signal] : [connections]);
    // No bookmarks, which a server need not send.
    const { allowWatchBookmarks: _, ...asked } = call.query ?? {};
    const query = { ...asked, timeoutSeconds: WATCH_SECONDS[weather.calm ? 'calm' : 'otherwise'] };
    const fate = weather.api(false);
    await sleep(clock, weather.latency());
    await gate.open();
    call.signal?.throwIfAborted();
    if (fate.kind !== 'through') throw unanswered(call);
    const answer = await this.#handle({ ...call, query }, ended);
    if (typeof answer.body === 'string') {
      contentOf(call, answer);
      throw unanswered(call);
    }
    call.onOpen?.();
    try {
      for await (const line of answer.body) {
        await sleep(clock, weather.lag());
        await gate.open();
        call.signal?.throwIfAborted();
        yield line;
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await gate.open();
      throw unanswered(call);
    }
    await gate.open();
    call.signal?.throwIfAborted();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #fly(call: Call, fate: Fate): Promise<unknown> {
    const { clock, weather } = this.#world;
    const act = (): Promise<Answer> => this.#handle(call, new AbortController().signal);
    await sleep(clock, weather.latency());
    if (fate.kind === 'lost') {
      const timeout = call.timeout ?? DEFAULT_TIMEOUT;
      if (fate.effect === 'at once') await act();
      else if (fate.effect !== 'never') clock.after(timeout + fate.effect, () => void act());
      await sleep(clock, timeout);
      throw unanswered(call);
    }
    if (fate.kind === 'refused') throw unanswered(call);
    if (fate.kind !== 'through' && fate.effect) await act();
    if (fate.kind === 'broken') throw unanswered(call);
    if (fate.kind === 'through') await sleep(clock, this.#world.webhooks.delayOf(call));
    const answer = fate.kind === 'refusal' ? refusalOf(fate) : await act();
    await sleep(clock, weather.latency());
    return contentOf(call, answer);
  }

  #handle(call: Call, signal: AbortSignal): Promise<Answer> {
    return this.#world.as(this.#process, () => this.#world.server.handle(requestOf(call, signal)));
  }
}

function unanswered({ method, path }: Call): KubeError {
  return new KubeError(`${method} ${path}: no usable answer from the API server (ECONNRESET)`);
}

const REASONS: Readonly<Record<number, string>> = { 409: 'Conflict', 429: 'TooManyRequests' };

function refusalOf({ status, retryAfter }: Extract<Fate, { kind: 'refusal' }>): Answer {
  const body = {
    kind: 'Status',
    code: status,
    reason: REASONS[status] ?? 'InternalError',
    message: 'trouble',
  };
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return { status, headers, body: JSON.stringify(body) };
}
