import type { Place } from '../port.ts';
import { RegistryError } from '../errors.ts';
import { accountIdOf } from '../ibm-iam/access-token.ts';
import { IBM_DIALECT } from '../ibm-iam/dialect.ts';
import type { Grant, IamSession } from '../ibm-iam/iam-session.ts';
import type { PlaceClient, PlaceRequest } from '../http/place-client.ts';
import { urlBelow } from '../http/registry-client.ts';
import type { Page } from './answers.ts';

/** A request to IAM, before credentials and the account's id are added. */
export type Draft = Pick<PlaceRequest, 'operation' | 'purpose' | 'method'> & {
  path: string;
  query?: Record<string, string>;
  /** Made with the account's id. */
  body?: (accountId: string) => object;
  creates?: boolean;
  names?: boolean;
};

export interface IamClientOptions {
  client: PlaceClient;
  session: IamSession;
  place: Place;
  /** undefined for the account that the API key belongs to. */
  accountId: string | undefined;
  guard: (() => void) | undefined;
}

/**
 * The longest that IAM may lag, in milliseconds: it is eventually consistent, so lists and requests by id may lack what was created and
 * show what was deleted. IBM gives no figure; known are seconds, and tools that wait for two minutes. This is ample.
 */
export const MAX_LAG = 300_000;
/** More pages than this: the server repeats a page for ever. */
const MAX_PAGES = 10_000;

/** IAM's APIs of identities and policies, for one account. */
export class IamClient {
  readonly #options: IamClientOptions;

  constructor(options: IamClientOptions) {
    this.#options = options;
  }

  /** The id of the account. @throws RegistryError */
  async accountId(signal: AbortSignal): Promise<string> {
    const { session, accountId } = this.#options;
    return accountIdOf(accountId, (await session.grant(signal)).accountId);
  }

  /**
   * Asks, and once more with another access token when the first was refused: a 401 means that nothing was done.
   * @param read parses the answer; undefined when it has the wrong shape
   */
  async ask<T>(draft: Draft, read: (json: unknown) => T | undefined, signal: AbortSignal): Promise<T> {
    const { session } = this.#options;
    const grant = await session.grant(signal);
    try {
      return await this.#send(draft, grant, read, signal);
    } catch (error) {
      if (!(error instanceof RegistryError && error.status === 401)) throw error;
      const other = await session.replace(grant, signal);
      if (!other) throw error;
      return await this.#send(draft, other, read, signal);
    }
  }

  /** Reads the pages of a list to the end. @param parameter of the query that names a page */
  async pages<T>(
    draft: Draft,
    parameter: 'pagetoken' | 'start',
    read: (json: unknown) => Page<T> | undefined,
    signal: AbortSignal,
  ): Promise<T[]> {
    const rows: T[] = [];
    let next: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const query: Record<string, string> = {
        ...draft.query,
        ...(next !== undefined && { [parameter]: next }),
      };
      const answer = await this.ask({ ...draft, query }, read, signal);
      rows.push(...answer.rows);
      next = answer.next;
      if (next === undefined) return rows;
    }
    throw new RegistryError(
      'Unavailable',
      `could not ${draft.purpose}: the list has more than ${MAX_PAGES} pages`,
    );
  }

  /** Deletes one object; one that does not exist is success. @returns whether it existed */
  async delete(
    operation: Draft['operation'],
    purpose: string,
    path: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      return await this.ask({ operation, purpose, method: 'DELETE', path, names: true }, () => true, signal);
    } catch (error) {
      if (isNotThere(error)) return false;
      throw error;
    }
  }

  #send<T>(
    draft: Draft,
    grant: Grant,
    read: (json: unknown) => T | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    const { client, session, place, guard } = this.#options;
    const { operation, purpose, method, path, query = {}, body, creates = false, names = false } = draft;
    const accountId = accountIdOf(this.#options.accountId, grant.accountId);
    const parameters = new URLSearchParams(query);
    if (method === 'GET' && !names) parameters.set('account_id', accountId);
    const search = parameters.toString();
    const request: PlaceRequest = {
      operation,
      purpose,
      method,
      creates,
      names,
      dialect: IBM_DIALECT,
      secrets: [session.apiKey.value, grant.value],
      guard: method === 'GET' ? undefined : guard,
      url: urlBelow(place.endpoint, search === '' ? path : `${path}?${search}`),
      headers: {
        Authorization: `Bearer ${grant.value.reveal()}`,
        Accept: 'application/json',
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body(accountId)) }),
    };
    return client.ask(request, ({ json }) => read(json), 'is not what IAM answers to this', signal);
  }
}

/** Whether IAM itself says so: a 404 of anything else can mean a wrong address. */
export function isNotThere(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'NotFound' && error.registryCode !== undefined;
}
