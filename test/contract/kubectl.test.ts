import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { writeKubeconfig } from '../../sandbox/cluster.ts';
import { contract, eventually } from './support/contract.ts';

const run = promisify(execFile);

const TOKEN = `
apiVersion: pullsecrets.dev/v1alpha1
kind: RegistryToken
metadata: {name: app}
spec: {access: ReadOnly}
`;

const MAP = `
apiVersion: v1
kind: ConfigMap
metadata: {name: map}
data: {key: value}
`;

/** Stands in for the person at the editor. */
const EDITOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const file = process.argv[2];
writeFileSync(file, readFileSync(file, 'utf8').replace('access: ReadWrite', 'access: ReadOnly'));
`;

/** Minor version of the kubectl on the PATH; undefined when there is none. */
async function kubectlVersion(): Promise<number | undefined> {
  try {
    const { stdout } = await run('kubectl', ['version', '--client', '-o', 'json']);
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { minor: string } };
    return Number.parseInt(clientVersion.minor, 10);
  } catch {
    return undefined;
  }
}

contract('kubectl', (api) => {
  let folder: string;
  let namespace: string;
  const kubectl = async (...args: string[]): Promise<string> => {
    const own = ['--kubeconfig', join(folder, 'kubeconfig'), '--cache-dir', folder, '--namespace', namespace];
    const env = { ...process.env, KUBE_EDITOR: `${process.execPath} ${join(folder, 'editor.mjs')}` };
    return (await run('kubectl', [...own, ...args], { env })).stdout.trim();
  };
  const client: { minor: number } = { minor: 0 };
  /** Clients before 1.27 read OpenAPI as protobuf only, which the embedded server does not have. */
  const unvalidated = (): string[] => (client.minor < 27 ? ['--validate=false'] : []);

  before(async function () {
    const minor = await kubectlVersion();
    if (minor === undefined) {
      process.stdout.write('    skipped: there is no kubectl on the PATH\n');
      return this.skip();
    }
    client.minor = minor;
    folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    await writeFile(join(folder, 'editor.mjs'), EDITOR);
    await writeFile(join(folder, 'token.yaml'), TOKEN);
    await writeFile(join(folder, 'map.yaml'), MAP);
    await writeKubeconfig(join(folder, 'kubeconfig'), api().server.kubeconfig);
    namespace = await api().namespace();
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true });
  });

  describe('and kinds that are built in', () => {
    const apply = (...flags: string[]): Promise<string> =>
      kubectl('apply', ...flags, ...unvalidated(), '-f', join(folder, 'map.yaml'));

    it('creates secrets, config maps, service accounts and namespaces', async () => {
      await kubectl('create', 'secret', 'generic', 'plain', '--from-literal=key=value');
      expect(await kubectl('get', 'secret', 'plain', '-o', 'jsonpath={.data.key}')).to.equal('dmFsdWU=');
      await kubectl('create', 'configmap', 'settings', '--from-literal=key=value');
      expect(await kubectl('get', 'configmap', 'settings', '-o', 'jsonpath={.data.key}')).to.equal('value');
      await kubectl('create', 'serviceaccount', 'robot');
      const team = api().name('team');
      await kubectl('create', 'namespace', team);
      expect(await kubectl('get', 'namespace', team, '-o', 'jsonpath={.status.phase}')).to.equal('Active');
      await kubectl('delete', 'namespace', team);
    });

    it('applies, and applies again without a change', async () => {
      expect(await apply()).to.equal('configmap/map created');
      expect(await apply()).to.equal('configmap/map unchanged');
      expect(await apply('--server-side', '--force-conflicts')).to.equal('configmap/map serverside-applied');
    });

    it('gets as a table and by names, and describes', async () => {
      await kubectl('create', 'configmap', 'tabled', '--from-literal=key=value');
      expect(await kubectl('get', 'configmap', 'tabled')).to.match(/^NAME +DATA +AGE\ntabled +1 +\d+s$/);
      expect(await kubectl('get', 'namespaces', '-o', 'name')).to.include('namespace/default');
      expect(await kubectl('describe', 'namespace', 'default')).to.match(/Status: +Active/);
    });

    it('labels, annotates, patches, edits and selects', async () => {
      await kubectl('create', 'configmap', 'front', '--from-literal=key=value');
      await kubectl('label', 'configmap', 'front', 'tier=front');
      await kubectl('annotate', 'configmap', 'front', 'example.com/note=x');
      await kubectl('patch', 'configmap', 'front', '--type=merge', '-p', '{"data":{"access":"ReadWrite"}}');
      const edited = await kubectl('edit', 'configmap', 'front', ...unvalidated());
      expect(edited).to.equal('configmap/front edited');
      const selected = ['get', 'configmap', '-l', 'tier=front', '-o', 'jsonpath={.items[*].data.access}'];
      expect(await kubectl(...selected)).to.equal('ReadOnly');
    });

    it('explains', async function () {
      if (client.minor < 27) this.skip();
      expect(await kubectl('explain', 'secret.immutable')).to.include('<boolean>');
    });

    it('deletes and waits', async () => {
      await kubectl('create', 'configmap', 'gone', '--from-literal=key=value');
      expect(await kubectl('delete', 'configmap', 'gone')).to.include('deleted');
      expect(await kubectl('get', 'configmap', '--ignore-not-found', 'gone')).to.equal('');
    });
  });

  describe('and RegistryTokens', () => {
    const apply = (...flags: string[]): Promise<string> =>
      kubectl('apply', ...flags, ...unvalidated(), '-f', join(folder, 'token.yaml'));

    before(async () => {
      // Older servers tell nothing of rules in schemas, whoever serves custom resources.
      const how = api().minor < 25 ? ['--validate=false'] : unvalidated();
      await kubectl('apply', ...how, '-f', 'crds');
      await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=10s');
      for (const plural of ['registryaccounts', 'registrytokens'])
        await eventually(`${plural} are served`, async () =>
          (await api().get(`/apis/pullsecrets.dev/v1alpha1/${plural}`)).status === 200 ? true : undefined,
        );
      await apply();
    });

    it('applies again without a change, and on the server', async () => {
      expect(await apply()).to.equal('registrytoken.pullsecrets.dev/app unchanged');
      expect(await apply('--server-side', '--force-conflicts')).to.match(/serverside-applied$/);
    });

    it('gets by short name and category, as a table', async () => {
      expect(await kubectl('get', 'rt')).to.match(
        /^NAME +READY +STATUS +SECRET +EXPIRES +NEXT ROTATION +AGE\napp +\d+s$/,
      );
      expect(await kubectl('get', 'pullsecrets', '-o', 'name')).to.equal('registrytoken.pullsecrets.dev/app');
    });

    it('labels, patches, describes and edits', async () => {
      await kubectl('label', 'rt', 'app', 'tier=front');
      await kubectl('patch', 'rt', 'app', '--type=merge', '-p', '{"spec":{"access":"ReadWrite"}}');
      expect(await kubectl('describe', 'rt', 'app')).to.match(/Access: +ReadWrite/);
      expect(await kubectl('edit', 'rt', 'app', ...unvalidated())).to.match(/edited$/);
      const selected = ['get', 'rt', '-l', 'tier=front', '-o', 'jsonpath={.items[*].spec.access}'];
      expect(await kubectl(...selected)).to.equal('ReadOnly');
    });

    it('explains', async function () {
      // kube-apiserver asks once a minute for the OpenAPI of servers that it passes requests on to.
      if (client.minor < 27 || api().server.ownCustomResources) this.skip();
      const explained = await kubectl('explain', 'rt.spec.rotation.policy');
      expect(explained).to.include('Auto replaces the token on schedule.');
    });

    it('deletes and waits', async () => {
      expect(await kubectl('delete', 'rt', 'app')).to.include('deleted');
      expect(await kubectl('get', 'rt', '-o', 'name')).to.equal('');
    });
  });
});
