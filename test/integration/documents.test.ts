import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { writeKubeconfig } from '../../sandbox/cluster.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { minted } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const run = promisify(execFile);

/** The commands of a page, as one script that ends at the first that fails. */
async function scriptOf(page: string): Promise<string> {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
  return ['set -euo pipefail', ...blocks].join('\n');
}

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

  const type = async (page: string): Promise<string> => {
    const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig') };
    const { stdout } = await run('bash', ['-c', await scriptOf(page)], { env });
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
});
