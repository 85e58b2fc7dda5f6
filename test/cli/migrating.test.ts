/** docs/migrating.md: every command of the page, from a cluster full of hand-made pull secrets to all of them rotated. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { PODS, SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import { blocksOf } from '../support/pages.ts';
import { registerSecret } from '../support/secrecy.ts';
import { HOST, World } from '../support/world.ts';
import { InstalledPlugin } from './support/installed-plugin.ts';

/** The registry of the documentation's examples, where the tests have another. */
const EXAMPLE_HOST = 'us.icr.io';
const PASSWORDS = [
  'a-password-made-by-hand',
  'a-password-in-two-places',
  'a-password-of-team-d',
  'a-password-of-another-registry',
];

/** The commands of a page, as one script that ends at the first that fails, and what the page says that one of them prints. */
async function readPage(): Promise<{ script: string; sample: string }> {
  const blocks = await blocksOf('migrating.md');
  const shown = blocks.findIndex(({ remark }) => remark === 'report');
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .map(({ remark, text }) => (remark === 'report' ? `echo '<<<'\n${text}echo '>>>'` : text));
  return {
    script: ['set -euo pipefail', ...commands]
      .join('\n')
      .replaceAll(EXAMPLE_HOST, HOST)
      .replaceAll(nameOf(EXAMPLE_HOST), nameOf(HOST)),
    sample: blocks[shown + 1]?.text ?? '',
  };
}

const nameOf = (host: string): string => host.replaceAll(/[^a-z0-9]/g, '-');

/** A table without its widths, and without ages. */
const words = (text: string): string[] =>
  text
    .replaceAll(HOST, EXAMPLE_HOST)
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' | ').replaceAll(/\b\d+(s|m|h|d|y)(\d+(s|m|h|d))?\b/g, 'AGE'));

describe('docs/migrating.md', function () {
  // Each of some fifteen commands is a process.
  this.timeout(240_000);
  let world: World;
  let plugin: InstalledPlugin;
  before(async function () {
    if ((await missingPrograms('jq')).length > 0) {
      process.stdout.write('    skipped: jq is not on the PATH\n');
      this.skip();
    }
    for (const password of PASSWORDS) registerSecret(password);
    world = await World.start();
    world.startOperator();
    plugin = await InstalledPlugin.install(world.apiServer.kubeconfig);
  });
  after(async () => {
    await plugin?.uninstall();
    await world?.close();
  });

  /** A pull secret as people make it. @returns its uid */
  async function makeByHand(
    namespace: string,
    name: string,
    users: Record<string, [string, string]>,
  ): Promise<string> {
    const auths = Object.fromEntries(
      Object.entries(users).map(([host, [username, password]]) => [host, { username, password }]),
    );
    const { metadata } = await world.client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    });
    return metadata.uid;
  }

  it('goes from hand-made Secrets to RegistryTokens that have them in place, and all rotated', async () => {
    for (const each of ['a', 'b', 'c', 'd']) await world.createNamespace(`team-${each}`);
    const [own = '', shared = '', last = '', foreign = ''] = PASSWORDS;
    const uid = await makeByHand('team-a', 'app-pull', { [`https://${HOST}/v1/`]: ['me', own] });
    await makeByHand('team-b', 'app-pull', { [HOST]: ['shared', shared] });
    await makeByHand('team-c', 'app-pull', { [HOST]: ['shared', shared] });
    await makeByHand('team-d', 'registries', { [HOST]: ['me', last], 'quay.io': ['me', foreign] });
    const web = { namespace: 'team-a', name: 'web' };
    const imagePullSecrets = [{ name: 'app-pull' }];
    await world.client.create(SERVICE_ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: web,
      imagePullSecrets,
    });
    const containers = [{ name: 'app', image: `${HOST}/team/app` }];
    const spec = {
      serviceAccountName: 'web',
      automountServiceAccountToken: false,
      imagePullSecrets,
      containers,
    };
    await world.client.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: web, spec });

    const { script, sample } = await readPage();
    const { exit, out: said, err } = await plugin.script(script);
    expect(exit, err).to.equal(0);
    const [, report = ''] = /<<<\n(.*)>>>\n/s.exec(said) ?? [];
    expect(words(report)).to.deep.equal(words(sample));
    expect(said).to.match(/Nobody rotates 1 of 5 pull secrets/);
    expect(said).to.include('registrytoken.pullsecrets.dev/app-pull ready');
    const adopted: ObjectName[] = [
      ...['a', 'b', 'c'].map((each) => ({ namespace: `team-${each}`, name: 'app-pull' })),
      { namespace: 'team-d', name: nameOf(HOST) },
    ];
    for (const name of adopted) {
      const { status } = await world.whenReady(name);
      expect(status?.token?.revision, name.namespace).to.be.at.least(2);
    }
    const { status, spec: wanted } = await world.token({ namespace: 'team-a', name: 'app-pull' });
    expect(status?.secretRef?.uid).to.equal(uid);
    expect(wanted.deletionPolicy).to.equal('Retain');
    expect(wanted.serviceAccounts).to.deep.equal(['web']);
    expect(await readFile(join(plugin.folder, 'not-adopted.txt'), 'utf8')).to.equal('team-d/registries\n');
    expect(await readFile(join(plugin.folder, 'pull-secrets.md'), 'utf8')).to.match(/^# Pull secrets, /);
  });
});
