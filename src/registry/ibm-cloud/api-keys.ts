import type { Clock } from '../../common/clock.ts';
import { Redacted } from '../../common/redacted.ts';
import type {
  Capabilities,
  IssuedToken,
  IssueRequest,
  ListedToken,
  Place,
  Registry,
  Select,
  Tag,
} from '../port.ts';
import { RegistryError } from '../errors.ts';
import { readCreatedKey, readKey, readKeys, type ApiKeyRow, type ServiceId } from './answers.ts';
import { isNotThere, MAX_LAG, type Draft, type IamClient } from './iam-client.ts';
import { identityOf, type Identities } from './identities.ts';

export interface ApiKeysOptions {
  client: IamClient;
  identities: Identities;
  place: Place;
  /** An administrator's service ID, whose policies the operator does not change; undefined: one for each RegistryToken. */
  serviceId: string | undefined;
  capabilities: Capabilities;
  /** Keys that this process created, by id; those whose answer was lost, by description. */
  created: Map<string, CreatedKey>;
  /** When it deleted keys, by id, on the monotonic clock. */
  deleted: Map<string, number>;
  clock: Clock;
  /** Milliseconds since 1970 by IAM's clock. */
  now: () => number;
}

/** A key that was created a moment ago. */
export interface CreatedKey {
  /** Of its service ID. */
  iamId: string;
  /** When, on the monotonic clock. */
  at: number;
}

const MINUTE = 60_000;
/** User name for an API key: https://cloud.ibm.com/docs/Registry?topic=Registry-registry_access */
const USERNAME = 'iamapikey';
/** Most keys of an identity: https://cloud.ibm.com/docs/account?topic=account-known-issues#iam_limits */
export const MAX_KEYS = 20;

/** API keys of IBM Cloud IAM, on service IDs whose policies say what they may do at the registry of a region. */
export class ApiKeys implements Registry {
  readonly capabilities: Capabilities;
  readonly host: string;
  readonly #options: ApiKeysOptions;

  constructor(options: ApiKeysOptions) {
    this.capabilities = options.capabilities;
    this.host = options.place.host;
    this.#options = options;
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedToken> {
    const { client, identities, place, serviceId, created, clock, now } = this.#options;
    const { tag, lifetime, description } = request;
    const iamId =
      serviceId === undefined
        ? await identities.ensure(client, request, place.region, signal)
        : `iam-${serviceId}`;
    const draft: Draft = {
      operation: 'mint',
      purpose: 'create an API key',
      method: 'POST',
      path: '/v1/apikeys',
      creates: true,
      body: (accountId) => ({
        account_id: accountId,
        iam_id: iamId,
        name: keyName(tag),
        description,
        store_value: false,
        ...(lifetime !== 'Never' && { expires_at: expiry(now() + lifetime) }),
      }),
    };
    let key;
    this.#forgetOld();
    created.set(description, { iamId, at: clock.monotonic() });
    try {
      key = await client.ask(draft, readCreatedKey, signal);
      created.delete(description);
    } catch (error) {
      if (error instanceof RegistryError && error.code !== 'Ambiguous') created.delete(description);
      throw serviceId === undefined ? withLag(error) : withQuota(error, serviceId);
    }
    created.set(key.id, { iamId, at: clock.monotonic() });
    return {
      id: key.id,
      username: USERNAME,
      value: new Redacted(key.apikey),
      expiresAt: key.expires_at ?? null,
    };
  }

  async lookUp(id: string, signal: AbortSignal): Promise<ListedToken | undefined> {
    const draft: Draft = {
      operation: 'read',
      purpose: `read API key ${id}`,
      method: 'GET',
      path: keyPath(id),
      names: true,
    };
    try {
      return rowOf(await this.#options.client.ask(draft, readKey, signal));
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  /** Deletes a key, or a service ID with its policies: throws `Conflict` where keys hang on that. */
  async revoke(id: string, signal: AbortSignal): Promise<boolean> {
    const { client, identities, created, deleted, clock } = this.#options;
    if (id.startsWith('ServiceId-')) {
      if (await this.#isFree(id, signal)) return identities.delete(client, id, signal);
      throw new RegistryError('Conflict', `could not delete service ID ${id}: it has API keys`);
    }
    const wasThere = await client.delete('revoke', `delete API key ${id}`, keyPath(id), signal);
    this.#forgetOld();
    // IAM may not know it yet: it stays among the created, since it may hang on its service ID.
    if (!wasThere) return deleted.has(id);
    created.delete(id);
    deleted.set(id, clock.monotonic());
    return true;
  }

  /** Forgets what is older than IAM's lag. */
  #forgetOld(): void {
    const { created, deleted, clock } = this.#options;
    const isOld = (at: number): boolean => clock.monotonic() - at >= MAX_LAG;
    for (const [id, { at }] of created) if (isOld(at)) created.delete(id);
    for (const [id, at] of deleted) if (isOld(at)) deleted.delete(id);
  }

  /** Whether no key hangs on a service ID, since all would go with it. Lists can lag behind what was created or deleted. */
  async #isFree(id: string, signal: AbortSignal): Promise<boolean> {
    const { created, deleted, now } = this.#options;
    const iamId = `iam-${id}`;
    const keys = await this.#keysOf(iamId, signal);
    this.#forgetOld();
    if ([...created.values()].some((key) => key.iamId === iamId)) return false;
    return keys.every((key) => key.disabled || deleted.has(key.id) || (key.expires_at ?? Infinity) <= now());
  }

  async release(
    owner: Pick<Tag, 'clusterId' | 'uid'>,
    keep: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { client, identities } = this.#options;
    const serviceIds = await this.#serviceIds(signal, owner.uid);
    await identities.release(client, serviceIds, owner, keep, (id) => this.#isFree(id, signal), signal);
  }

  /** Keys and their service IDs; with an administrator's service ID also those that were created before it was set. */
  async list<T>(_: readonly string[], select: Select<T>, signal: AbortSignal): Promise<T[]> {
    const { serviceId } = this.#options;
    const serviceIds = await this.#serviceIds(signal);
    const rows = serviceIds.flatMap((each): ListedToken[] => {
      const { id, description } = each;
      const identity = identityOf(each);
      return identity ? [{ id, description, expiresAt: null, revoked: false, identity }] : [];
    });
    if (serviceIds.length > 0) rows.push(...(await this.#keysOfGroups(serviceIds, signal)).map(rowOf));
    if (serviceId !== undefined) rows.push(...(await this.#keysOf(`iam-${serviceId}`, signal)).map(rowOf));
    return rows.flatMap((row) => select(row) ?? []);
  }

  /** With an administrator's service ID, the operator's key may not be allowed to list others: then it never created any. */
  async #serviceIds(signal: AbortSignal, uid?: string): Promise<ServiceId[]> {
    const { client, identities, serviceId } = this.#options;
    try {
      return await identities.list(client, signal, uid);
    } catch (error) {
      if (serviceId !== undefined && error instanceof RegistryError && error.code === 'Forbidden') return [];
      throw error;
    }
  }

  /** All keys at once, which takes an administrator, or else service ID by service ID. */
  async #keysOfGroups(serviceIds: readonly { iam_id: string }[], signal: AbortSignal): Promise<ApiKeyRow[]> {
    const { client, identities } = this.#options;
    const keys: ApiKeyRow[] = [];
    try {
      for (const group of await identities.groups(client, signal))
        keys.push(...(await this.#keys({ scope: 'account', type: 'serviceid', group_id: group }, signal)));
      return keys;
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'Forbidden')) throw error;
    }
    const one: ApiKeyRow[] = [];
    for (const { iam_id: iamId } of serviceIds) one.push(...(await this.#keysOf(iamId, signal)));
    return one;
  }

  #keysOf(iamId: string, signal: AbortSignal): Promise<ApiKeyRow[]> {
    return this.#keys({ iam_id: iamId }, signal);
  }

  async #keys(query: Record<string, string>, signal: AbortSignal): Promise<ApiKeyRow[]> {
    const draft: Draft = {
      operation: 'list',
      purpose: 'list the API keys',
      method: 'GET',
      path: '/v1/apikeys',
      query: { ...query, pagesize: '100' },
    };
    const { client, created } = this.#options;
    const keys = await client.pages(draft, 'pagetoken', readKeys, signal);
    // The answer to its creation was lost: from now on its id is known.
    for (const { id, description } of keys) {
      const unconfirmed = created.get(description);
      if (unconfirmed && created.delete(description)) created.set(id, unconfirmed);
    }
    return keys;
  }

  /** A warning when an administrator's service ID is about to run out of keys. */
  async remark(signal: AbortSignal): Promise<string | undefined> {
    const { serviceId } = this.#options;
    if (serviceId === undefined) return undefined;
    const { length } = await this.#keysOf(`iam-${serviceId}`, signal);
    if (length < MAX_KEYS * 0.8) return undefined;
    return `service ID ${serviceId} has ${length} of at most ${MAX_KEYS} API keys; each rotation needs one more for its grace period`;
  }
}

/** @throws RegistryError InvalidRequest for an id that would name all keys, or something else */
function keyPath(id: string): string {
  if (!/^\.{0,2}$/.test(id)) return `/v1/apikeys/${encodeURIComponent(id)}`;
  throw new RegistryError('InvalidRequest', `${JSON.stringify(id)} is not the id of an API key`);
}

function rowOf({ id, description, expires_at: expiresAt, disabled }: ApiKeyRow): ListedToken {
  return { id, description, expiresAt: expiresAt ?? null, revoked: disabled };
}

/** `yyyy-MM-ddTHH:mm+0000`: the first whole minute that is not before a time. */
function expiry(time: number): string {
  const minute = Math.ceil(time / MINUTE) * MINUTE;
  return `${new Date(minute).toISOString().slice(0, 16)}+0000`;
}

function keyName({ uid, revision }: Tag): string {
  return `registrytoken-${uid}-${revision}`;
}

/** IAM may not know a service ID yet that was just created: no key was created then. */
function withLag(error: unknown): unknown {
  if (!(error instanceof RegistryError && error.status === 404)) return error;
  return error.reworded('Unavailable', `${error.message} (IAM may not know the service ID yet)`);
}

function withQuota(error: unknown, serviceId: string): unknown {
  if (!(error instanceof RegistryError && error.code === 'QuotaExceeded')) return error;
  return error.reworded(
    'QuotaExceeded',
    `service ID ${serviceId} has as many API keys as IAM allows (${MAX_KEYS}): let fewer RegistryTokens use the account, shorten their gracePeriod, or leave out ibmCloud.serviceId, so that each gets a service ID of its own`,
  );
}
