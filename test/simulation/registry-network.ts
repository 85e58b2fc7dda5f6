import { abortable } from '../../src/common/abortable.ts';
import { sleep } from '../../src/common/clock.ts';
import { AnswerBody } from '../../src/registry/http/answer-body.ts';
import { NoAnswer } from '../../src/registry/http/answer-reader.ts';
import { readAnswer, type HttpAnswer } from '../../src/registry/http/answer.ts';
import type { HttpRequest, HttpSender } from '../../src/registry/http/http-client.ts';
import type { Answer } from '../../sandbox/registries/shared/message.ts';
import type { Purpose } from './registries/provider.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Fate } from './weather.ts';
import type { World } from './world.ts';

/** Milliseconds that the operator waits for a registry's answer. */
const TIMEOUT = 10_000;

/** What changes something at a registry. */
const EFFECTS: ReadonlySet<Purpose> = new Set(['exchange', 'mint', 'found', 'revoke']);

/** The way of one process to the registries. */
export class RegistryNetwork implements HttpSender {
  readonly #world: World;
  readonly #process: SimulatedProcess;

  constructor(world: World, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const world = this.#world;
    const process = this.#process;
    const inquiry = world.registries.inquire(request);
    const { purpose } = inquiry;
    const title = `${process.name} ${inquiry.operation} at ${request.url.host}`;
    await process.gate.open();
    // The others leave nothing behind, so dying there is dying before.
    const matters = purpose !== 'login';
    if (matters) await world.boundary(process, `before ${title}`);
    const effect = EFFECTS.has(purpose);
    request.guard?.();
    if (effect) world.changed();
    if (effect) world.audit.asked(process, inquiry, request.url);
    const fate = world.weather.registry(request.url.host, effect);
    if (fate.kind !== 'through') world.journal.note(() => `${title}: ${JSON.stringify(fate)}`);
    const flight = this.#fly(request, fate, effect).then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    const outcome = await abortable(flight, signal);
    if (matters) await world.boundary(process, `after ${title}`);
    await process.gate.open();
    if (purpose === 'exchange' && fate.kind !== 'through')
      world.audit.exchanges.unanswered(process, request.url);
    if ('error' in outcome) throw outcome.error;
    const { status, headers, body } = outcome.answer;
    const received = new AnswerBody(status, { maxBody: Infinity, rows: request.rows });
    received.take(Buffer.from(body));
    return readAnswer({ status, headers, ...received.content }, process.clock.now());
  }

  async #fly(request: HttpRequest, fate: Fate, effect: boolean): Promise<Answer> {
    const { clock, weather, registries } = this.#world;
    const act = (): Promise<Answer> => {
      if (effect) this.#world.changed();
      return this.#world.as(this.#process, () => registries.handle(request));
    };
    await sleep(clock, weather.latency());
    if (!registries.isThere(request.url.host)) throw new NoAnswer('ENOTFOUND', false);
    switch (fate.kind) {
      case 'refused':
        throw new NoAnswer('ECONNREFUSED', false);
      case 'broken':
        if (fate.effect) await act();
        throw new NoAnswer('ECONNRESET', true);
      case 'lost':
        if (fate.effect === 'at once') await act();
        else if (fate.effect !== 'never') clock.after(TIMEOUT + fate.effect, () => void act());
        await sleep(clock, TIMEOUT);
        throw new NoAnswer('there was no answer in time', true);
      case 'refusal':
        if (fate.effect) await act();
        return registries.refuse(request, fate.status, fate.retryAfter);
      case 'through': {
        const answer = await act();
        await sleep(clock, weather.latency());
        return answer;
      }
    }
  }
}
