import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { writeKubeconfig } from '../../sandbox/cluster.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { blocksOf, scriptOf } from '../support/pages.ts';
import { minted } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const run = promisify(execFile);

describe('the commands of a page of the documentation', function () {
  this.timeout(60_000);
  let world: World;
  let folder: string;
  before(async function () {
    const missing = await missingPrograms('kubectl');
    if (missing.length > 0) {
      process.stdout.write('    skipped: kubectl not on the PATH\n');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'documents-'));
    world = await World.start();
    await writeKubeconfig(join(folder, 'kubeconfig'), world.apiServer.kubeConfig.exportConfig());
    world.startOperator();
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true, force: true });
    await world?.close();
  });

  /** Types the commands of a page in a folder of its own, with the files there that the page shows. */
  const type = async (page: string): Promise<string> => {
    const cwd = await mkdtemp(join(folder, 'page-'));
    for (const { language, text } of await blocksOf(page)) {
      const [, file] = /^# (\S+\.yaml)\n/.exec(text) ?? [];
      if (language !== 'yaml' || file === undefined) continue;
      await mkdir(dirname(join(cwd, file)), { recursive: true });
      await writeFile(join(cwd, file), text);
    }
    const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig') };
    const { stdout } = await run('bash', ['-c', await scriptOf(page)], { env, cwd });
    return stdout;
  };

  minted.it("backup-and-restore.md: the cluster's id is what its tokens are marked with", async () => {
    const { metadata } = await world.client.get(NAMESPACES, { name: 'kube-system' });
    expect(await type('backup-and-restore.md')).to.equal(metadata.uid);
    const name = await world.createToken(await world.createNamespace());
    const token = await world.whenReady(name);
    const made = world.registry.tokens().find(({ id }) => id === token.status?.token?.id);
    expect(made?.description).to.include(metadata.uid);
  });

  it('guides/gitops.md: kustomize builds an overlay, and its RegistryToken gets ready', async () => {
    await world.createNamespace('team-a');
    const said = await type('guides/gitops.md');
    expect(said).to.include('registrytoken.pullsecrets.dev/app-pull condition met');
    const { spec } = await world.token({ namespace: 'team-a', name: 'app-pull' });
    expect(spec.serviceAccounts).to.deep.equal(['default', 'builder']);
    expect(spec.lifetime).to.equal('12h');
  });
});
