import type { Clock } from '../../../src/common/clock.ts';
import { json, pathOf, queryOf, type Answer, type Request } from '../shared/message.ts';
import type { IamState, Key, Policy, ServiceId } from './iam-state.ts';
import { iamTime, readIamTime } from './iam-time.ts';
import { identityPage, policyPage } from './pages.ts';
import type { IamProblems } from './problems.ts';

export interface IamApiOptions {
  clock: Clock;
  state: IamState;
  problems: IamProblems;
  /** The `iam_id` that an Authorization header speaks for, if its access token is good. */
  callerOf: (authorization: string | undefined) => string | undefined;
  newId: () => string;
  newValue: () => string;
  issued: (key: Key) => void;
  revoked: (key: Key) => void;
}

const DONE: Answer = { status: 204, headers: {}, body: '' };
const MAX_TEXT = 300;

/** IAM's APIs of service IDs, their groups, policies and API keys. */
export class IamApi {
  readonly #options: IamApiOptions;

  constructor(options: IamApiOptions) {
    this.#options = options;
  }

  listGroups(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock } = this.#options;
      const groups = [...state.groups.values()].filter((group) => state.isVisible(group, clock.now()));
      return json(200, {
        serviceid_groups: groups.map(({ id, name }) => ({ id, name, account_id: state.accountId })),
      });
    });
  }

  createGroup(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems, newId } = this.#options;
      const { name } = bodyOf(request);
      if (typeof name !== 'string') return problems.missing('name');
      if ([...state.groups.values()].some((group) => group.name === name))
        return problems.api(409, 'conflict', `A service ID group named ${name} exists.`);
      const group = { id: `serviceIdGroup-${newId()}`, name, createdAt: clock.now() };
      state.groups.set(group.id, group);
      return json(201, { id: group.id, name, account_id: state.accountId });
    });
  }

  /** Without a group only the account's default group is listed. */
  listServiceIds(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock } = this.#options;
      const query = queryOf(request);
      const [group, name] = [query.get('group_id') ?? undefined, query.get('name')];
      const rows = [...state.serviceIds.values()].filter(
        (each) =>
          state.isVisible(each, clock.now()) &&
          each.groupId === group &&
          (name === null || each.name === name),
      );
      return identityPage(
        request,
        'serviceids',
        rows.map((each) => this.#shownServiceId(each)),
      );
    });
  }

  createServiceId(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems, newId } = this.#options;
      const { name, description = '', group_id: groupId, account_id: account } = bodyOf(request);
      if (typeof name !== 'string' || name === '') return problems.missing('name');
      if (account !== state.accountId) return problems.missing('account_id');
      if (String(description).length > MAX_TEXT)
        return problems.api(400, 'invalid', 'description is too long', {}, 'BXNIM0106E');
      if (typeof groupId === 'string' && !state.groups.has(groupId))
        return problems.notFound('serviceid_group');
      if (this.#count(state.serviceIds) >= state.quotas.serviceIds)
        return problems.api(
          422,
          'limit_reached',
          'The limit of supported service IDs is reached',
          {},
          'BXNIM0150E',
        );
      const created: ServiceId = {
        id: `ServiceId-${newId()}`,
        name,
        description: typeof description === 'string' ? description : '',
        groupId: typeof groupId === 'string' ? groupId : undefined,
        locked: false,
        createdAt: clock.now(),
        deletedAt: undefined,
      };
      state.serviceIds.set(created.id, created);
      return json(201, this.#shownServiceId(created));
    });
  }

  readServiceId(request: Request): Answer {
    return this.#authorized(request, () => {
      const found = this.#serviceId(request);
      return found ? json(200, this.#shownServiceId(found)) : this.#options.problems.notFound('serviceid');
    });
  }

  /** Its API keys and its policies go with it. */
  deleteServiceId(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems, revoked } = this.#options;
      const found = this.#serviceId(request);
      if (!found || found.deletedAt !== undefined) return problems.notFound('serviceid');
      if (found.locked) return problems.api(409, 'conflict', 'The service ID is locked.');
      const now = clock.now();
      found.deletedAt = now;
      for (const policy of state.policies.values())
        if (policy.iamId === `iam-${found.id}`) policy.deletedAt ??= now;
      for (const key of state.keys.values()) {
        if (key.iamId !== `iam-${found.id}` || key.deletedAt !== undefined) continue;
        key.deletedAt = now;
        revoked(key);
      }
      return DONE;
    });
  }

  listPolicies(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock } = this.#options;
      const iamId = queryOf(request).get('iam_id');
      const rows = [...state.policies.values()].filter(
        (each) => state.isVisible(each, clock.now()) && (iamId === null || each.iamId === iamId),
      );
      return policyPage(request, rows.map(shownPolicy));
    });
  }

  createPolicy(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems, newId } = this.#options;
      const asked = readPolicy(bodyOf(request));
      if (
        !asked ||
        asked.attributes.accountId !== state.accountId ||
        asked.attributes.serviceName !== 'container-registry'
      )
        return problems.api(400, 'invalid_body', 'The policy is not valid.');
      if (!state.serviceIds.has(asked.iamId.replace(/^iam-/, '')))
        return problems.api(400, 'invalid_body', 'Unknown subject.');
      const same = [...state.policies.values()].find(
        (each) =>
          each.deletedAt === undefined &&
          each.iamId === asked.iamId &&
          JSON.stringify([each.roles, each.attributes]) === JSON.stringify([asked.roles, asked.attributes]),
      );
      if (same)
        return problems.api(409, 'policy_conflict_error', 'A policy that grants the same exists.', {
          details: { conflicts_with: { etag: '1-0', role: same.roles[0], policy: shownPolicy(same) } },
        });
      if (this.#count(state.policies) >= state.quotas.policies)
        return problems.api(422, 'unable_to_process', 'Exceeded maximum policies quota error');
      const policy: Policy = { ...asked, id: newId(), createdAt: clock.now(), deletedAt: undefined };
      state.policies.set(policy.id, policy);
      return json(201, shownPolicy(policy));
    });
  }

  deletePolicy(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems } = this.#options;
      const policy = state.policies.get(lastPart(request));
      if (!policy || policy.deletedAt !== undefined) return problems.notFound('policy');
      policy.deletedAt = clock.now();
      return DONE;
    });
  }

  /** Keys of one identity, or with `scope=account` those of all service IDs of a group. */
  listKeys(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock } = this.#options;
      const query = queryOf(request);
      const [iamId, group] = [query.get('iam_id'), query.get('group_id') ?? undefined];
      const ofGroup = (key: Key): boolean =>
        state.serviceIds.get(key.iamId.replace(/^iam-/, ''))?.groupId === group;
      const wanted = (key: Key): boolean =>
        query.get('scope') === 'account' ? ofGroup(key) : key.iamId === iamId;
      const rows = [...state.keys.values()].filter((key) => state.isVisible(key, clock.now()) && wanted(key));
      return identityPage(
        request,
        'apikeys',
        rows.map((key) => this.#shownKey(key)),
      );
    });
  }

  /** The value comes in this answer and never again. */
  createKey(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems, newId, newValue, issued } = this.#options;
      const { name, iam_id: iamId, description = '', expires_at: expiry } = bodyOf(request);
      if (typeof name !== 'string' || name === '') return problems.missing('name');
      const serviceId =
        typeof iamId === 'string' ? state.serviceIds.get(iamId.replace(/^iam-/, '')) : undefined;
      if (!serviceId || serviceId.deletedAt !== undefined) return problems.notFound('serviceid');
      const expiresAt = expiry === undefined ? null : readIamTime(typeof expiry === 'string' ? expiry : '');
      if (
        expiresAt === undefined ||
        (expiresAt ?? Infinity) <= clock.now() ||
        String(description).length > MAX_TEXT
      )
        return problems.api(400, 'invalid', 'A property is not valid.', {}, 'BXNIM0106E');
      const held = [...state.keys.values()].filter(
        (key) => key.iamId === iamId && key.deletedAt === undefined,
      );
      if (held.length >= state.quotas.keysPerIdentity) return problems.apiByStatus(422);
      const key: Key = {
        id: `ApiKey-${newId()}`,
        iamId: String(iamId),
        name,
        description: typeof description === 'string' ? description : '',
        value: newValue(),
        expiresAt,
        disabled: false,
        createdAt: clock.now(),
        deletedAt: undefined,
      };
      state.keys.set(key.id, key);
      issued(key);
      return json(201, { ...this.#shownKey(key), apikey: key.value });
    });
  }

  readKey(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems } = this.#options;
      const key = state.keys.get(lastPart(request));
      return key && state.isVisible(key, clock.now())
        ? json(200, this.#shownKey(key))
        : problems.notFound('apikey');
    });
  }

  /** What can't be read yet can't be deleted yet. */
  deleteKey(request: Request): Answer {
    return this.#authorized(request, () => {
      const { state, clock, problems, revoked } = this.#options;
      const key = state.keys.get(lastPart(request));
      if (!key || key.deletedAt !== undefined || !state.isVisible(key, clock.now()))
        return problems.notFound('apikey');
      key.deletedAt = clock.now();
      revoked(key);
      return DONE;
    });
  }

  #authorized(request: Request, act: () => Answer): Answer {
    const { state, problems, callerOf } = this.#options;
    const caller = callerOf(request.headers.authorization);
    if (caller === undefined) return problems.apiByStatus(401);
    return state.administrators.has(caller) ? act() : problems.apiByStatus(403);
  }

  #serviceId(request: Request): ServiceId | undefined {
    const { state, clock } = this.#options;
    const found = state.serviceIds.get(lastPart(request));
    return found && state.isVisible(found, clock.now()) ? found : undefined;
  }

  #count(objects: ReadonlyMap<string, { deletedAt: number | undefined }>): number {
    return [...objects.values()].filter(({ deletedAt }) => deletedAt === undefined).length;
  }

  #shownServiceId({ id, name, description, groupId, locked, createdAt }: ServiceId): object {
    return {
      id,
      iam_id: `iam-${id}`,
      entity_tag: '1-0',
      locked,
      created_at: iamTime(createdAt),
      modified_at: iamTime(createdAt),
      account_id: this.#options.state.accountId,
      ...(groupId !== undefined && { group_id: groupId }),
      name,
      description,
    };
  }

  #shownKey({ id, iamId, name, description, expiresAt, disabled, createdAt }: Key): object {
    return {
      id,
      entity_tag: '1-0',
      locked: false,
      disabled,
      created_at: iamTime(createdAt),
      modified_at: iamTime(createdAt),
      name,
      description,
      iam_id: iamId,
      account_id: this.#options.state.accountId,
      ...(expiresAt !== null && { expires_at: iamTime(expiresAt) }),
      apikey: '',
    };
  }
}

function shownPolicy({ id, iamId, roles, attributes, description }: Policy): object {
  return {
    id,
    type: 'access',
    state: 'active',
    description,
    subjects: [{ attributes: [{ name: 'iam_id', value: iamId }] }],
    roles: roles.map((role) => ({
      role_id: `crn:v1:bluemix:public:iam::::serviceRole:${role}`,
      display_name: role,
    })),
    resources: [
      {
        attributes: Object.entries(attributes).map(([name, value]) => ({
          name,
          value,
          operator: 'stringEquals',
        })),
      },
    ],
  };
}

function readPolicy(
  body: Record<string, unknown>,
): Pick<Policy, 'iamId' | 'roles' | 'attributes' | 'description'> | undefined {
  const {
    subjects,
    roles,
    resources,
    description = '',
  } = body as {
    subjects?: { attributes: { name: string; value: string }[] }[];
    roles?: { role_id: string }[];
    resources?: { attributes: { name: string; value: string }[] }[];
    description?: string;
  };
  const iamId = subjects?.[0]?.attributes.find(({ name }) => name === 'iam_id')?.value;
  const attributes = resources?.[0]?.attributes;
  if (iamId === undefined || !attributes || !roles?.length) return undefined;
  return {
    iamId,
    roles: roles.map(({ role_id: id }) => id.split(':').at(-1) ?? ''),
    attributes: Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
    description,
  };
}

function lastPart(request: Request): string {
  return decodeURIComponent(pathOf(request).split('/').at(-1) ?? '');
}

function bodyOf(request: Request): Record<string, unknown> {
  try {
    return (JSON.parse(request.body) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
