import { json, queryOf, type Answer, type Request } from '../shared/message.ts';
import { authorized, bodyOf, countOf, DONE, idOf, MAX_TEXT, type IamOptions } from './iam-request.ts';
import type { Key, ServiceId } from './iam-state.ts';
import { iamTime } from './iam-time.ts';
import { identityPage } from './pages.ts';

export interface ServiceIdsOptions extends IamOptions {
  /** Told of each API key that goes with its service ID. */
  revoked: (key: Key) => void;
}

/** IAM's API of service IDs and their groups. */
export class ServiceIds {
  readonly #options: ServiceIdsOptions;

  constructor(options: ServiceIdsOptions) {
    this.#options = options;
  }

  listGroups(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock } = this.#options;
      const groups = [...state.groups.values()].filter((group) => state.isVisible(group, clock.now()));
      return json(200, {
        serviceid_groups: groups.map(({ id, name }) => ({ id, name, account_id: state.accountId })),
      });
    });
  }

  createGroup(request: Request): Answer {
    return authorized(this.#options, request, () => {
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
  list(request: Request): Answer {
    return authorized(this.#options, request, () => {
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
        rows.map((each) => this.#shown(each)),
      );
    });
  }

  create(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock, problems, newId } = this.#options;
      const { name, description = '', group_id: groupId, account_id: account } = bodyOf(request);
      if (typeof name !== 'string' || name === '') return problems.missing('name');
      if (account !== state.accountId) return problems.missing('account_id');
      if (String(description).length > MAX_TEXT)
        return problems.api(400, 'invalid', 'description is too long', {}, 'BXNIM0106E');
      if (typeof groupId === 'string' && !state.groups.has(groupId))
        return problems.notFound('serviceid_group');
      if (countOf(state.serviceIds) >= state.quotas.serviceIds)
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
      return json(201, this.#shown(created));
    });
  }

  read(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const found = this.#find(request);
      return found ? json(200, this.#shown(found)) : this.#options.problems.notFound('serviceid');
    });
  }

  /** Its API keys and its policies go with it. */
  delete(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock, problems, revoked } = this.#options;
      const found = this.#find(request);
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

  #find(request: Request): ServiceId | undefined {
    const { state, clock } = this.#options;
    const found = state.serviceIds.get(idOf(request));
    return found && state.isVisible(found, clock.now()) ? found : undefined;
  }

  #shown({ id, name, description, groupId, locked, createdAt }: ServiceId): object {
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
}
