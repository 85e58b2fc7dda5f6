import { expect } from 'chai';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import type { Resource } from '../../src/common/objects.ts';
import { readExamples } from '../support/examples.ts';
import type { Policy } from './support/admission-policy.ts';
import { describeHelm, find, NAMESPACE, type Rendered, type Values } from './support/helm.ts';
import { describeEnforced, describePolicies } from './support/policy-engines.ts';

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
  [
    'as many long ones as there can be, the last beside a pattern for it',
    {
      serviceAccounts: [
        ...Array.from({ length: 55 }, (_, n) => `${'a'.repeat(250)}-${n}`),
        ...Array.from({ length: 8 }, (_, n) => `${'b'.repeat(250)}${n}*`),
        `${'b'.repeat(250)}7-1`,
      ],
    },
    'spec.serviceAccounts has entries that a pattern of it covers, such as * for all; leave them out',
  ],
  ['ServiceAccounts beside other patterns', { serviceAccounts: ['default', 'ci-*', '*-ci-*'] }, undefined],
];

const OTHERS =
  'spec.limits.scopes has * beside $(namespace): with $(namespace)-*, namespace team could name team-a; write $(namespace) alone, or $(namespace)/*';
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
    'as many regions as there can be, the last in the clear',
    {
      ibmCloud: {},
      regions: Array.from({ length: 64 }, (_, n) => ({
        name: `lab-${n}`,
        host: 'lab.test',
        endpoint: `http://${n < 63 ? 'localhost' : 'lab.test'}/${'a'.repeat(220)}`,
      })),
    },
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
  [
    'scopes by which a namespace names its own, and those of all',
    {
      harbor: { url: 'https://harbor.test' },
      limits: { scopes: ['$(namespace)', '$(namespace)/*', '*/$(namespace)', '$(namespace).*', 'base-*'] },
    },
    undefined,
  ],
  ...['$(namespace)-*', '$(namespace)*', '$(namespace)-x*/app', '*-$(namespace)', 'lib/*$(namespace)'].map(
    (scope): (typeof ACCOUNTS)[number] => [
      `${scope}, by which a namespace can name another's scope`,
      { harbor: { url: 'https://harbor.test' }, limits: { scopes: ['library', scope] } },
      OTHERS,
    ],
  ),
  [
    'as many scopes as there can be, each as long as it can be, the last beside *',
    {
      harbor: { url: 'https://harbor.test' },
      limits: {
        scopes: Array.from({ length: 64 }, (_, n) =>
          `${'$(namespace)'.repeat(20)}${n < 63 ? '/' : '-'}*${n}`.padEnd(255, '.'),
        ),
      },
    },
    OTHERS,
  ],
  ['no regions of a registry without', { harbor: { url: 'https://harbor.test' }, regions: [] }, undefined],
];

const KINDS = [REGISTRY_TOKENS, REGISTRY_ACCOUNTS, CLUSTER_REGISTRY_TOKENS];
const ROTATE = { 'pullsecrets.dev/rotate': 'now' };
const asTemplate = (template: object): object => ({ spec: { namespaceSelector: {}, template } });
const SUSPENDED =
  'spec.suspend is true: the rotation that annotation pullsecrets.dev/rotate asks for waits; write suspend: false';

describePolicies('chart: warnings', (helm, engine) => {
  before(async () => engine().enforce(await helm.render(OPTIONS)));

  const told = async (
    resource: Resource,
    object: object,
    oldObject: object | null = null,
    user = 'jane',
  ): Promise<string[]> => {
    const { refused, warnings } = await engine().review({ resource, object, oldObject, user });
    expect(refused).to.equal(undefined);
    return warnings;
  };

  for (const [what, spec, message] of TOKENS)
    it(`${message === undefined ? 'say nothing' : 'tell'} of a RegistryToken: ${what}`, async () => {
      const expected = message === undefined ? [] : [message];
      expect(await told(REGISTRY_TOKENS, { spec })).to.deep.equal(expected);
      expect(await told(CLUSTER_REGISTRY_TOKENS, asTemplate({ spec }))).to.deep.equal(
        expected.map((text) => text.replace(/^spec\./, 'spec.template.spec.')),
      );
    });

  for (const [what, spec, message] of ACCOUNTS)
    it(`${message === undefined ? 'say nothing' : 'tell'} of a RegistryAccount: ${what}`, async () => {
      const expected = message === undefined ? [] : [message];
      const object = { spec: { credentialsSecretRef: { name: 'credentials' }, ...spec } };
      expect(await told(REGISTRY_ACCOUNTS, object)).to.deep.equal(expected);
    });

  it('tell of a rotation that is asked for while the RegistryToken is suspended', async () => {
    const before = { spec: { suspend: true } };
    const after = { metadata: { annotations: ROTATE }, spec: { suspend: true } };
    expect(await told(REGISTRY_TOKENS, after, before)).to.deep.equal([SUSPENDED]);
    const resumed = { ...after, spec: { suspend: false } };
    expect(await told(REGISTRY_TOKENS, resumed, after)).to.deep.equal([]);
  });

  it('tell of an annotation that looks like the operator’s and means nothing', async () => {
    const metadata = { annotations: { 'pullsecrets.dev/rotate-now': 'x' } };
    for (const warnings of [
      await told(REGISTRY_TOKENS, { metadata, spec: {} }),
      await told(CLUSTER_REGISTRY_TOKENS, { metadata, ...asTemplate({ spec: {} }) }),
    ]) {
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('write pullsecrets.dev/rotate to ask for a rotation');
    }
  });

  it('say nothing of a spec when a rotation is asked for', async () => {
    const spec = { rotation: { policy: 'Manual' } };
    const asked = { metadata: { annotations: ROTATE }, spec };
    expect(await told(REGISTRY_TOKENS, asked, { spec })).to.deep.equal([]);
  });

  it('say nothing of annotations when the spec changes', async () => {
    const metadata = { annotations: { 'pullsecrets.dev/rotate-now': 'x' } };
    const longer = { metadata, spec: { lifetime: '2h' } };
    expect(await told(REGISTRY_TOKENS, longer, { metadata, spec: {} })).to.deep.equal([]);
  });

  it('say nothing when only a label changes, and nothing to the operator', async () => {
    const spec = { rotation: { policy: 'Manual' } };
    const before = { metadata: { annotations: { 'pullsecrets.dev/rotate-now': 'x' } }, spec };
    const after = { ...before, metadata: { ...before.metadata, labels: { team: 'a' } } };
    const operator = `system:serviceaccount:${NAMESPACE}:${NAME}`;
    expect(await told(REGISTRY_TOKENS, after, before)).to.deep.equal([]);
    expect(await told(REGISTRY_TOKENS, before, null, operator)).to.deep.equal([]);
  });

  it('say nothing of the examples', async () => {
    for (const { file, object } of await readExamples()) {
      const resource = KINDS.find(({ kind }) => kind === object.kind);
      if (resource) expect(await told(resource, object), file).to.deep.equal([]);
    }
  });

  it('can be worked out for a ClusterRegistryToken whose template has no spec', async () => {
    const object = { metadata: { annotations: ROTATE }, ...asTemplate({}) };
    expect(await told(CLUSTER_REGISTRY_TOKENS, object)).to.deep.equal([]);
  });
});

describeEnforced('chart: warnings in use', (helm, cluster) => {
  const MANUAL = { spec: { rotation: { policy: 'Manual' } } };

  it('are shown by kubectl', async () => {
    await cluster().enforce(await helm.render(OPTIONS));
    const { status, stderr } = await cluster().kubectl('create --as jane', MANUAL);
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/^Warning: .*: spec\.rotation\.policy Manual lets the token expire/);
  });

  for (const expression of ['object.spec.missing == 1', 'unknown(object)'])
    it(`refuse nothing where an expression fails, and say nothing: ${expression}`, async () => {
      const name = `broken-${expression.length}`;
      const rendered = await helm.render();
      const [policy, binding] = [POLICY, `${POLICY}Binding`].map((kind) => ({
        ...find(rendered, kind, `${NAME}-warnings-registrytokens`),
        metadata: { name },
      })) as [Rendered & { spec: Policy }, Rendered & { spec: object }];
      await cluster().enforce([
        { ...policy, spec: { ...policy.spec, validations: [{ expression, message: 'never told' }] } },
        { ...binding, spec: { ...binding.spec, policyName: name } },
      ]);
      const answer = await cluster().review({
        resource: REGISTRY_TOKENS,
        object: MANUAL,
        oldObject: null,
        user: 'jane',
      });
      expect(answer).to.deep.equal({ warnings: [] });
      expect([...(await cluster().failures())]).to.include(name);
    });
});

describeHelm(
  'chart: warnings, as objects',
  (helm) => {
    let objects: Rendered[];
    before(async () => {
      objects = await helm.render(OPTIONS);
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
