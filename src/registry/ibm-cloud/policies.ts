import type { Access } from '../../api/registry-token.ts';
import type { Policy } from './answers.ts';

/**
 * What a policy grants: on one registry namespace, or on the whole registry of a region. One policy for several namespaces would
 * take an operator of API v2 that compares with up to ten values (`stringEqualsAnyOf`), which of its services IBM does not say of the
 * Container Registry: https://cloud.ibm.com/docs/account?topic=account-known-issues#policy-string-comparison
 */
export interface PolicyGrant {
  access: Access;
  region: string;
  /** undefined: all. */
  namespace: string | undefined;
}

const ROLES: Readonly<Record<Access, readonly string[]>> = {
  ReadOnly: ['Reader'],
  // Writer pulls and pushes, but does not list or inspect.
  ReadWrite: ['Reader', 'Writer'],
};
const ROLE_PREFIX = 'crn:v1:bluemix:public:iam::::serviceRole:';

/** The attributes of the registry that a policy is for. The global registry is a geography, not a region. */
function attributesOf({ region, namespace }: PolicyGrant, accountId: string): Record<string, string> {
  return {
    accountId,
    serviceName: 'container-registry',
    ...(region === 'global' ? { geography: 'global' } : { region }),
    ...(namespace !== undefined && { resourceType: 'namespace', resource: namespace }),
  };
}

/** The body that creates a policy (API v1): https://cloud.ibm.com/apidocs/iam-policy-management#create-policy */
export function policyBody(
  grant: PolicyGrant,
  iamId: string,
  accountId: string,
  description: string,
): object {
  const attributes = Object.entries(attributesOf(grant, accountId));
  return {
    type: 'access',
    description,
    subjects: [{ attributes: [{ name: 'iam_id', value: iamId }] }],
    roles: ROLES[grant.access].map((role) => ({ role_id: `${ROLE_PREFIX}${role}` })),
    resources: [
      { attributes: attributes.map(([name, value]) => ({ name, value, operator: 'stringEquals' })) },
    ],
  };
}

/** Whether a policy grants exactly this, in whatever form its roles' CRNs are. */
export function grants({ state, roles, resources }: Policy, grant: PolicyGrant, accountId: string): boolean {
  const names = new Set(roles.map(({ role_id: id }) => id.split(':').at(-1)));
  const has = new Map(resources[0]?.attributes.map(({ name, value }) => [name, value]));
  const wanted = Object.entries(attributesOf(grant, accountId));
  return (
    state === 'active' &&
    names.size === ROLES[grant.access].length &&
    ROLES[grant.access].every((role) => names.has(role)) &&
    has.size === wanted.length &&
    wanted.every(([name, value]) => has.get(name) === value)
  );
}
