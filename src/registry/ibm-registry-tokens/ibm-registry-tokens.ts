import { IBM_DIALECT } from '../ibm-iam/dialect.ts';
import type { CircuitBreaker } from '../http/circuit-breaker.ts';
import { RegistryError } from '../errors.ts';
import { unreadable } from '../http/failures.ts';
import type { HttpAnswer } from '../http/answer.ts';
import { accountIdOf } from '../ibm-iam/access-token.ts';
import type { Grant, IamSession } from '../ibm-iam/iam-session.ts';
import type { Capabilities, IssuedToken, ListedToken, MintRequest, Registry } from '../port.ts';
import type { RateLimiter } from '../http/rate-limiter.ts';
import type { Region } from '../ibm-iam/regions.ts';
import { MAX_ROWS } from '../../common/row-splitter.ts';
import { urlBelow, type RegistryClient, type RegistryRequest } from '../http/registry-client.ts';
import { isTokenId, listedRows, readIssued, readList } from './token-answers.ts';

export interface IBMRegistryTokensOptions {
  client: RegistryClient;
  session: IamSession;
  limiter: RateLimiter;
  breaker: CircuitBreaker;
  region: Region;
  /** The registry account; undefined for the one that the API key belongs to. */
  accountId: string | undefined;
  /** Asked right before a token is created or revoked, after every wait. */
  guard: (() => void) | undefined;
}

/** A request before it has credentials. */
type Draft = Pick<RegistryRequest, 'operation' | 'purpose' | 'method' | 'maxBody' | 'rows'> & {
  path: string;
};

const DAY = 86_400_000;
const TOKENS = '/api/v1/tokens';
/** Bytes of a list, which has no pages; some 200,000 rows. */
const MAX_LIST = 128 * 2 ** 20;
/** Milliseconds, for a registry that limits the rate without saying how long. */
const DEFAULT_PAUSE = 1_000;

export const IBM_REGISTRY_TOKENS_CAPABILITIES: Capabilities = {
  access: ['ReadOnly', 'ReadWrite'],
  lifetimes: [DAY, 'Never'],
  readBack: true,
};

/**
 * IBM Cloud Container Registry's registry tokens, the API of 2017; where it is described best is bluemix-go's
 * api/container/registryv1/tokens.go. That client sends `permanent` in place of `write`; this one does not.
 */
export class IBMRegistryTokens implements Registry {
  readonly capabilities = IBM_REGISTRY_TOKENS_CAPABILITIES;
  readonly host: string;
  readonly #options: IBMRegistryTokensOptions;

  constructor(options: IBMRegistryTokensOptions) {
    this.host = options.region.host;
    this.#options = options;
  }

  async mint({ description, access, lifetime }: MintRequest, signal: AbortSignal): Promise<IssuedToken> {
    if (!this.capabilities.lifetimes.includes(lifetime)) {
      const message = `could not create a token at ${this.host}: it has tokens for 24h or Never, not for ${lifetime} ms`;
      throw new RegistryError('InvalidRequest', `${message}; correct spec.lifetime`);
    }
    const query = [
      `description=${encodeURIComponent(description)}`,
      `permanent=${lifetime === 'Never'}`,
      `write=${access === 'ReadWrite'}`,
    ].join('&');
    const draft: Draft = {
      operation: 'mint',
      purpose: 'create a token',
      method: 'POST',
      path: `${TOKENS}?${query}`,
    };
    return this.#ask(draft, signal, ({ json }) => readIssued(json), 'holds no token');
  }

  async read(id: string, signal: AbortSignal): Promise<IssuedToken> {
    const draft: Draft = {
      operation: 'read',
      purpose: `read token ${id}`,
      method: 'GET',
      path: pathOf(id),
    };
    const readThis = ({ json }: HttpAnswer): IssuedToken | undefined => {
      const issued = readIssued(json);
      return issued?.id === id ? issued : undefined;
    };
    return this.#ask(draft, signal, readThis, 'does not hold this token');
  }

  async revoke(id: string, signal: AbortSignal): Promise<void> {
    const draft: Draft = {
      operation: 'revoke',
      purpose: `revoke token ${id}`,
      method: 'DELETE',
      path: pathOf(id),
    };
    try {
      await this.#ask(draft, signal, () => true, '');
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'NotFound')) throw error;
    }
  }

  async list<T>(select: (row: ListedToken) => T | undefined, signal: AbortSignal): Promise<T[]> {
    const draft: Draft = {
      operation: 'list',
      purpose: 'list the tokens',
      method: 'GET',
      path: TOKENS,
      maxBody: MAX_LIST,
      rows: listedRows(select),
    };
    return (await this.#ask(draft, signal, readList, 'is no complete list')) as T[];
  }

  /**
   * Asks, and once more with another access token when the first was refused: a 401 means that nothing was done.
   * @param read what the answer says; undefined when it makes no sense
   */
  async #ask<T>(
    draft: Draft,
    signal: AbortSignal,
    read: (answer: HttpAnswer) => T | undefined,
    flaw: string,
  ): Promise<T> {
    const { session } = this.#options;
    const grant = await session.grant(signal);
    try {
      return await this.#send(draft, grant, signal, read, flaw);
    } catch (error) {
      if (!(error instanceof RegistryError && error.status === 401)) throw error;
      const other = await session.replace(grant, signal);
      if (!other) throw error;
      return await this.#send(draft, other, signal, read, flaw);
    }
  }

  async #send<T>(
    draft: Draft,
    grant: Grant,
    signal: AbortSignal,
    read: (answer: HttpAnswer) => T | undefined,
    flaw: string,
  ): Promise<T> {
    const request = this.#request(draft, grant);
    const { limiter, breaker } = this.#options;
    breaker.check();
    const answer = await limiter.run(() => breaker.run(() => this.#heeded(request, signal)), signal);
    const result = read(answer);
    if (result === undefined)
      throw unreadable(request, answer, limitOf(draft, answer) ?? answer.flaw ?? flaw);
    return result;
  }

  /** A pause that the registry asks for begins before the next request can. */
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

  #request({ path, ...draft }: Draft, { value, accountId }: Grant): RegistryRequest {
    const { session, region, guard } = this.#options;
    const account = accountIdOf(this.#options.accountId, accountId);
    return {
      ...draft,
      account: session.apiKey.account,
      region: region.name,
      creates: draft.operation === 'mint',
      guard: draft.operation === 'mint' || draft.operation === 'revoke' ? guard : undefined,
      names: draft.operation === 'read' || draft.operation === 'revoke',
      dialect: IBM_DIALECT,
      secrets: [session.apiKey.value, value],
      url: urlBelow(region.endpoint, path),
      headers: {
        Authorization: `Bearer ${value.reveal()}`,
        Account: account,
        Accept: 'application/json',
        'Accept-Language': 'en',
      },
    };
  }
}

/** What of a list that is too long would be read. */
function limitOf({ operation, maxBody = 0 }: Draft, { flaw }: HttpAnswer): string | undefined {
  if (operation !== 'list' || flaw !== 'is too long') return undefined;
  return `is too long: lists are read up to ${maxBody / 2 ** 20} MiB and ${MAX_ROWS} rows`;
}

/** @throws RegistryError InvalidRequest for what would name the whole collection */
function pathOf(id: string): string {
  if (isTokenId(id)) return `${TOKENS}/${encodeURIComponent(id)}`;
  throw new RegistryError('InvalidRequest', `${JSON.stringify(id)} is no id of a token`);
}
