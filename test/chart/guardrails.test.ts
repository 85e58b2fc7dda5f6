import { expect } from 'chai';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { parseDuration } from '../../src/api/syntax/duration.ts';
import type { Resource } from '../../src/common/objects.ts';
import { providerOf } from '../../src/registry/backends.ts';
import { readExamples } from '../support/examples.ts';
import type { AdmissionRequest, Answer, Policy } from './support/admission-policy.ts';
import { TENANT } from './support/enforcing-cluster.ts';
import { describeHelm, find, NAMESPACE, type Rendered, type Values } from './support/helm.ts';
import { describeEnforced, describePolicies } from './support/policy-engines.ts';

interface Request {
  spec: RegistryTokenSpec;
  /** Present for an update. */
  before?: RegistryTokenSpec;
  user?: string;
  groups?: string[];
}

/** Without the policies that are not guardrails. */
const WITHOUT: Values = { rbac: { restrictSecrets: false }, warnings: { enabled: false } };
const OPERATOR = `system:serviceaccount:${NAMESPACE}:pull-registry-token-operator`;

/** How each rule is set up, by its name. */
const RULES: Readonly<Record<string, [key: string, settings: Values]>> = {
  'read-write': ['readWrite', { users: ['system:serviceaccount:ci:builder'], groups: ['release-engineers'] }],
  'never-expiring': ['neverExpiring', {}],
  lifetime: ['lifetime', { max: '12h' }],
  regions: ['regions', { allowed: ['us-south', 'eu-de'] }],
};

/** Values that put one rule alone in force. */
function only(rule: string, more: Values = {}): Values {
  const [alone, settings] = RULES[rule]!;
  const rules = Object.values(RULES).map(([key]) => [key, { enabled: key === alone }]);
  const guardrails = { ...Object.fromEntries(rules), [alone]: { enabled: true, ...settings } };
  return { ...WITHOUT, guardrails: { enabled: true, ...guardrails, ...more } };
}

/** A RegistryToken as the API server shows it to admission: with its defaults. */
const withDefaults = (spec: RegistryTokenSpec): RegistryTokenSpec => ({ access: 'ReadOnly', ...spec });
const asToken = (spec: RegistryTokenSpec): object => ({ spec: withDefaults(spec) });
const asTemplate = (spec: RegistryTokenSpec): object => ({
  spec: { namespaceSelector: {}, template: { spec: withDefaults(spec) } },
});

const kinds = (objects: Rendered[]): string[] => objects.map(({ kind }) => kind);

const ALLOWED: Answer = { warnings: [] };

/** The rule, the request, whether it is allowed. */
const CASES: [string, string, Request, boolean][] = [
  ['read-write', 'a read-only token', { spec: {} }, true],
  ['read-write', 'a token that can push', { spec: { access: 'ReadWrite' } }, false],
  [
    'read-write',
    'the same by a user named',
    { spec: { access: 'ReadWrite' }, user: 'system:serviceaccount:ci:builder' },
    true,
  ],
  [
    'read-write',
    'the same by a group named',
    { spec: { access: 'ReadWrite' }, groups: ['release-engineers'] },
    true,
  ],
  [
    'read-write',
    'the same by another group',
    { spec: { access: 'ReadWrite' }, groups: ['developers'] },
    false,
  ],
  [
    'read-write',
    'a user named like a group',
    { spec: { access: 'ReadWrite' }, user: 'release-engineers' },
    false,
  ],
  [
    'read-write',
    'an update from read-only',
    { spec: { access: 'ReadWrite' }, before: { access: 'ReadOnly' } },
    false,
  ],
  [
    'read-write',
    'an update that leaves it',
    { spec: { access: 'ReadWrite', suspend: true }, before: { access: 'ReadWrite' } },
    true,
  ],
  [
    'read-write',
    'an update to read-only',
    { spec: { access: 'ReadOnly' }, before: { access: 'ReadWrite' } },
    true,
  ],
  ['never-expiring', 'a token that expires', { spec: { lifetime: '24h' } }, true],
  ['never-expiring', 'a token that never does', { spec: { lifetime: 'Never' } }, false],
  [
    'never-expiring',
    'the same by an administrator',
    { spec: { lifetime: 'Never' }, groups: ['system:masters'] },
    true,
  ],
  [
    'never-expiring',
    'an update that leaves it',
    { spec: { lifetime: 'Never' }, before: { lifetime: 'Never' } },
    true,
  ],
  [
    'never-expiring',
    'an update to never',
    { spec: { lifetime: 'Never' }, before: { lifetime: '24h' } },
    false,
  ],
  ['lifetime', 'the longest life', { spec: { lifetime: '12h' } }, true],
  ['lifetime', 'the longest life in other words', { spec: { lifetime: '11h59m60s' } }, true],
  ['lifetime', 'a second more', { spec: { lifetime: '12h1s' } }, false],
  ['lifetime', 'much less', { spec: { lifetime: '90s' } }, true],
  ['lifetime', 'none, which is the longer one of registries', { spec: {} }, false],
  ['lifetime', 'none, by an administrator', { spec: {}, groups: ['system:masters'] }, true],
  ['lifetime', 'an update that leaves it at none', { spec: { suspend: true }, before: {} }, true],
  ['lifetime', 'an update to none', { spec: {}, before: { lifetime: '12h' } }, false],
  ['lifetime', 'an update from none to the longest life', { spec: { lifetime: '12h' }, before: {} }, true],
  ['never-expiring', 'none', { spec: {} }, true],
  ['lifetime', 'never, which is another rule', { spec: { lifetime: 'Never' } }, true],
  ['lifetime', 'more, by an administrator', { spec: { lifetime: '48h' }, groups: ['system:masters'] }, true],
  ['lifetime', 'an update that leaves it', { spec: { lifetime: '48h' }, before: { lifetime: '48h' } }, true],
  [
    'lifetime',
    'an update from one excess to another',
    { spec: { lifetime: '24h' }, before: { lifetime: '48h' } },
    false,
  ],
  ['regions', 'no region', { spec: {} }, true],
  ['regions', 'a region of the list', { spec: { region: 'eu-de' } }, true],
  ['regions', 'another region', { spec: { region: 'jp-tok' } }, false],
  [
    'regions',
    'another region by an administrator',
    { spec: { region: 'jp-tok' }, groups: ['system:masters'] },
    true,
  ],
  ['regions', 'an update that leaves it', { spec: { region: 'jp-tok' }, before: { region: 'jp-tok' } }, true],
  ['regions', 'an update that moves it', { spec: { region: 'jp-osa' }, before: { region: 'jp-tok' } }, false],
];

for (const rule of Object.keys(RULES))
  describePolicies(`chart: guardrail ${rule}`, (helm, engine) => {
    before(async () =>
      engine().enforce(await helm.render({ ...only(rule), operator: { clusterTokens: true } })),
    );

    for (const [of, what, { spec, before: old, user = 'jane', groups = [] }, allowed] of CASES) {
      if (of !== rule) continue;
      const ask = (resource: Resource, made: typeof asToken): Promise<Answer> =>
        engine().review({
          resource,
          object: made(spec),
          oldObject: old === undefined ? null : made(old),
          user,
          groups,
        });
      it(`${what} is ${allowed ? 'allowed' : 'refused'}`, async () => {
        const refused = (answer: Answer, path: string): void => {
          if (allowed) expect(answer).to.deep.equal(ALLOWED);
          else
            expect(answer.refused).to.match(
              new RegExp(`^${path}\\.(access|lifetime|region): .*ask an administrator$`),
            );
        };
        refused(await ask(REGISTRY_TOKENS, asToken), 'spec');
        refused(await ask(CLUSTER_REGISTRY_TOKENS, asTemplate), 'spec\\.template\\.spec');
      });
    }
  });

describePolicies('chart: guardrails', (helm, engine) => {
  const ask = (
    resource: Resource,
    object: object,
    { user = 'jane', ...more }: Partial<AdmissionRequest> = {},
  ): Promise<Answer> => engine().review({ resource, object, oldObject: null, user, ...more });
  const refused = async (...request: Parameters<typeof ask>): Promise<boolean> =>
    (await ask(...request)).refused?.endsWith('ask an administrator') ?? false;

  it('let the operator write what a ClusterRegistryToken asks for, and nothing else', async () => {
    const readWrite: RegistryTokenSpec = { access: 'ReadWrite' };
    await engine().enforce(await helm.render({ ...only('read-write'), operator: { clusterTokens: true } }));
    expect(await ask(REGISTRY_TOKENS, asToken(readWrite), { user: OPERATOR })).to.deep.equal(ALLOWED);
    expect(await refused(CLUSTER_REGISTRY_TOKENS, asTemplate(readWrite), { user: OPERATOR })).to.equal(true);
    await engine().enforce(await helm.render(only('read-write')));
    expect(await refused(REGISTRY_TOKENS, asToken(readWrite), { user: OPERATOR })).to.equal(true);
  });

  for (const list of ['users', 'groups'])
    it(`exempt nobody by a list that was taken away: ${list}=null`, async () => {
      const nulled = ['--set', `guardrails.readWrite.${list}=null`];
      await engine().enforce(await helm.render(only('read-write'), ...nulled));
      const object = asToken({ access: 'ReadWrite' });
      expect(await refused(REGISTRY_TOKENS, object)).to.equal(true);
      const groups = ['release-engineers'];
      expect(await refused(REGISTRY_TOKENS, object, { groups })).to.equal(list === 'groups');
    });

  it('take users and groups by their very names, whatever characters are in them', async () => {
    const name = `o'neil "\\n" <a&b> \\u0041 {{ .Values }} $1`;
    const object = asToken({ access: 'ReadWrite' });
    await engine().enforce(
      await helm.render(only('read-write', { readWrite: { users: [name], groups: [`group:${name}`] } })),
    );
    expect(await ask(REGISTRY_TOKENS, object, { user: name })).to.deep.equal(ALLOWED);
    expect(await ask(REGISTRY_TOKENS, object, { groups: [`group:${name}`] })).to.deep.equal(ALLOWED);
    const similar = name.replace('\\u0041', 'A');
    expect(await refused(REGISTRY_TOKENS, object, { user: similar })).to.equal(true);
    expect(await refused(REGISTRY_TOKENS, object, { groups: [name] })).to.equal(true);
  });

  it('take a RegistryToken without a lifetime for one of 24h', async () => {
    for (const [max, allowed] of [
      ['24h', true],
      ['23h59m59s', false],
    ] as const) {
      await engine().enforce(await helm.render(only('lifetime', { lifetime: { max } })));
      expect(await refused(REGISTRY_TOKENS, asToken({})), max).to.equal(!allowed);
    }
  });

  it('only warn when told so', async () => {
    await engine().enforce(await helm.render(only('read-write', { validationActions: ['Warn', 'Audit'] })));
    const { refused: denied, warnings } = await ask(REGISTRY_TOKENS, asToken({ access: 'ReadWrite' }));
    expect(denied).to.equal(undefined);
    expect(warnings.join()).to.match(/^spec\.access: .*ask an administrator$/);
  });
});

describeEnforced('chart: guardrails in use', (helm, cluster) => {
  it('are for the namespaces selected', async () => {
    const namespaceSelector = { matchLabels: TENANT.labels };
    await cluster().enforce(await helm.render(only('read-write', { namespaceSelector })));
    const request = { resource: REGISTRY_TOKENS, object: asToken({ access: 'ReadWrite' }), oldObject: null };
    expect(await cluster().review({ ...request, user: 'jane' })).to.deep.equal(ALLOWED);
    const { refused } = await cluster().review({ ...request, user: 'jane', namespace: TENANT.name });
    expect(refused).to.match(/ask an administrator$/);
  });

  it('say why to whoever runs kubectl', async () => {
    await cluster().enforce(await helm.render(only('regions')));
    const { status, stderr } = await cluster().kubectl('create --as jane', { spec: { region: 'jp-tok' } });
    expect(status).to.equal(1);
    expect(stderr).to.include('registrytokens.pullsecrets.dev "app-pull" is forbidden: ');
    expect(stderr).to.include(
      'spec.region: this region is not for everyone in this cluster; ask for one of: us-south, eu-de, or ask an administrator',
    );
  });
});

describeHelm(
  'chart: guardrails, as objects',
  (helm) => {
    it('are off to begin with, and each can be', async () => {
      expect(kinds(await helm.render(WITHOUT))).not.to.include('ValidatingAdmissionPolicy');
      const one = {
        ...WITHOUT,
        guardrails: { enabled: true, lifetime: { enabled: false }, neverExpiring: { enabled: false } },
      };
      const names = (await helm.render(one)).filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
      expect(names.map(({ metadata }) => metadata.name)).to.deep.equal([
        'pull-registry-token-operator-read-write',
      ]);
    });

    it('look at what people write, never at status, and fail closed', async () => {
      for (const rule of Object.keys(RULES)) {
        const { failurePolicy, matchConstraints } = find(
          await helm.render(only(rule)),
          'ValidatingAdmissionPolicy',
          `pull-registry-token-operator-${rule}`,
        )['spec'] as Policy;
        expect(failurePolicy).to.equal('Fail');
        expect(matchConstraints.resourceRules).to.have.length(1);
        expect(matchConstraints.resourceRules[0]).to.deep.include({
          operations: ['CREATE', 'UPDATE'],
          resources: ['registrytokens'],
        });
      }
    });

    it('take no registry for one whose tokens live longer than 24h by default', async () => {
      for (const { file, object } of await readExamples()) {
        if (object.kind !== 'RegistryAccount') continue;
        const { lifetimes } = providerOf(object.spec as RegistryAccountSpec)!.capabilities;
        const given = lifetimes.kind === 'fixed' ? lifetimes.expected : lifetimes.default;
        expect(given, file).to.be.a('number').that.is.at.most(parseDuration('24h')!);
      }
    });

    it('are bound, each to its own binding, with the action and the namespaces asked for', async () => {
      const objects = await helm.render({
        ...WITHOUT,
        guardrails: {
          enabled: true,
          validationActions: ['Warn', 'Audit'],
          namespaceSelector: { matchLabels: { tenant: 'yes' } },
        },
      });
      const policies = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
      for (const { metadata } of policies) {
        const binding = find(objects, 'ValidatingAdmissionPolicyBinding', metadata.name);
        expect(binding['spec']).to.deep.equal({
          policyName: metadata.name,
          validationActions: ['Warn', 'Audit'],
          matchResources: { namespaceSelector: { matchLabels: { tenant: 'yes' } } },
        });
      }
    });
  },
  [4],
);
