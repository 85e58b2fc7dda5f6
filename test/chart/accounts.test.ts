import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import {
  CHART,
  describeHelm,
  find,
  NAMESPACE,
  objectsOf,
  RELEASE,
  withImage,
  type Rendered,
  type Values,
} from './support/helm.ts';
import { VALUE_SETS } from './support/value-sets.ts';

const KEY = 'an-api-key-in-plain-sight';
const ACCOUNT = { ibmCloud: {}, credentialsSecretRef: { name: 'ibm-cloud' } };
const specOf = (objects: readonly Rendered[], name = 'default'): RegistryAccountSpec =>
  find(objects, 'RegistryAccount', name)['spec'] as RegistryAccountSpec;

describeHelm('chart: accounts', (helm) => {
  it('there are none to begin with', async () => {
    const kinds = (await helm.render()).map(({ kind }) => kind);
    expect(kinds).not.to.include.members(['RegistryAccount']);
    expect(kinds).not.to.include.members(['Secret']);
  });

  it('say what the values say, and leave the rest to the API', async () => {
    const limits = { maxAccess: 'ReadWrite' } as const;
    const spec = { ...ACCOUNT, limits };
    expect(specOf(await helm.render({ accounts: { default: spec } }))).to.deep.equal(spec);
  });

  it('take credentials from the values into a Secret, and nowhere else', async () => {
    const credentials = { username: 'robot$pull', password: KEY };
    const harbor = { url: 'https://harbor.test' };
    const objects = await helm.render({ accounts: { default: { harbor, credentials } } });
    const secret = find(objects, 'Secret');
    expect(secret.metadata.namespace).to.equal(NAMESPACE);
    const data = Object.entries(secret['data'] as Record<string, string>);
    expect(
      Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])),
    ).to.deep.equal(credentials);
    expect(specOf(objects)).to.deep.equal({ harbor, credentialsSecretRef: { name: secret.metadata.name } });
    const others = objects.filter((object) => object !== secret);
    expect(JSON.stringify(others)).not.to.include(KEY);
  });

  it('rotate together, or one by one', async () => {
    const objects = await helm.render({
      accounts: {
        default: ACCOUNT,
        leaked: { ...ACCOUNT, rotation: { requestedAt: '2026-02-01T00:00:00Z' } },
        spared: { ...ACCOUNT, rotation: { requestedAt: '' } },
        rejoined: { ...ACCOUNT, rotation: { requestedAt: null } },
      },
      rotation: { requestedAt: '2026-01-01T00:00:00Z' },
    });
    for (const name of ['default', 'rejoined'])
      expect(specOf(objects, name).rotation).to.deep.equal({ requestedAt: '2026-01-01T00:00:00Z' });
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
    const pulls = objects.filter(
      ({ kind, metadata }) => kind === 'RegistryToken' && metadata.name === 'pull',
    );
    expect(pulls.map(({ metadata }) => metadata.namespace)).to.have.members(['team-a', 'team-b']);
    for (const pull of pulls) expect(pull['spec']).to.deep.equal({});
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

describeHelm('chart: a values file over another', (helm) => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'values-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  /** What the chart makes of values files, each over those before it. */
  async function layered(...files: Values[]): Promise<Rendered[]> {
    const args = await Promise.all(
      files.map(async (values, index) => {
        const path = join(folder, `${index}.json`);
        await writeFile(path, JSON.stringify(values));
        return ['--values', path];
      }),
    );
    const { status, stdout, stderr } = await helm.run(['template', RELEASE, CHART, ...args.flat()]);
    expect(status, stderr).to.equal(0);
    return objectsOf(stdout);
  }
  const custom = (objects: Rendered[]): string[] =>
    objects
      .filter(({ apiVersion }) => apiVersion.startsWith('pullsecrets.dev/'))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const base = withImage(VALUE_SETS['accounts and tokens'] as Values);

  it('changes one field of one account and of one token', async () => {
    const before = await layered(base);
    const after = await layered(base, {
      accounts: { builders: { limits: { maxLifetime: '12h' } } },
      tokens: { push: { spec: { rotation: { renewBefore: '4h' } } } },
    });
    expect(specOf(after, 'builders').limits).to.deep.equal({ maxAccess: 'ReadWrite', maxLifetime: '12h' });
    expect(find(after, 'RegistryToken', 'push')['spec']).to.deep.include({
      access: 'ReadWrite',
      rotation: { renewBefore: '4h' },
    });
    const changed = ['builders', 'push'];
    const others = (objects: Rendered[]): Rendered[] =>
      objects.filter(({ metadata }) => !changed.includes(metadata.name));
    expect(others(after)).to.deep.equal(others(before));
  });

  it('adds one, and removes one by null', async () => {
    const before = custom(await layered(base));
    const after = custom(
      await layered(base, {
        accounts: { inline: null, added: ACCOUNT },
        tokens: { 'team-b-pull': null, push: null, added: { namespace: 'team-c' } },
      }),
    );
    const removed = ['RegistryAccount inline', 'RegistryToken pull', 'RegistryToken push'];
    expect(before).to.include.members(removed);
    const counted = [...before, 'RegistryAccount added', 'RegistryToken added'];
    for (const name of removed) counted.splice(counted.indexOf(name), 1);
    expect(after).to.have.members(counted);
  });

  it('takes a field back by null, at any depth', async () => {
    const objects = await layered(base, {
      accounts: {
        builders: {
          limits: { maxAccess: null },
          namespaceSelector: { matchLabels: { ci: null, team: 'build' } },
        },
      },
      tokens: { push: { labels: { app: null }, spec: { rotation: null } } },
    });
    expect(specOf(objects, 'builders')).to.deep.include({
      limits: {},
      namespaceSelector: { matchLabels: { team: 'build' } },
    });
    const push = find(objects, 'RegistryToken', 'push');
    expect(push.metadata.labels).not.to.have.property('app');
    expect(push['spec']).to.deep.equal({ accountRef: { name: 'builders' }, access: 'ReadWrite' });
  });

  it('leads an account to another registry', async () => {
    const harbor = { url: 'https://harbor.test' };
    const objects = await layered(base, { accounts: { default: { ibmCloud: null, harbor } } });
    const { ibmCloud: _, ...rest } = specOf(await layered(base));
    expect(specOf(objects)).to.deep.equal({ ...rest, harbor });
  });

  it('takes every account and token away', async () => {
    expect(custom(await layered(base, { accounts: null, tokens: null }))).to.deep.equal([]);
  });
});

describeHelm(
  'chart: notes',
  (helm) => {
    it('tell how to make the first account, in the names of the release', async () => {
      const notes = await helm.notes();
      expect(notes).to.include(`kubectl --namespace ${NAMESPACE} create secret generic ibm-cloud`);
      const [, values = ''] = /--values - <<EOF\n(.*?)\n *EOF\n/s.exec(notes) ?? [];
      expect(specOf(await helm.render(parse(values) as Values))).to.deep.equal({
        ibmCloud: {},
        credentialsSecretRef: { name: 'ibm-cloud' },
      });
      expect(notes).to.include('all namespaces');
    });

    it('tell how to widen an account, until it is wide', async () => {
      expect(await helm.notes({ accounts: { ci: ACCOUNT } })).to.include(
        "--set 'accounts.ci.limits.maxAccess=ReadWrite'",
      );
      const wide = { ...ACCOUNT, limits: { maxAccess: 'ReadWrite' } };
      expect(await helm.notes({ accounts: { ci: wide } })).not.to.include('limits.maxAccess');
    });

    it('give commands that work for a name with a dot', async () => {
      const notes = await helm.notes({ accounts: { 'eu.de': ACCOUNT } });
      const [, path = ''] = /--set '(\S+maxAccess=ReadWrite)'/.exec(notes) ?? [];
      const objects = await helm.render({ accounts: { 'eu.de': ACCOUNT } }, '--set', path);
      expect(specOf(objects, 'eu.de').limits?.maxAccess).to.equal('ReadWrite');
    });

    it('warn of credentials in the values without showing them', async () => {
      const accounts = { default: { ibmCloud: {}, credentials: { apikey: KEY } } };
      const notes = await helm.notes({ accounts });
      expect(notes).to.include('WARNING: accounts.default.credentials');
      expect(notes).not.to.include(KEY);
    });

    it('name the namespaces and the tokens', async () => {
      const notes = await helm.notes({
        scope: { namespaces: ['team-a'] },
        accounts: { default: ACCOUNT, gone: null },
        tokens: { 'app-pull': { namespace: 'team-a' }, gone: null },
      });
      expect(notes).not.to.include('gone');
      expect(notes).to.include('looks after the RegistryTokens of team-a.');
      expect(notes).to.include(
        'kubectl --namespace team-a wait registrytoken/app-pull --for=condition=Ready',
      );
    });
  },
  // Helm 3 asks a cluster even for a dry run.
  [4],
);
