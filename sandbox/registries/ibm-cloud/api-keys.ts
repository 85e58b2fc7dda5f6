import { json, queryOf, type Answer, type Request } from '../shared/message.ts';
import { authorized, bodyOf, DONE, idOf, MAX_TEXT, type IamOptions } from './iam-request.ts';
import type { Key } from './iam-state.ts';
import { iamTime, readIamTime } from './iam-time.ts';
import { identityPage } from './pages.ts';

export interface ApiKeysOptions extends IamOptions {
  newValue: () => string;
  issued: (key: Key) => void;
  revoked: (key: Key) => void;
}

/** IAM's API of API keys. */
export class ApiKeys {
  readonly #options: ApiKeysOptions;

  constructor(options: ApiKeysOptions) {
    this.#options = options;
  }

  /** Keys of one identity, or with `scope=account` those of all service IDs of a group. */
  list(request: Request): Answer {
    return authorized(this.#options, request, () => {
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
        rows.map((key) => this.#shown(key)),
      );
    });
  }

  /** The value comes in this answer and never again. */
  create(request: Request): Answer {
    return authorized(this.#options, request, () => {
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
      return json(201, { ...this.#shown(key), apikey: key.value });
    });
  }

  read(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock, problems } = this.#options;
      const key = state.keys.get(idOf(request));
      return key && state.isVisible(key, clock.now())
        ? json(200, this.#shown(key))
        : problems.notFound('apikey');
    });
  }

  /** What can't be read yet can't be deleted yet. */
  delete(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock, problems, revoked } = this.#options;
      const key = state.keys.get(idOf(request));
      if (!key || key.deletedAt !== undefined || !state.isVisible(key, clock.now()))
        return problems.notFound('apikey');
      key.deletedAt = clock.now();
      revoked(key);
      return DONE;
    });
  }

  #shown({ id, iamId, name, description, expiresAt, disabled, createdAt }: Key): object {
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
