import { MAX_ROWS } from '../../common/row-splitter.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { RegistryError } from '../errors.ts';
import { unreadable } from './failures.ts';
import type { HttpAnswer } from './answer.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RegistryClient, RegistryRequest } from './registry-client.ts';

/** A request to a place, with what messages and metrics say of it. */
export type PlaceRequest = Omit<RegistryRequest, 'account' | 'region'>;

export interface PlaceClientOptions {
  client: RegistryClient;
  limiter: RateLimiter;
  breaker: CircuitBreaker;
  account: string;
  region: string;
}

/** Milliseconds, for a registry that limits the rate without saying how long. */
const DEFAULT_PAUSE = 1_000;

/** Sends an account's requests to one place, under its rate limit and through its circuit breaker. */
export class PlaceClient {
  readonly #options: PlaceClientOptions;

  constructor(options: PlaceClientOptions) {
    this.#options = options;
  }

  /**
   * Sends a request once.
   * @param read parses the answer; undefined when it has the wrong shape
   * @param flaw what is wrong with an answer that can't be read; completes a sentence that begins with "the answer"
   * @throws RegistryError, the signal's reason, or what the request's guard throws
   */
  async ask<T>(
    request: PlaceRequest,
    read: (answer: HttpAnswer) => T | undefined,
    flaw: string,
    signal: AbortSignal,
  ): Promise<T> {
    const { limiter, breaker, account, region } = this.#options;
    const full: RegistryRequest = { ...request, account, region };
    breaker.check();
    const answer = await limiter.run(() => breaker.run(() => this.#heeded(full, signal)), signal);
    const result = read(answer);
    if (result === undefined) throw unreadable(full, answer, limitOf(full, answer) ?? answer.flaw ?? flaw);
    return result;
  }

  /** Starts the pause that the registry asks for before the next request is admitted. */
  async #heeded(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { client, limiter } = this.#options;
    try {
      return await client.ask(request, signal);
    } catch (error) {
      if (error instanceof RegistryError) {
        const { code, retryAfter } = error;
        const pause = retryAfter ?? (code === 'RateLimited' ? DEFAULT_PAUSE : undefined);
        if (pause !== undefined) limiter.pause(pause);
      }
      throw error;
    }
  }
}

/** The limits that a list exceeds. */
function limitOf({ rows, maxBody = 0 }: RegistryRequest, { flaw }: HttpAnswer): string | undefined {
  if (!rows || flaw !== 'is too long') return undefined;
  return `is too long: lists are read up to ${maxBody / 2 ** 20} MiB and ${MAX_ROWS} rows`;
}
