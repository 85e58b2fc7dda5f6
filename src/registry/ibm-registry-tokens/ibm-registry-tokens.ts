import { IBM_DIALECT } from '../ibm-iam/dialect.ts';
import { RegistryError } from '../errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import { accountIdOf } from '../ibm-iam/access-token.ts';
import { type Grant, IamSession } from '../ibm-iam/iam-session.ts';
import { type ApiKeyCredentials, readApiKey } from '../ibm-iam/credentials.ts';
import type { BackEnd, Capabilities, IssuedToken, IssueRequest, Place, Registry, Select } from '../port.ts';
import type { PlaceClient, PlaceRequest } from '../http/place-client.ts';
import { Regions } from '../ibm-iam/regions.ts';
import { urlBelow } from '../http/registry-client.ts';
import { isTokenId, listedRows, readIssued, readList } from './token-answers.ts';

export interface IBMRegistryTokensOptions {
  client: PlaceClient;
  session: IamSession;
  place: Place;
  /** The registry account; undefined for the one that the API key belongs to. */
  accountId: string | undefined;
  /** Called right before a token is created or revoked, after every wait. */
  guard: (() => void) | undefined;
}

/** A request before it has credentials. */
type Draft = Pick<PlaceRequest, 'operation' | 'purpose' | 'method' | 'maxBody' | 'rows'> & {
  path: string;
};

/** `ibmRegistryTokens` in a RegistryAccount's spec. */
export interface IbmRegistryTokensBlock {
  /** Default: the account of the API key. */
  accountId?: string | undefined;
  iamEndpoint?: string | undefined;
}

const IAM_ENDPOINT = 'https://iam.cloud.ibm.com';
const DEFAULT_REGION = 'us-south';
const DAY = 86_400_000;
const TOKENS = '/api/v1/tokens';
/** Bytes of a list, which has no pages; some 200,000 rows. */
const MAX_LIST = 128 * 2 ** 20;

const CAPABILITIES: Capabilities = {
  issue: 'minted',
  access: ['ReadOnly', 'ReadWrite'],
  lifetimes: { kind: 'range', minimum: DAY, maximum: DAY, granularity: DAY, never: true, default: DAY },
  scope: undefined,
  find: 'tag',
  readBack: true,
  revoke: true,
  settling: { acceptance: 30_000, listing: 0, absence: 0 },
};

/** IBM Cloud Container Registry's registry tokens. */
export const IBM_REGISTRY_TOKENS: BackEnd<IbmRegistryTokensBlock, ApiKeyCredentials> = {
  title: 'IBM registry tokens',
  capabilities: () => CAPABILITIES,

  places({ iamEndpoint = IAM_ENDPOINT }, declared) {
    const regions = new Regions({ iamEndpoint, regions: declared });
    const resolve = (name = DEFAULT_REGION): Place | undefined => {
      const region = regions.find(name);
      return region && { region: region.name, host: region.host, endpoint: region.endpoint };
    };
    return {
      defaultRegion: DEFAULT_REGION,
      all: regions.names.flatMap((name) => resolve(name) ?? []),
      resolve,
    };
  },

  identity: ({ accountId }) => accountId || undefined,
  identityField: 'accountId',
  readCredentials: (data) => readApiKey(data, 'IBM registry tokens'),

  connect({ name, block, credentials }, { client, login, clock, guard }) {
    const accountId = block.accountId || undefined;
    const session = new IamSession(login, clock, {
      account: name,
      endpoint: block.iamEndpoint ?? IAM_ENDPOINT,
      value: credentials.apiKey,
    });
    return {
      async verify(signal) {
        return { identity: accountIdOf(accountId, (await session.prove(signal)).accountId) };
      },
      registry: (place) => new IBMRegistryTokens({ client: client(place), session, place, accountId, guard }),
    };
  },
};

/**
 * IBM Cloud Container Registry's registry tokens, the API of 2017; the best description is bluemix-go's
 * api/container/registryv1/tokens.go. That client sends `permanent` in place of `write`; this one does not.
 */
export class IBMRegistryTokens implements Registry {
  readonly capabilities = CAPABILITIES;
  readonly host: string;
  readonly #options: IBMRegistryTokensOptions;

  constructor(options: IBMRegistryTokensOptions) {
    this.host = options.place.host;
    this.#options = options;
  }

  async issue({ description, access, lifetime }: IssueRequest, signal: AbortSignal): Promise<IssuedToken> {
    if (lifetime !== DAY && lifetime !== 'Never') {
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

  async revoke(id: string, signal: AbortSignal): Promise<boolean> {
    const draft: Draft = {
      operation: 'revoke',
      purpose: `revoke token ${id}`,
      method: 'DELETE',
      path: pathOf(id),
    };
    try {
      return await this.#ask(draft, signal, () => true, '');
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'NotFound') return false;
      throw error;
    }
  }

  async list<T>(_: readonly string[], select: Select<T>, signal: AbortSignal): Promise<T[]> {
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
   * @param read parses the answer; undefined when it has the wrong shape
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
    const { session, place, guard } = this.#options;
    const account = accountIdOf(this.#options.accountId, accountId);
    return {
      ...draft,
      creates: draft.operation === 'mint',
      guard: draft.operation === 'mint' || draft.operation === 'revoke' ? guard : undefined,
      names: draft.operation === 'read' || draft.operation === 'revoke',
      dialect: IBM_DIALECT,
      secrets: [session.apiKey.value, value],
      url: urlBelow(place.endpoint, path),
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
  throw new RegistryError('InvalidRequest', `${JSON.stringify(id)} is not the id of a token`);
}
