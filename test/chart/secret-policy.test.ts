import { expect } from 'chai';
import { secretManifest } from '../../src/token/secret/secret.ts';
import { aCredential, anIssuedToken, aTokenSpec, HOST } from '../support/builders.ts';
import { verdict, type Policy } from './support/admission-policy.ts';
import { describeHelm, find, NAMESPACE, type Rendered, type Values } from './support/helm.ts';

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

/** What is asked for, the Secret before (null: none) and after, who asks, and the answer. */
const CASES: [string, object | null, object, string, RegExp][] = [
  ["the operator's own Secret", null, written, OPERATOR, /^allowed$/],
  ['one that outlives its RegistryToken', null, kept, OPERATOR, /^allowed$/],
  [
    'its Secret without the labels somebody took away',
    { ...written, metadata: {} },
    written,
    OPERATOR,
    /^allowed$/,
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
  ["a ServiceAccount's token, by somebody else", null, ofAnAccount, 'jane', /^not concerned$/],
  [
    'the same, by the ServiceAccount of that name elsewhere',
    null,
    ofAnAccount,
    'system:serviceaccount:team-a:pull-registry-token-operator',
    /^not concerned$/,
  ],
];

describeHelm(
  'chart: what Secrets the operator may write',
  (helm) => {
    /** Without the policies that only warn. */
    const render = (values: Values = {}, ...options: string[]): Promise<Rendered[]> =>
      helm.render({ ...values, warnings: { enabled: false } }, ...options);
    const policy = async (values: Values = {}): Promise<Policy> =>
      find(await render(values), KIND)['spec'] as Policy;

    for (const [what, oldObject, object, user, answer] of CASES) {
      it(`${what}: ${answer.source}`, async () => {
        expect(verdict(await policy(), { oldObject, object, user })).to.match(answer);
      });
    }

    it('is asked whenever one is created or changed, and fails closed', async () => {
      const { failurePolicy, matchConstraints } = await policy();
      expect(failurePolicy).to.equal('Fail');
      expect(matchConstraints.resourceRules).to.deep.equal([
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] },
      ]);
    });

    it('is asked of the account that the operator runs as', async () => {
      const values = { serviceAccount: { create: false, name: 'mine' } };
      const user = `system:serviceaccount:${NAMESPACE}:mine`;
      const request = { oldObject: null, object: ofAnAccount, user };
      expect(verdict(await policy(values), request)).to.match(/dockerconfigjson only/);
    });

    it('is in force in every namespace, and refuses', async () => {
      const binding = find(await render(), 'ValidatingAdmissionPolicyBinding');
      expect(binding['spec']).to.deep.equal({
        policyName: find(await render(), KIND).metadata.name,
        validationActions: ['Deny'],
      });
    });

    it('is left out where the cluster can not ask, and where it is not wanted', async () => {
      const policies = (objects: Rendered[]) => objects.filter(({ kind }) => kind.startsWith(KIND));
      expect(policies(await render({}, '--kube-version', '1.30.0'))).to.have.length(2);
      expect(policies(await render({}, '--kube-version', '1.29.9'))).to.deep.equal([]);
      expect(policies(await render({ rbac: { restrictSecrets: false } }))).to.deep.equal([]);
      expect(policies(await render({ rbac: { create: false } }))).to.deep.equal([]);
    });
  },
  [4],
);
