import { expect } from 'chai';
import { planAdoption, type AdoptionRequest } from '../../../src/cli/pull-secrets/adoption.ts';
import type { RegistryAccountSpec } from '../../../src/api/registry-account.ts';
import type { ObjectMeta } from '../../../src/common/objects.ts';
import type { Secret } from '../../../src/token/secret/secret.ts';
import { registerSecret } from '../../support/secrecy.ts';
import { aToken } from '../../support/builders.ts';

const PASSWORD = 'a-password-made-by-hand';
registerSecret(PASSWORD);
const ENTRY = { username: 'iamapikey', password: PASSWORD };

function secretFor(auths: unknown, part: Partial<Secret> = {}, meta: Partial<ObjectMeta> = {}): Secret {
  return {
    metadata: {
      name: 'app-pull',
      namespace: 'team-a',
      uid: 'secret-1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...meta,
    },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    ...part,
  };
}

function accountOf(name: string, spec: RegistryAccountSpec): AdoptionRequest['accounts'][number] {
  const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion: 'pullsecrets.dev/v1alpha1', kind: 'RegistryAccount', metadata, spec };
}

const IBM = accountOf('default', { ibmCloud: {} });
const OLD = accountOf('old', { ibmRegistryTokens: {} });
const HARBOR = accountOf('harbor', { harbor: { url: 'https://harbor.example' } });

const request = (part: Partial<AdoptionRequest> = {}): AdoptionRequest => ({
  secret: secretFor({ 'us.icr.io': ENTRY }),
  namespace: { name: 'team-a', labels: {}, terminating: false },
  accounts: [IBM],
  tokens: [],
  serviceAccounts: [],
  access: 'ReadOnly',
  scope: [],
  widen: false,
  ...part,
});

/** The spec of the RegistryToken. */
function specOf(part: Partial<AdoptionRequest>): unknown {
  const adoption = planAdoption(request(part));
  return 'token' in adoption ? adoption.token.spec : adoption.hindrances;
}
function hindrancesOf(part: Partial<AdoptionRequest>): readonly string[] {
  const adoption = planAdoption(request(part));
  return 'hindrances' in adoption ? adoption.hindrances : [];
}

describe('the adoption of a pull secret', () => {
  it('takes name, region and ServiceAccounts from what is there', () => {
    const adoption = planAdoption(
      request({
        secret: secretFor({ 'https://de.icr.io/v1/': ENTRY }),
        serviceAccounts: ['default', 'builder'],
        scope: ['team-a'],
        access: 'ReadWrite',
        accounts: [accountOf('default', { ibmCloud: {}, limits: { maxAccess: 'ReadWrite' } })],
      }),
    );
    expect(adoption).to.deep.equal({
      token: {
        apiVersion: 'pullsecrets.dev/v1alpha1',
        kind: 'RegistryToken',
        metadata: { name: 'app-pull', namespace: 'team-a' },
        spec: {
          accountRef: { name: 'default' },
          region: 'eu-de',
          scope: ['team-a'],
          access: 'ReadWrite',
          secret: { adopt: true },
          serviceAccounts: ['default', 'builder'],
        },
      },
      remark: undefined,
    });
  });

  it('names no region where the registry has none', () => {
    const secret = secretFor({ 'harbor.example': { username: 'robot$a', password: PASSWORD } });
    expect(specOf({ secret, accounts: [IBM, HARBOR] })).to.deep.equal({
      accountRef: { name: 'harbor' },
      access: 'ReadOnly',
      secret: { adopt: true },
    });
  });

  it('makes extra hosts of the other regions whose tokens are the same, the account’s default first', () => {
    const secret = secretFor({ 'de.icr.io': ENTRY, 'uk.icr.io': ENTRY, 'us.icr.io': ENTRY });
    const accounts = [accountOf('default', { ibmCloud: {}, defaultRegion: 'eu-gb' })];
    expect(specOf({ secret, accounts })).to.deep.include({
      region: 'eu-gb',
      secret: { adopt: true, extraHosts: ['de.icr.io', 'us.icr.io'] },
    });
  });

  it('is hindered by regions whose tokens are issued apart', () => {
    const secret = secretFor({ 'de.icr.io': ENTRY, 'us.icr.io': ENTRY });
    expect(hindrancesOf({ secret, accounts: [OLD] })).to.deep.equal([
      'RegistryAccount old issues tokens for us.icr.io and for de.icr.io apart, and the Secret has both: put one of them into a Secret of its own',
    ]);
  });

  it('takes hosts that the account does not know only when asked to, and with the same credential', () => {
    const same = secretFor({ 'us.icr.io': ENTRY, 'private.us.icr.io': ENTRY });
    expect(hindrancesOf({ secret: same })).to.deep.equal([
      'RegistryAccount default does not know private.us.icr.io; the Secret has the same credential there as for us.icr.io: if these are hosts of the same registry, add --extra-hosts',
    ]);
    expect(specOf({ secret: same, widen: true })).to.deep.include({
      secret: { adopt: true, extraHosts: ['private.us.icr.io'] },
    });
    const other = secretFor({ 'us.icr.io': ENTRY, 'quay.io': { username: 'me', password: 'open sesame' } });
    expect(hindrancesOf({ secret: other, widen: true })).to.deep.equal([
      'RegistryAccount default does not serve quay.io, and the Secret has another credential there: put that into a Secret of its own',
    ]);
  });

  it('is hindered where no account, or more than one, is for its registry', () => {
    expect(hindrancesOf({ accounts: [] })).to.deep.equal(['there is no RegistryAccount']);
    expect(hindrancesOf({ accounts: [HARBOR] })).to.deep.equal([
      'RegistryAccount harbor does not serve us.icr.io',
    ]);
    expect(hindrancesOf({ accounts: [IBM, OLD] })).to.deep.equal([
      'RegistryAccounts default, old all serve it: choose one with --account',
    ]);
  });

  it('passes over an account that would refuse, and tells why where all would', () => {
    const closed = accountOf('closed', { ibmCloud: {}, namespaceSelector: { matchLabels: { team: 'b' } } });
    expect(specOf({ accounts: [IBM, closed] })).to.deep.include({ accountRef: { name: 'default' } });
    expect(hindrancesOf({ accounts: [closed] })).to.deep.equal([
      "RegistryAccount closed is not for namespace team-a: its namespaceSelector does not match the namespace's labels",
    ]);
    expect(hindrancesOf({ access: 'ReadWrite' })[0]).to.match(/allows at most ReadOnly/);
    expect(hindrancesOf({ scope: ['Not A Name'] })[0]).to.match(/^spec\.scope holds "Not A Name"/);
    const broken = accountOf('broken', { ibmCloud: {}, harbor: { url: 'https://x.example' } });
    expect(hindrancesOf({ accounts: [broken] })).to.deep.equal([
      'RegistryAccount broken has a spec that is not valid',
    ]);
  });

  it('is hindered by what Kubernetes does not let be changed', () => {
    const old = secretFor({}, { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': 'e30=' } });
    expect(hindrancesOf({ secret: old })[0]).to.match(/^it has the type kubernetes\.io\/dockercfg/);
    expect(hindrancesOf({ secret: secretFor({ 'us.icr.io': ENTRY }, { immutable: true }) })[0]).to.match(
      /^it is immutable/,
    );
  });

  it('is hindered by whoever keeps it, and goes on with a remark where somebody only copies', () => {
    const owner = {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      name: 'x',
      uid: 'x',
      controller: true,
    };
    const owned = secretFor({ 'us.icr.io': ENTRY }, {}, { ownerReferences: [owner] });
    expect(hindrancesOf({ secret: owned })).to.deep.equal([
      'it belongs to ExternalSecret x: set the deletionPolicy of that to Retain if it has one, then delete it with --cascade=orphan',
    ]);
    const labels = { 'reconcile.external-secrets.io/managed': 'true' };
    expect(hindrancesOf({ secret: secretFor({ 'us.icr.io': ENTRY }, {}, { labels }) })).to.deep.equal([
      'External Secrets keeps it: have that stop first',
    ]);
    const annotations = { 'meta.helm.sh/release-name': 'web' };
    const adoption = planAdoption(
      request({ secret: secretFor({ 'us.icr.io': ENTRY }, {}, { annotations }) }),
    );
    expect('remark' in adoption && adoption.remark).to.match(/^Helm \(web\) writes it too/);
  });

  it('is hindered by a RegistryToken that has the Secret, asks for it, or has its name', () => {
    const having = aToken({ metadata: { name: 'x' }, spec: { secret: { name: 'app-pull', adopt: true } } });
    expect(hindrancesOf({ tokens: [having] })).to.deep.equal(['RegistryToken x has it, or is about to']);
    const asking = aToken({ metadata: { name: 'x' }, spec: { secret: { name: 'app-pull' } } });
    expect(hindrancesOf({ tokens: [asking] })[0]).to.match(/set spec\.secret\.adopt of that to true$/);
    const namesake = aToken({ metadata: { name: 'app-pull' }, spec: { secret: { name: 'other' } } });
    expect(hindrancesOf({ tokens: [namesake] })[0]).to.match(
      /^there is a RegistryToken app-pull for another Secret/,
    );
  });

  it('is hindered by what is no docker configuration, and tells all hindrances at once, without any value', () => {
    const broken = secretFor({}, { data: { '.dockerconfigjson': 'e30' }, immutable: true });
    expect(hindrancesOf({ secret: broken }).map((text) => text.slice(0, 15))).to.deep.equal([
      'it is immutable',
      'it names no reg',
    ]);
    const odd = secretFor({
      [`https://me:${PASSWORD}@us.icr.io`]: ENTRY,
      'us.icr.io': ENTRY,
      'us.icr.io/team': ENTRY,
    });
    expect(hindrancesOf({ secret: odd })).to.deep.equal([
      'it names "us.icr.io", "us.icr.io/team", which is no host of a registry: take that out, since it would be lost',
    ]);
    const many = Array.from({ length: 129 }, (_, at) => `sa-${at}`);
    expect(hindrancesOf({ serviceAccounts: many })).to.deep.equal([
      '129 ServiceAccounts name it, and a RegistryToken takes 128',
    ]);
  });
});
