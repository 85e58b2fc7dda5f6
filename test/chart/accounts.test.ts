import { expect } from 'chai';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import { describeHelm, find, NAMESPACE, type Rendered } from './support/helm.ts';
import { VALUE_SETS } from './support/value-sets.ts';

const KEY = 'an-api-key-in-plain-sight';
const specOf = (objects: readonly Rendered[], name = 'default'): RegistryAccountSpec =>
  find(objects, 'RegistryAccount', name)['spec'] as RegistryAccountSpec;

describeHelm('chart: accounts', (helm) => {
  it('there are none to begin with', async () => {
    const kinds = (await helm.render()).map(({ kind }) => kind);
    expect(kinds).not.to.include.members(['RegistryAccount']);
    expect(kinds).not.to.include.members(['Secret']);
  });

  it('give out read-only tokens that expire, unless told otherwise', async () => {
    const objects = await helm.render({
      accounts: { default: { credentialsSecretRef: { name: 'ibm-cloud' } } },
    });
    expect(specOf(objects)).to.deep.equal({
      provider: 'IBMRegistryTokens',
      credentialsSecretRef: { name: 'ibm-cloud' },
      limits: { maxAccess: 'ReadOnly', allowNeverExpiring: false },
    });
  });

  it('are widened one limit at a time', async () => {
    const limits = { maxAccess: 'ReadWrite' };
    const objects = await helm.render({
      accounts: { default: { credentialsSecretRef: { name: 'ibm-cloud' }, limits } },
    });
    expect(specOf(objects).limits).to.deep.equal({ maxAccess: 'ReadWrite', allowNeverExpiring: false });
  });

  it('take a key from the values into a Secret, and nowhere else', async () => {
    const objects = await helm.render({ accounts: { default: { apiKey: KEY } } });
    const secret = find(objects, 'Secret');
    expect(secret.metadata.namespace).to.equal(NAMESPACE);
    expect(Buffer.from((secret['data'] as { apikey: string }).apikey, 'base64').toString()).to.equal(KEY);
    expect(specOf(objects).credentialsSecretRef).to.deep.equal({ name: secret.metadata.name });
    const others = objects.filter((object) => object !== secret);
    expect(JSON.stringify(others)).not.to.include(KEY);
  });

  it('rotate together, or one by one', async () => {
    const credentials = { credentialsSecretRef: { name: 'ibm-cloud' } };
    const objects = await helm.render({
      accounts: {
        default: credentials,
        leaked: { ...credentials, rotation: { requestedAt: '2026-02-01T00:00:00Z' } },
        spared: { ...credentials, rotation: { requestedAt: '' } },
      },
      rotation: { requestedAt: '2026-01-01T00:00:00Z' },
    });
    expect(specOf(objects).rotation).to.deep.equal({ requestedAt: '2026-01-01T00:00:00Z' });
    expect(specOf(objects, 'spared').rotation).to.deep.equal({ requestedAt: '' });
    expect(specOf(objects, 'leaked').rotation).to.deep.equal({ requestedAt: '2026-02-01T00:00:00Z' });
  });

  it('stay, as tokens and keys do, when helm would delete them', async () => {
    const kept = ['RegistryAccount', 'RegistryToken', 'Secret', 'CustomResourceDefinition'];
    for (const { kind, metadata } of await helm.render(VALUE_SETS['accounts and tokens'])) {
      const policy = metadata.annotations?.['helm.sh/resource-policy'];
      expect(policy, `${kind} ${metadata.name}`).to.equal(kept.includes(kind) ? 'keep' : undefined);
    }
  });
});

describeHelm('chart: tokens', (helm) => {
  it('are made in the namespaces given, with the fields given', async () => {
    const objects = await helm.render(VALUE_SETS['accounts and tokens']);
    const pull = find(objects, 'RegistryToken', 'pull');
    expect(pull.metadata.namespace).to.equal('team-a');
    expect(pull['spec']).to.deep.equal({});
    const push = find(objects, 'RegistryToken', 'push');
    expect(push.metadata.labels).to.include({ app: 'builder' });
    expect(push.metadata.annotations).to.include({ 'example.com/owner': 'team-b' });
    expect(push['spec']).to.deep.equal({
      accountRef: { name: 'builders' },
      access: 'ReadWrite',
      rotation: { renewBefore: '8h' },
    });
  });
});

describeHelm(
  'chart: notes',
  (helm) => {
    it('tell how to make the first account, in the names of the release', async () => {
      const notes = await helm.notes();
      expect(notes).to.include(`kubectl --namespace ${NAMESPACE} create secret generic registry-credentials`);
      expect(notes).to.include('--set accounts.default.credentialsSecretRef.name=registry-credentials');
      expect(notes).to.include('all namespaces');
    });

    it('tell how to widen an account, until it is wide', async () => {
      const account = { credentialsSecretRef: { name: 'ibm-cloud' } };
      expect(await helm.notes({ accounts: { ci: account } })).to.include(
        "--set 'accounts.ci.limits.maxAccess=ReadWrite'",
      );
      const wide = { ...account, limits: { maxAccess: 'ReadWrite' } };
      expect(await helm.notes({ accounts: { ci: wide } })).not.to.include('limits.maxAccess');
    });

    it('give commands that work for a name with a dot', async () => {
      const account = { credentialsSecretRef: { name: 'ibm-cloud' } };
      const notes = await helm.notes({ accounts: { 'eu.de': account } });
      const [, path = ''] = /--set '(\S+maxAccess=ReadWrite)'/.exec(notes) ?? [];
      const objects = await helm.render({ accounts: { 'eu.de': account } }, '--set', path);
      expect(specOf(objects, 'eu.de').limits?.maxAccess).to.equal('ReadWrite');
    });

    it('warn of a key in the values without showing it', async () => {
      const notes = await helm.notes({ accounts: { default: { apiKey: KEY } } });
      expect(notes).to.include('WARNING: accounts.default.apiKey');
      expect(notes).not.to.include(KEY);
    });

    it('name the namespaces and the tokens', async () => {
      const notes = await helm.notes({
        scope: { namespaces: ['team-a'] },
        accounts: { default: { credentialsSecretRef: { name: 'ibm-cloud' } } },
        tokens: [{ namespace: 'team-a', name: 'app-pull' }],
      });
      expect(notes).to.include('looks after the RegistryTokens of team-a.');
      expect(notes).to.include(
        'kubectl --namespace team-a wait registrytoken/app-pull --for=condition=Ready',
      );
    });
  },
  // Helm 3 asks a cluster even for a dry run.
  [4],
);
