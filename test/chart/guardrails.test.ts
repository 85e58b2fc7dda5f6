import { expect } from 'chai';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { parseDuration } from '../../src/api/syntax/duration.ts';
import { providerOf } from '../../src/registry/backends.ts';
import { readExamples } from '../support/examples.ts';
import { verdict, type Policy } from './support/admission-policy.ts';
import { describeHelm, find, type Helm, type Rendered, type Values } from './support/helm.ts';

interface Request {
  spec: RegistryTokenSpec;
  /** Present for an update. */
  before?: RegistryTokenSpec;
  user?: string;
  groups?: string[];
}

/** Without the policies that are not guardrails. */
const WITHOUT: Values = { rbac: { restrictSecrets: false }, warnings: { enabled: false } };
const ENABLED: Values = {
  guardrails: {
    enabled: true,
    readWrite: { users: ['system:serviceaccount:ci:builder'], groups: ['release-engineers'] },
    lifetime: { max: '12h' },
    regions: { enabled: true, allowed: ['us-south', 'eu-de'] },
  },
};
/** A namespaced RegistryToken as the API server shows it to admission: with its defaults. */
const DEFAULTS: RegistryTokenSpec = { access: 'ReadOnly' };

const decide = (policy: Policy, { spec, before, user = 'jane', groups = [] }: Request): string =>
  verdict(policy, {
    object: { spec: { ...DEFAULTS, ...spec } },
    oldObject: before === undefined ? null : { spec: { ...DEFAULTS, ...before } },
    user,
    groups,
  });

const kinds = (objects: Rendered[]): string[] => objects.map(({ kind }) => kind);

const policyOf = async (helm: Helm, rule: string): Promise<Policy> =>
  find(await helm.render(ENABLED), 'ValidatingAdmissionPolicy', `pull-registry-token-operator-${rule}`)[
    'spec'
  ] as Policy;

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

describeHelm(
  'chart: guardrails',
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

    for (const [rule, what, request, allowed] of CASES) {
      it(`${rule}: ${what} is ${allowed ? 'allowed' : 'refused'}`, async () => {
        const said = decide(await policyOf(helm, rule), request);
        if (allowed) expect(said).to.equal('allowed');
        else expect(said).to.match(/^spec\.(access|lifetime|region): .*ask an administrator$/);
      });
    }

    it('look at what ClusterRegistryTokens ask for, of whoever writes them, and not at what the operator makes of it', async () => {
      const objects = await helm.render({ ...ENABLED, operator: { clusterTokens: true } });
      const policy = (rule: string): Policy =>
        find(objects, 'ValidatingAdmissionPolicy', `pull-registry-token-operator-${rule}`)['spec'] as Policy;
      const asked = (user: string, access: 'ReadOnly' | 'ReadWrite'): string =>
        verdict(policy('read-write-for-many'), {
          object: { spec: { namespaceSelector: {}, template: { spec: { access } } } },
          oldObject: null,
          user,
          groups: [],
        });
      expect(asked('jane', 'ReadOnly')).to.equal('allowed');
      expect(asked('jane', 'ReadWrite')).to.match(/^spec\.template\.spec\.access: .*ask an administrator$/);
      expect(asked('system:serviceaccount:ci:builder', 'ReadWrite')).to.equal('allowed');
      const operator = 'system:serviceaccount:registry-system:pull-registry-token-operator';
      const spec: RegistryTokenSpec = { access: 'ReadWrite' };
      expect(decide(policy('read-write'), { spec, user: operator })).to.equal('allowed');
      expect(decide(policy('read-write'), { spec })).not.to.equal('allowed');
      expect(decide(await policyOf(helm, 'read-write'), { spec, user: operator })).not.to.equal('allowed');
      expect(asked(operator, 'ReadWrite')).not.to.equal('allowed');
    });

    for (const list of ['users', 'groups'])
      it(`exempt nobody by a list that was taken away: ${list}=null`, async () => {
        const values: Values = {
          guardrails: { enabled: true, readWrite: { groups: ['release-engineers'] } },
        };
        const objects = await helm.render(values, '--set', `guardrails.readWrite.${list}=null`);
        const name = 'pull-registry-token-operator-read-write';
        const policy = find(objects, 'ValidatingAdmissionPolicy', name)['spec'] as Policy;
        const spec: RegistryTokenSpec = { access: 'ReadWrite' };
        expect(decide(policy, { spec })).to.match(/ask an administrator$/);
        const named = decide(policy, { spec, groups: ['release-engineers'] });
        expect(named === 'allowed').to.equal(list === 'users');
      });

    it('take a RegistryToken without a lifetime for no shorter than any registry makes it', async () => {
      const longest = '24h';
      const policy = async (max: string): Promise<Policy> => {
        const objects = await helm.render({ guardrails: { enabled: true, lifetime: { max } } });
        const name = 'pull-registry-token-operator-lifetime';
        return find(objects, 'ValidatingAdmissionPolicy', name)['spec'] as Policy;
      };
      expect(decide(await policy(longest), { spec: {} })).to.equal('allowed');
      expect(decide(await policy('23h59m59s'), { spec: {} })).to.match(/^spec\.lifetime: /);
      for (const { file, object } of await readExamples()) {
        if (object.kind !== 'RegistryAccount') continue;
        const { lifetimes } = providerOf(object.spec as RegistryAccountSpec)!.capabilities;
        const given = lifetimes.kind === 'fixed' ? lifetimes.expected : lifetimes.default;
        expect(given, file).to.be.a('number').that.is.at.most(parseDuration(longest)!);
      }
    });

    it('look at what people write, never at status, and fail closed', async () => {
      for (const rule of ['read-write', 'never-expiring', 'lifetime', 'regions']) {
        const { failurePolicy, matchConstraints } = await policyOf(helm, rule);
        expect(failurePolicy).to.equal('Fail');
        expect(matchConstraints.resourceRules).to.have.length(1);
        expect(matchConstraints.resourceRules[0]).to.deep.include({
          operations: ['CREATE', 'UPDATE'],
          resources: ['registrytokens'],
        });
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
