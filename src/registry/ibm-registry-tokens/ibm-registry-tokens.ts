import { IBM_DIALECT } from '../ibm-iam/dialect.ts';
import { RegistryError } from '../errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import { accountIdOf } from '../ibm-iam/access-token.ts';
import type { Grant, IamSession } from '../ibm-iam/iam-session.ts';
import type { Capabilities, IssuedToken, ListedToken, MintRequest, Registry } from '../port.ts';
import type { PlaceClient, PlaceRequest } from '../http/place-client.ts';
import type { Region } from '../ibm-iam/regions.ts';
import { urlBelow } from '../http/registry-client.ts';
import { isTokenId, listedRows, readIssued, readList } from './token-answers.ts';

export interface IBMRegistryTokensOptions {
  client: PlaceClient;
  session: IamSession;
  region: Region;
  /** The registry account; undefined for the one that the API key belongs to. */
  accountId: string | undefined;
  /** Asked right before a token is created or revoked, after every wait. */
  guard: (() => void) | undefined;
}

/** A request before it has credentials. */
type Draft = Pick<PlaceRequest, 'operation' | 'purpose' | 'method' | 'maxBody' | 'rows'> & {
  path: string;
};

const DAY = 86_400_000;
const TOKENS = '/api/v1/tokens';
/** Bytes of a list, which has no pages; some 200,000 rows. */
const MAX_LIST = 128 * 2 ** 20;

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

  #send<T>(
    draft: Draft,
    grant: Grant,
    signal: AbortSignal,
    read: (answer: HttpAnswer) => T | undefined,
    flaw: string,
  ): Promise<T> {
    return this.#options.client.ask(this.#request(draft, grant), read, flaw, signal);
  }

  #request({ path, ...draft }: Draft, { value, accountId }: Grant): PlaceRequest {
    const { session, region, guard } = this.#options;
    const account = accountIdOf(this.#options.accountId, accountId);
    return {
      ...draft,
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

/** @throws RegistryError InvalidRequest for what would name the whole collection */
function pathOf(id: string): string {
  if (isTokenId(id)) return `${TOKENS}/${encodeURIComponent(id)}`;
  throw new RegistryError('InvalidRequest', `${JSON.stringify(id)} is no id of a token`);
}
