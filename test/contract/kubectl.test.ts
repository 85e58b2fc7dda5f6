import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { writeKubeconfig } from '../../sandbox/apiserver/kubeconfig.ts';
import { startEmbedded, type RunningApiServer } from '../support/api-servers.ts';

const run = promisify(execFile);

const TOKEN = `
apiVersion: pullsecrets.dev/v1alpha1
kind: RegistryToken
metadata: {name: app}
spec: {access: ReadOnly}
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

describe('kubectl against the embedded API server', () => {
  let server: RunningApiServer;
  let folder: string;
  let manifest: string;
  const kubectl = async (...args: string[]): Promise<string> =>
    (
      await run('kubectl', ['--kubeconfig', join(folder, 'kubeconfig'), '--cache-dir', folder, ...args])
    ).stdout.trim();
  const client: { minor: number } = { minor: 0 };
  /** Clients before 1.27 read OpenAPI as protobuf only, which the server does not have. */
  const unvalidated = (): string[] => (client.minor < 27 ? ['--validate=false'] : []);

  before(async function () {
    this.timeout(60_000);
    const minor = await kubectlVersion();
    if (minor === undefined) {
      process.stdout.write('    skipped: there is no kubectl on the PATH\n');
      return this.skip();
    }
    client.minor = minor;
    server = await startEmbedded();
    folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    manifest = join(folder, 'token.yaml');
    await writeFile(manifest, TOKEN);
    await writeKubeconfig(join(folder, 'kubeconfig'), server.url);
    await kubectl('apply', ...unvalidated(), '-f', 'crds');
    await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=10s');
    await kubectl('apply', ...unvalidated(), '-f', manifest);
  });
  after(async () => {
    await server?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  it('applies again without a change', async () => {
    expect(await kubectl('apply', ...unvalidated(), '-f', manifest)).to.equal(
      'registrytoken.pullsecrets.dev/app unchanged',
    );
  });

  it('applies on the server', async () => {
    const output = await kubectl(
      'apply',
      '--server-side',
      '--force-conflicts',
      ...unvalidated(),
      '-f',
      manifest,
    );
    expect(output).to.match(/serverside-applied$/);
  });

  it('gets by short name and category, as a table', async () => {
    expect(await kubectl('get', 'rt')).to.match(/^NAME +READY +ACCESS .* AGE\napp +ReadOnly .*s$/);
    expect(await kubectl('get', 'pullsecrets', '-o', 'name')).to.equal('registrytoken.pullsecrets.dev/app');
    expect(await kubectl('get', 'namespaces', '-o', 'name')).to.include('namespace/default');
  });

  it('labels, annotates and patches', async () => {
    await kubectl('label', 'rt', 'app', 'tier=front');
    await kubectl('annotate', 'rt', 'app', 'example.com/note=x');
    await kubectl('patch', 'rt', 'app', '--type=merge', '-p', '{"spec":{"access":"ReadWrite"}}');
    expect(await kubectl('get', 'rt', '-l', 'tier=front', '-o', 'jsonpath={.items[*].spec.access}')).to.equal(
      'ReadWrite',
    );
  });

  it('describes, with events', async () => {
    expect(await kubectl('describe', 'rt', 'app')).to.match(/Access: +ReadWrite/);
    expect(await kubectl('describe', 'namespace', 'default')).to.match(/Status: +Active/);
  });

  it('creates secrets, config maps, service accounts and namespaces', async () => {
    await kubectl('create', 'secret', 'generic', 'plain', '--from-literal=key=value');
    expect(await kubectl('get', 'secret', 'plain', '-o', 'jsonpath={.data.key}')).to.equal('dmFsdWU=');
    await kubectl('create', 'configmap', 'settings', '--from-literal=key=value');
    expect(await kubectl('get', 'configmap', 'settings', '-o', 'jsonpath={.data.key}')).to.equal('value');
    await kubectl('create', 'serviceaccount', 'robot');
    await kubectl('create', 'namespace', 'team');
    expect(await kubectl('get', 'namespace', 'team', '-o', 'jsonpath={.status.phase}')).to.equal('Active');
  });

  it('explains', async function () {
    if (client.minor < 27) this.skip();
    expect(await kubectl('explain', 'rt.spec.rotation.policy')).to.include(
      'Auto replaces the token on schedule.',
    );
    expect(await kubectl('explain', 'secret.immutable')).to.include('<boolean>');
  });

  it('edits', async () => {
    const editor = join(folder, 'editor.mjs');
    await writeFile(editor, EDITOR);
    const kubeconfig = join(folder, 'kubeconfig');
    const { stdout } = await run(
      'kubectl',
      ['--kubeconfig', kubeconfig, 'edit', 'rt', 'app', ...unvalidated()],
      {
        env: { ...process.env, KUBE_EDITOR: `${process.execPath} ${editor}` },
      },
    );
    expect(stdout.trim()).to.equal('registrytoken.pullsecrets.dev/app edited');
    expect(await kubectl('get', 'rt', 'app', '-o', 'jsonpath={.spec.access}')).to.equal('ReadOnly');
  });

  it('deletes and waits', async () => {
    expect(await kubectl('delete', 'rt', 'app')).to.include('deleted');
    await kubectl('delete', 'namespace', 'team', '--ignore-not-found');
    expect(await kubectl('get', 'rt', '-o', 'name')).to.equal('');
  });
});
