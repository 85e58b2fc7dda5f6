import { expect } from 'chai';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { secretManifest } from '../../src/token/secret/secret.ts';
import { aCredential, anIssuedToken, aTokenSpec, HOST } from '../support/builders.ts';
import type { Answer, Policy } from './support/admission-policy.ts';
import { describeHelm, find, NAMESPACE, type Helm, type Rendered, type Values } from './support/helm.ts';
import { describePolicies } from './support/policy-engines.ts';

const OPERATOR = `system:serviceaccount:${NAMESPACE}:pull-registry-token-operator`;
const KIND = 'ValidatingAdmissionPolicy';

const written = secretManifest({
  token: anIssuedToken(),
  spec: aTokenSpec(),
  host: HOST,
  credential: aCredential(),
});
const { metadata } = written;
const kept = secretManifest({
  token: anIssuedToken(),
  spec: aTokenSpec({ deletionPolicy: 'Retain' }),
  host: HOST,
  credential: aCredential(),
});
const ofAnAccount = {
  ...written,
  type: 'kubernetes.io/service-account-token',
  metadata: { ...metadata, annotations: { 'kubernetes.io/service-account.name': 'cluster-admin' } },
};

/** What is asked for, the Secret before (null: none) and after, who asks, and why it is refused. */
const CASES: [string, object | null, object, string, RegExp | undefined][] = [
  ["the operator's own Secret", null, written, OPERATOR, undefined],
  ['one that outlives its RegistryToken', null, kept, OPERATOR, undefined],
  [
    'its Secret without the labels somebody took away',
    { ...written, metadata: {} },
    written,
    OPERATOR,
    undefined,
  ],
  ["a ServiceAccount's token", null, ofAnAccount, OPERATOR, /type kubernetes\.io\/dockerconfigjson only/],
  [
    'anything else',
    null,
    { ...written, type: 'Opaque' },
    OPERATOR,
    /type kubernetes\.io\/dockerconfigjson only/,
  ],
  ['no type at all', null, { metadata }, OPERATOR, /type kubernetes\.io\/dockerconfigjson only/],
  [
    'no labels',
    null,
    { ...written, metadata: { name: 'app' } },
    OPERATOR,
    /only Secrets that bear its labels/,
  ],
  [
    'a Secret that another tool manages',
    null,
    { ...written, metadata: { labels: { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm' } } },
    OPERATOR,
    /only Secrets that bear its labels/,
  ],
  [
    'a Secret that belongs to no RegistryToken',
    { ...written, metadata: {} },
    { ...written, metadata: { labels: { 'app.kubernetes.io/managed-by': 'registry-token-operator' } } },
    OPERATOR,
    /only Secrets that bear its labels/,
  ],
  ["a ServiceAccount's token, by somebody else", null, ofAnAccount, 'jane', undefined],
  [
    'the same, by the ServiceAccount of that name elsewhere',
    null,
    ofAnAccount,
    'system:serviceaccount:team-a:pull-registry-token-operator',
    undefined,
  ],
];

/** Without the policies that only warn. */
const render = (helm: Helm, values: Values = {}, ...options: string[]): Promise<Rendered[]> =>
  helm.render({ ...values, warnings: { enabled: false } }, ...options);

describePolicies('chart: what Secrets the operator may write', (helm, engine) => {
  const ask = (oldObject: object | null, object: object, user: string): Promise<Answer> =>
    engine().review({ resource: SECRETS, oldObject, object, user });

  describe('by the chart', () => {
    before(async () => engine().enforce(await render(helm)));

    for (const [what, oldObject, object, user, refused] of CASES)
      it(`${what}: ${refused?.source ?? 'allowed'}`, async () => {
        const answer = await ask(oldObject, object, user);
        if (refused) expect(answer.refused).to.match(refused);
        else expect(answer).to.deep.equal({ warnings: [] });
      });
  });

  it('is asked of the account that the operator runs as', async () => {
    await engine().enforce(await render(helm, { serviceAccount: { create: false, name: 'mine' } }));
    const { refused } = await ask(null, ofAnAccount, `system:serviceaccount:${NAMESPACE}:mine`);
    expect(refused).to.match(/dockerconfigjson only/);
  });
});

describeHelm(
  'chart: the policy for the operator’s Secrets, as an object',
  (helm) => {
    it('is asked whenever one is created or changed, and fails closed', async () => {
      const { failurePolicy, matchConstraints } = find(await render(helm), KIND)['spec'] as Policy;
      expect(failurePolicy).to.equal('Fail');
      expect(matchConstraints.resourceRules).to.deep.equal([
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] },
      ]);
    });

    it('is in force in every namespace, and refuses', async () => {
      const binding = find(await render(helm), 'ValidatingAdmissionPolicyBinding');
      expect(binding['spec']).to.deep.equal({
        policyName: find(await render(helm), KIND).metadata.name,
        validationActions: ['Deny'],
      });
    });

    it('is left out where the cluster can not ask, and where it is not wanted', async () => {
      const policies = (objects: Rendered[]) => objects.filter(({ kind }) => kind.startsWith(KIND));
      expect(policies(await render(helm, {}, '--kube-version', '1.30.0'))).to.have.length(2);
      expect(policies(await render(helm, {}, '--kube-version', '1.29.9'))).to.deep.equal([]);
      expect(policies(await render(helm, { rbac: { restrictSecrets: false } }))).to.deep.equal([]);
      expect(policies(await render(helm, { rbac: { create: false } }))).to.deep.equal([]);
    });
  },
  [4],
);
