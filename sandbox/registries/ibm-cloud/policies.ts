import { json, queryOf, type Answer, type Request } from '../shared/message.ts';
import { authorized, bodyOf, countOf, DONE, idOf, type IamOptions } from './iam-request.ts';
import type { Policy } from './iam-state.ts';
import { policyPage } from './pages.ts';

/** IAM's API of access policies. */
export class Policies {
  readonly #options: IamOptions;

  constructor(options: IamOptions) {
    this.#options = options;
  }

  list(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock } = this.#options;
      const iamId = queryOf(request).get('iam_id');
      const rows = [...state.policies.values()].filter(
        (each) => state.isVisible(each, clock.now()) && (iamId === null || each.iamId === iamId),
      );
      return policyPage(request, rows.map(shownPolicy));
    });
  }

  create(request: Request): Answer {
    return authorized(this.#options, request, () => {
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
      if (countOf(state.policies) >= state.quotas.policies)
        return problems.api(422, 'unable_to_process', 'Exceeded maximum policies quota error');
      const policy: Policy = { ...asked, id: newId(), createdAt: clock.now(), deletedAt: undefined };
      state.policies.set(policy.id, policy);
      return json(201, shownPolicy(policy));
    });
  }

  delete(request: Request): Answer {
    return authorized(this.#options, request, () => {
      const { state, clock, problems } = this.#options;
      const policy = state.policies.get(idOf(request));
      if (!policy || policy.deletedAt !== undefined) return problems.notFound('policy');
      policy.deletedAt = clock.now();
      return DONE;
    });
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
