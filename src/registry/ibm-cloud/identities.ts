import type { Clock } from '../../common/clock.ts';
import type { IssueRequest, ListedToken, Tag } from '../back-end.ts';
import { RegistryError } from '../errors.ts';
import {
  readGroup,
  readGroups,
  readPolicies,
  readPolicy,
  readServiceId,
  readServiceIds,
  type ServiceId,
} from './answers.ts';
import type { IamClient } from './iam-client.ts';
import { grants, policyBody, type PolicyGrant } from './policies.ts';

/** Service IDs of the operator are in a group of their own: lists stay short, and away from those of others. */
const GROUP_NAME = 'registry-token-operator';
/** How long IAM may not show what was created, in milliseconds: meanwhile it is remembered. */
const MAX_LAG = 300_000;
const IDENTITY = /^\[pullsecrets\.dev:([A-Za-z0-9.-]{1,63}):([A-Za-z0-9-]{1,63}):spec-([0-9a-f]{1,64})\]$/;

type Identity = NonNullable<ListedToken['identity']>;

/**
 * The service IDs and policies that API keys hang on: one service ID for each RegistryToken and specHash, with one policy for each
 * registry namespace of its scope. Found by their description, created when missing.
 */
export class Identities {
  readonly #clock: Clock;
  /** The creation of the group that is under way: all first issues share it. */
  #creatingGroup: Promise<string> | undefined;
  /** Service IDs that this process created a moment ago, by description. */
  readonly #recent = new Map<string, { iamId: string; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The `iam_id` to create a key for, with its policies. @throws RegistryError */
  async ensure(
    client: IamClient,
    request: IssueRequest,
    region: string,
    signal: AbortSignal,
  ): Promise<string> {
    const iamId = await this.#ensureServiceId(client, request, signal);
    const { access, scope } = request;
    const namespaces = scope.length === 0 ? [undefined] : scope;
    const wanted = namespaces.map((namespace): PolicyGrant => ({ access, region, namespace }));
    await this.#ensurePolicies(client, iamId, wanted, request.description, signal);
    return iamId;
  }

  /** The operator's service IDs, of all clusters; with a name, those of one RegistryToken. @throws RegistryError */
  async list(client: IamClient, signal: AbortSignal, name?: string): Promise<ServiceId[]> {
    const found: ServiceId[] = [];
    for (const group of await this.groups(client, signal)) {
      const query = { group_id: group, pagesize: '100', ...(name !== undefined && { name }) };
      const draft = {
        operation: 'list',
        purpose: 'list the service IDs',
        method: 'GET',
        path: '/v1/serviceids',
        query,
      } as const;
      found.push(...(await client.pages(draft, 'pagetoken', readServiceIds, signal)));
    }
    return found;
  }

  /** Deletes service IDs of a RegistryToken, and with each its keys and policies. @param keep specHashes of those that stay */
  async release(
    client: IamClient,
    { clusterId, uid }: Pick<Tag, 'clusterId' | 'uid'>,
    keep: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const serviceId of await this.list(client, signal, nameOf(uid))) {
      const identity = identityOf(serviceId);
      if (identity?.clusterId !== clusterId || identity.uid !== uid || keep.includes(identity.specHash))
        continue;
      await this.delete(client, serviceId.id, signal);
    }
  }

  async delete(client: IamClient, id: string, signal: AbortSignal): Promise<void> {
    await client.delete(
      'revoke',
      `delete service ID ${id}`,
      `/v1/serviceids/${encodeURIComponent(id)}`,
      signal,
    );
    for (const [description, { iamId }] of this.#recent)
      if (iamId === `iam-${id}`) this.#recent.delete(description);
  }

  /** The groups of the operator's service IDs: one, unless creations that did not know of each other made more. @throws RegistryError */
  async groups(client: IamClient, signal: AbortSignal): Promise<string[]> {
    const draft = {
      operation: 'list',
      purpose: 'list the service ID groups',
      method: 'GET',
      path: '/v1/serviceid_groups',
    } as const;
    const groups = await client.ask(draft, readGroups, signal);
    return groups.flatMap(({ id, name }) => (name === GROUP_NAME ? [id] : [])).sort();
  }

  async #ensureGroup(client: IamClient, signal: AbortSignal): Promise<string> {
    const [existing] = await this.groups(client, signal);
    if (existing !== undefined) return existing;
    this.#creatingGroup ??= this.#createGroup(client, signal).finally(
      () => (this.#creatingGroup = undefined),
    );
    return this.#creatingGroup;
  }

  async #createGroup(client: IamClient, signal: AbortSignal): Promise<string> {
    const draft = {
      operation: 'mint',
      purpose: 'create the service ID group',
      method: 'POST',
      path: '/v1/serviceid_groups',
      creates: true,
      body: (accountId: string) => ({ account_id: accountId, name: GROUP_NAME }),
    } as const;
    try {
      return (await client.ask(draft, readGroup, signal)).id;
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'Conflict')) throw error;
      const [other] = await this.groups(client, signal);
      if (other !== undefined) return other;
      throw error.reworded(
        'Unavailable',
        `service ID group ${GROUP_NAME} was created a moment ago, and IAM does not show it yet; will retry`,
      );
    }
  }

  /** Of several, which a list that lagged may have led to, always the same one. */
  async #ensureServiceId(
    client: IamClient,
    { tag, specHash }: IssueRequest,
    signal: AbortSignal,
  ): Promise<string> {
    const description = descriptionOf({ ...tag, specHash });
    for (const [key, { at }] of this.#recent)
      if (this.#clock.monotonic() - at > MAX_LAG) this.#recent.delete(key);
    const recent = this.#recent.get(description);
    if (recent) return recent.iamId;
    const group = await this.#ensureGroup(client, signal);
    const found = (await this.list(client, signal, nameOf(tag.uid)))
      .filter((each) => each.description === description)
      .sort((a, b) => (a.created_at ?? 0) - (b.created_at ?? 0) || (a.id < b.id ? -1 : 1));
    if (found[0]) return found[0].iam_id;
    const draft = {
      operation: 'mint',
      purpose: 'create a service ID',
      method: 'POST',
      path: '/v1/serviceids',
      creates: true,
      body: (accountId: string) => ({
        account_id: accountId,
        group_id: group,
        name: nameOf(tag.uid),
        description,
      }),
    } as const;
    const { iam_id: iamId } = await client.ask(draft, readServiceId, signal);
    this.#recent.set(description, { iamId, at: this.#clock.monotonic() });
    return iamId;
  }

  async #ensurePolicies(
    client: IamClient,
    iamId: string,
    wanted: readonly PolicyGrant[],
    description: string,
    signal: AbortSignal,
  ): Promise<void> {
    const accountId = await client.accountId(signal);
    const query = { iam_id: iamId, type: 'access', limit: '100' };
    const list = {
      operation: 'list',
      purpose: 'list the policies',
      method: 'GET',
      path: '/v1/policies',
      query,
    } as const;
    const there = await client.pages(list, 'start', readPolicies, signal);
    for (const grant of wanted) {
      if (there.some((policy) => grants(policy, grant, accountId))) continue;
      const draft = {
        operation: 'mint',
        purpose: 'create a policy',
        method: 'POST',
        path: '/v1/policies',
        creates: true,
        body: () => policyBody(grant, iamId, accountId, description),
      } as const;
      try {
        await client.ask(draft, readPolicy, signal);
      } catch (error) {
        // The service ID is ours alone, so the policy that is in conflict grants it the same, or more: it was created before.
        if (!(error instanceof RegistryError && error.code === 'Conflict')) throw error;
      }
    }
  }
}

/** What a service ID was made for; undefined for one that is not the operator's. */
export function identityOf({ description }: Pick<ServiceId, 'description'>): Identity | undefined {
  const [, clusterId, uid, specHash] = IDENTITY.exec(description) ?? [];
  return clusterId !== undefined && uid !== undefined && specHash !== undefined
    ? { clusterId, uid, specHash }
    : undefined;
}

function descriptionOf({ clusterId, uid, specHash }: Identity): string {
  return `[pullsecrets.dev:${clusterId}:${uid}:spec-${specHash}]`;
}

/** Names are not unique; lists can be narrowed to one. */
function nameOf(uid: string): string {
  return `registrytoken-${uid}`;
}
