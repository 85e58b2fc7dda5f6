import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { eventually } from '../support/eventually.ts';
import { verdict, type Policy } from './support/admission-policy.ts';
import { describeHelm, find, NAMESPACE, type Rendered, type Values } from './support/helm.ts';
import { Installation } from './support/installation.ts';

const NAME = 'pull-registry-token-operator';
const POLICY = 'ValidatingAdmissionPolicy';
const OPTIONS: Values = { operator: { clusterTokens: true } };

/** What is asked for, and what is said of it; undefined: nothing. */
const TOKENS: [string, RegistryTokenSpec, string | undefined][] = [
  ['nothing special', {}, undefined],
  [
    'a grace period longer than the lifetime, which a registry may round up',
    { lifetime: '1h', rotation: { gracePeriod: '2h' } },
    undefined,
  ],
  [
    'a grace period longer than the time between rotations',
    { lifetime: 'Never', rotation: { rotateEvery: '24h', gracePeriod: '48h' } },
    'spec.rotation.gracePeriod is longer than rotateEvery: several previous tokens stay valid at a time; write a shorter one, such as 1h',
  ],
  [
    'a schedule where there is none',
    { lifetime: 'Never', rotation: { policy: 'Manual', rotateEvery: '24h' } },
    'spec.rotation.policy Manual replaces no token on schedule: leave renewBefore and rotateEvery out, or write policy: Auto',
  ],
  [
    'Manual and a token that expires',
    { rotation: { policy: 'Manual' } },
    'spec.rotation.policy Manual lets the token expire in its Secret unless you ask for a rotation in time; write policy: Auto, or lifetime: Never',
  ],
  ['Manual and one that does not', { lifetime: 'Never', rotation: { policy: 'Manual' } }, undefined],
  [
    'a ServiceAccount beside all of them',
    { serviceAccounts: ['default', '*'] },
    'spec.serviceAccounts has entries that a pattern of it covers, such as * for all; leave them out',
  ],
  [
    'a ServiceAccount beside a pattern for it',
    { serviceAccounts: ['ci-1', 'ci-*'] },
    'spec.serviceAccounts has entries that a pattern of it covers, such as * for all; leave them out',
  ],
  ['ServiceAccounts beside other patterns', { serviceAccounts: ['default', 'ci-*', '*-ci-*'] }, undefined],
];

const CLEAR = 'is not encrypted: credentials and tokens can be read on the way; write https://';
const ACCOUNTS: [string, RegistryAccountSpec, string | undefined][] = [
  ['IBM Cloud', { ibmCloud: {} }, undefined],
  ['Harbor', { harbor: { url: 'https://harbor.test' } }, undefined],
  ['Harbor in the clear', { harbor: { url: 'http://harbor.test' } }, `spec.harbor.url ${CLEAR}`],
  ['Harbor on this machine', { harbor: { url: 'http://localhost:8080' } }, undefined],
  [
    'Harbor on a host that begins like this machine',
    { harbor: { url: 'http://localhost.harbor.test' } },
    `spec.harbor.url ${CLEAR}`,
  ],
  [
    'IAM in the clear',
    { ibmCloud: { iamEndpoint: 'http://iam.test' } },
    `spec.ibmCloud.iamEndpoint ${CLEAR}`,
  ],
  [
    'STS in the clear',
    { ecr: { registryId: '123456789012', identityAccess: 'ReadOnly', stsEndpoint: 'http://sts.test' } },
    `spec.ecr.stsEndpoint ${CLEAR}`,
  ],
  [
    'a region in the clear',
    { ibmCloud: {}, regions: [{ name: 'lab', host: 'lab.test', endpoint: 'http://lab.test' }] },
    'spec.regions has an endpoint that is not encrypted: tokens can be read on the way; write https://',
  ],
  [
    'a region of this machine',
    { ibmCloud: {}, regions: [{ name: 'lab', host: 'lab.test', endpoint: 'http://[::1]:8080' }] },
    undefined,
  ],
  [
    'regions of a registry without',
    { harbor: { url: 'https://harbor.test' }, defaultRegion: 'us-south' },
    'spec.harbor has no regions: leave regions and defaultRegion out',
  ],
  ['no regions of a registry without', { harbor: { url: 'https://harbor.test' }, regions: [] }, undefined],
];

const ROTATE = { 'pullsecrets.dev/rotate': 'now' };
const SUSPENDED =
  'spec.suspend is true: the rotation that annotation pullsecrets.dev/rotate asks for waits; write suspend: false';

describeHelm(
  'chart: warnings',
  (helm) => {
    let objects: Rendered[];
    before(async () => {
      objects = await helm.render(OPTIONS);
    });
    const policy = (plural: string): Policy =>
      find(objects, POLICY, `${NAME}-warnings-${plural}`)['spec'] as Policy;
    const said = (plural: string, object: object, oldObject: object | null = null, user = 'jane'): string =>
      verdict(policy(plural), { object, oldObject, user });

    for (const [what, spec, message] of TOKENS)
      it(`${message === undefined ? 'say nothing' : 'tell'} of a RegistryToken: ${what}`, () => {
        expect(said('registrytokens', { metadata: {}, spec })).to.equal(message ?? 'allowed');
        const asTemplate = { metadata: {}, spec: { template: { spec } } };
        expect(said('clusterregistrytokens', asTemplate)).to.equal(
          message?.replace(/^spec\./, 'spec.template.spec.') ?? 'allowed',
        );
      });

    for (const [what, spec, message] of ACCOUNTS)
      it(`${message === undefined ? 'say nothing' : 'tell'} of a RegistryAccount: ${what}`, () => {
        expect(said('registryaccounts', { metadata: {}, spec })).to.equal(message ?? 'allowed');
      });

    it('tell of a rotation that is asked for while the RegistryToken is suspended', () => {
      const before = { metadata: {}, spec: { suspend: true } };
      const after = { metadata: { annotations: ROTATE }, spec: { suspend: true } };
      expect(said('registrytokens-annotations', after, before)).to.equal(SUSPENDED);
      const resumed = { ...after, spec: { suspend: false } };
      expect(said('registrytokens-annotations', resumed, after)).to.equal('not concerned');
    });

    it('tell of an annotation that looks like the operator’s and means nothing', () => {
      const object = { metadata: { annotations: { 'pullsecrets.dev/rotate-now': 'x' } }, spec: {} };
      const message = 'write pullsecrets.dev/rotate to ask for a rotation';
      expect(said('registrytokens-annotations', object)).to.include(message);
      expect(said('clusterregistrytokens-annotations', object)).to.include(message);
    });

    it('say nothing of a spec when a rotation is asked for', () => {
      const spec = { rotation: { policy: 'Manual' } };
      const change = [
        { metadata: { annotations: ROTATE }, spec },
        { metadata: {}, spec },
      ] as const;
      expect(said('registrytokens', ...change)).to.equal('not concerned');
      expect(said('registrytokens-annotations', ...change)).to.equal('allowed');
    });

    it('say nothing of annotations when the spec changes', () => {
      const metadata = { annotations: { 'pullsecrets.dev/rotate-now': 'x' } };
      const change = [
        { metadata, spec: { lifetime: '2h' } },
        { metadata, spec: {} },
      ] as const;
      expect(said('registrytokens-annotations', ...change)).to.equal('not concerned');
    });

    it('say nothing when only a label changes, and nothing to the operator', () => {
      const spec = { rotation: { policy: 'Manual' } };
      const before = { metadata: { annotations: { 'pullsecrets.dev/rotate-now': 'x' } }, spec };
      const after = { ...before, metadata: { ...before.metadata, labels: { team: 'a' } } };
      const operator = `system:serviceaccount:${NAMESPACE}:${NAME}`;
      for (const each of ['registrytokens', 'registrytokens-annotations']) {
        expect(said(each, after, before), each).to.equal('not concerned');
        expect(said(each, before, null, operator), each).to.equal('not concerned');
      }
    });

    it('can be worked out for a ClusterRegistryToken whose template has no spec', () => {
      const object = { metadata: { annotations: ROTATE }, spec: { template: {} } };
      expect(said('clusterregistrytokens', object)).to.equal('not concerned');
      expect(said('clusterregistrytokens-annotations', object)).to.equal('allowed');
    });

    it('refuse nothing, not even where they can’t be worked out', () => {
      const warnings = objects.filter(({ metadata }) => metadata.name.includes('-warnings-'));
      expect(warnings).to.have.length(10);
      for (const { kind, spec } of warnings)
        expect(spec).to.deep.include(
          kind === POLICY ? { failurePolicy: 'Ignore' } : { validationActions: ['Warn'] },
        );
    });

    it('can be switched off, and are not there before Kubernetes 1.30', async () => {
      const without = [
        await helm.render({ warnings: { enabled: false } }),
        await helm.render({}, '--kube-version', '1.29.0'),
      ];
      for (const rendered of without)
        expect(rendered.filter(({ metadata }) => metadata.name.includes('warnings'))).to.deep.equal([]);
    });
  },
  [4],
);

/** Of the group of our kinds, for which a real control plane here has the API server of today; the rest of it knows no such policies. */
const TRIAL = 'warnedregistrytokens';

describeHelm(
  'chart: warnings, as rules of a CRD',
  (helm) => {
    let installation: Installation;

    before(async function () {
      installation = await Installation.onRealServer(this, helm);
      await installation.createNamespaces(NAMESPACE);
      await installation.upgrade({});
      const policy = find(await helm.render(), POLICY, `${NAME}-warnings-registrytokens`)['spec'] as Policy;
      const file = 'crds/pullsecrets.dev_registrytokens.yaml';
      const { status, stderr } = await installation.tryKubectl(
        ['create', '--validate=false', '--filename', '-'],
        JSON.stringify(trialOf(await readFile(file, 'utf8'), policy)),
      );
      expect(status, stderr).to.equal(0);
    });

    after(async () => {
      await installation?.close();
    });

    const created = async (spec: object): Promise<string> => {
      const object = {
        apiVersion: 'pullsecrets.dev/v1alpha1',
        kind: 'WarnedRegistryToken',
        metadata: { name: 'x' },
        spec,
      };
      const { stderr } = await installation.tryKubectl(
        ['create', '--dry-run=server', '--validate=false', '--filename', '-'],
        JSON.stringify(object),
      );
      return stderr;
    };

    it('are understood by an API server, which tells each', async () => {
      await eventually('the trial is served', async () => (await created({})) === '');
      for (const [what, spec, message] of TOKENS) {
        const said = await created(spec);
        if (message === undefined) expect(said, what).to.equal('');
        else expect(said, what).to.include(message);
      }
    });
  },
  [4],
);

/** A kind with the spec of a RegistryToken that refuses what the policy warns of. */
function trialOf(crd: string, { validations }: Policy): object {
  const definition = parse(crd) as {
    metadata: { name: string; annotations: object };
    spec: {
      scope: string;
      names: Record<string, unknown>;
      versions: { schema: { openAPIV3Schema: Record<string, unknown> } }[];
    };
  };
  definition.metadata = { name: `${TRIAL}.pullsecrets.dev`, annotations: {} };
  definition.spec.scope = 'Cluster';
  definition.spec.names = {
    kind: 'WarnedRegistryToken',
    listKind: 'WarnedRegistryTokenList',
    plural: TRIAL,
    singular: 'warnedregistrytoken',
  };
  for (const { schema } of definition.spec.versions)
    schema.openAPIV3Schema['x-kubernetes-validations'] = validations.map(({ expression, message }) => ({
      rule: expression.replaceAll('object.', 'self.'),
      message,
    }));
  return definition;
}
