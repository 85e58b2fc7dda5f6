import { expect } from 'chai';
import { readPolicy, type Policy } from '../../../../src/registry/ibm-cloud/answers.ts';
import { grants, policyBody, type PolicyGrant } from '../../../../src/registry/ibm-cloud/policies.ts';

const GRANT: PolicyGrant = { access: 'ReadOnly', region: 'us-south', namespace: 'team-a' };

const rolesOf = (...names: string[]): object[] =>
  names.map((name) => ({ role_id: `crn:v1:bluemix:public:iam::::serviceRole:${name}` }));
const equal = (name: string, value: string): object => ({ name, value, operator: 'stringEquals' });

const bodyOf = (grant: Partial<PolicyGrant> = {}): object =>
  policyBody({ ...GRANT, ...grant }, 'iam-ServiceId-1', 'account', 'what it is for');

/** A policy as IAM lists it. */
function listed(body: object, changes: object = {}): Policy {
  const policy = readPolicy({ id: 'policy', state: 'active', ...body, ...changes });
  return policy ?? expect.fail('IAM lists no such policy');
}

describe('an access policy of IBM Cloud', () => {
  it('gives a service ID one namespace of the registry of a region', () => {
    expect(bodyOf()).to.deep.equal({
      type: 'access',
      description: 'what it is for',
      subjects: [{ attributes: [{ name: 'iam_id', value: 'iam-ServiceId-1' }] }],
      roles: rolesOf('Reader'),
      resources: [
        {
          attributes: [
            equal('accountId', 'account'),
            equal('serviceName', 'container-registry'),
            equal('region', 'us-south'),
            equal('resourceType', 'namespace'),
            equal('resource', 'team-a'),
          ],
        },
      ],
    });
  });

  it('gives the whole of the global registry, which is a geography, to pull from and to push to', () => {
    expect(bodyOf({ access: 'ReadWrite', region: 'global', namespace: undefined })).to.deep.include({
      roles: rolesOf('Reader', 'Writer'),
      resources: [
        {
          attributes: [
            equal('accountId', 'account'),
            equal('serviceName', 'container-registry'),
            equal('geography', 'global'),
          ],
        },
      ],
    });
  });

  it('is known again as what was asked for, in whatever form the roles are', () => {
    for (const grant of [
      GRANT,
      { ...GRANT, namespace: undefined },
      { ...GRANT, access: 'ReadWrite' } as const,
    ])
      expect(grants(listed(bodyOf(grant)), grant, 'account')).to.equal(true);
    const short = { roles: [{ role_id: 'Reader' }] };
    expect(grants(listed(bodyOf(), short), GRANT, 'account')).to.equal(true);
  });

  it('for one namespace is not taken for one that gives all', () =>
    expect(grants(listed(bodyOf()), { ...GRANT, namespace: undefined }, 'account')).to.equal(false));

  const others: [what: string, policy: Policy][] = [
    ['that is being deleted', listed(bodyOf(), { state: 'deleted' })],
    ['for another namespace', listed(bodyOf({ namespace: 'team-b' }))],
    ['for all namespaces', listed(bodyOf({ namespace: undefined }))],
    ['for another region', listed(bodyOf({ region: 'eu-de' }))],
    ['with a role more', listed(bodyOf({ access: 'ReadWrite' }))],
    ['with another role', listed(bodyOf(), { roles: rolesOf('Writer') })],
    ['without a resource', listed(bodyOf(), { resources: [] })],
  ];
  for (const [what, policy] of others)
    it(`${what} is not taken for the one that was asked for`, () =>
      expect(grants(policy, GRANT, 'account')).to.equal(false));
});
