import type { Clock } from '../../common/clock.ts';
import type { IssueRequest, ListedToken, Tag } from '../port.ts';
import { RegistryError } from '../errors.ts';
import { SharedCall } from '../http/shared-call.ts';
import {
  readGroup,
  readGroups,
  readPolicies,
  readPolicy,
  readServiceId,
  readServiceIds,
  type ServiceId,
} from './answers.ts';
import { MAX_LAG, type IamClient } from './iam-client.ts';
import { grants, policyBody, type PolicyGrant } from './policies.ts';

/** The operator's service IDs are in a group of their own: lists stay short, and without those of others. */
const GROUP_NAME = 'registry-token-operator';
const IDENTITY = /^\[pullsecrets\.dev:([A-Za-z0-9.-]{1,63}):([A-Za-z0-9-]{1,63}):spec-([0-9a-f]{1,64})\]$/;

type Identity = NonNullable<ListedToken['identity']>;

/** A service ID that IAM may not show yet. */
interface Recent {
  description: string;
  /** undefined: the answer was lost, so it may not exist. */
  id: string | undefined;
  /** When, on the monotonic clock. */
  at: number;
}

/**
 * The service IDs and policies that API keys hang on: one service ID for each RegistryToken and specHash, with one policy for each
 * registry namespace of its scope. Found by their description, created when missing.
 */
export class Identities {
  readonly #clock: Clock;
  /** The creation of the group that is under way. */
  #creatingGroup: SharedCall<string> | undefined;
  /** Service IDs that this process created a moment ago. */
  #recent: readonly Recent[] = [];

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

  /** The operator's service IDs, of all clusters, or only those of one RegistryToken. @throws RegistryError */
  async list(client: IamClient, signal: AbortSignal, uid?: string): Promise<ServiceId[]> {
    return this.#listIn(await this.groups(client, signal), client, signal, uid);
  }

  async #listIn(
    groups: readonly string[],
    client: IamClient,
    signal: AbortSignal,
    uid: string | undefined,
  ): Promise<ServiceId[]> {
    const found: ServiceId[] = [];
    for (const group of groups) {
      const query = { group_id: group, pagesize: '100', ...(uid !== undefined && { name: nameOf(uid) }) };
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

  /**
   * Deletes service IDs of a RegistryToken, and with each its policies: those listed, and those that IAM does not list yet.
   * @param listed service IDs of the RegistryToken, whichever cluster's
   * @param keep specHashes of those that stay
   * @param isFree whether no key hangs on a service ID: those of a cluster with the same ids stay too
   * @throws RegistryError `Conflict` where some stay since keys hang on them or may do, or since it is not known whether they
   * were created; the others are deleted
   */
  async release(
    client: IamClient,
    listed: readonly ServiceId[],
    { clusterId, uid }: Pick<Tag, 'clusterId' | 'uid'>,
    keep: readonly string[],
    isFree: (id: string) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#forgetOld();
    const isMeant = (each: Pick<ServiceId, 'description'>): boolean => {
      const identity = identityOf(each);
      return identity?.clusterId === clusterId && identity.uid === uid && !keep.includes(identity.specHash);
    };
    const recent = this.#recent.filter(isMeant);
    const found = listed.filter(isMeant);
    // One whose answer was lost and that is listed exists: the list has its id.
    const others = found.filter(({ id }) => !recent.some((each) => each.id === id));
    const isUnknown = ({ id, description }: Recent): boolean =>
      id === undefined && !others.some((each) => each.description === description);
    const kept = recent.filter(isUnknown).map(() => 'one that may have been created');
    for (const id of new Set([...found, ...recent].flatMap((each) => each.id ?? []))) {
      if (await isFree(id)) await this.delete(client, id, signal);
      else kept.push(id);
    }
    if (kept.length > 0)
      throw new RegistryError(
        'Conflict',
        `could not delete service IDs that have API keys, or may have: ${kept.join(', ')}`,
      );
  }

  /** @returns whether it was there @throws RegistryError `Unavailable` where IAM does not know one yet that was created a moment ago */
  async delete(client: IamClient, id: string, signal: AbortSignal): Promise<boolean> {
    const path = `/v1/serviceids/${encodeURIComponent(id)}`;
    const wasThere = await client.delete('revoke', `delete service ID ${id}`, path, signal);
    this.#forgetOld();
    if (!wasThere && this.#recent.some((each) => each.id === id))
      throw new RegistryError(
        'Unavailable',
        `could not delete service ID ${id}: it was created a moment ago, and IAM does not know it yet; will retry`,
      );
    this.#recent = this.#recent.filter((each) => each.id !== id);
    return wasThere;
  }

  /** The groups of the operator's service IDs: one, unless concurrent creations made more. @throws RegistryError */
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

  /** All first issues share one creation. */
  #sharedGroup(client: IamClient, signal: AbortSignal): Promise<string> {
    if (!this.#creatingGroup || this.#creatingGroup.abandoned)
      this.#creatingGroup = new SharedCall(async (limited) => {
        try {
          return await this.#createGroup(client, limited);
        } finally {
          // An abandoned one may have a successor by now.
          if (!limited.aborted) this.#creatingGroup = undefined;
        }
      });
    return this.#creatingGroup.join(signal);
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

  /** Where a list that lagged led to several, always the same one. */
  async #ensureServiceId(
    client: IamClient,
    { tag, specHash }: IssueRequest,
    signal: AbortSignal,
  ): Promise<string> {
    const description = descriptionOf({ ...tag, specHash });
    this.#forgetOld();
    for (const recent of this.#recent)
      if (recent.description === description && recent.id !== undefined) return `iam-${recent.id}`;
    const existing = await this.groups(client, signal);
    const group = existing[0] ?? (await this.#sharedGroup(client, signal));
    const groups = existing.length === 0 ? [group] : existing;
    const found = (await this.#listIn(groups, client, signal, tag.uid))
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
    const at = this.#clock.monotonic();
    try {
      const { id, iam_id: iamId } = await client.ask(draft, readServiceId, signal);
      this.#recent = [...this.#recent, { description, id, at }];
      return iamId;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'Ambiguous')
        this.#recent = [...this.#recent, { description, id: undefined, at }];
      throw error;
    }
  }

  /** Forgets what is older than IAM's lag. */
  #forgetOld(): void {
    this.#recent = this.#recent.filter(({ at }) => this.#clock.monotonic() - at <= MAX_LAG);
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
        // Only the operator creates policies of this service ID: the conflicting one grants the same, and was created before.
        if (!(error instanceof RegistryError && error.code === 'Conflict')) throw error;
      }
    }
  }
}

/** What a service ID was created for; undefined for one that is not the operator's. */
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
