import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { parse } from 'yaml';
import { makePlugin, type MadePlugin } from '../../scripts/plugin.ts';
import { tooOldNode } from './support/node-versions.ts';

const run = promisify(execFile);
const RELEASE = { version: '1.2.3', homepage: 'https://github.test/owner/name' };

interface KrewManifest {
  metadata: { name: string };
  spec: { version: string; platforms: { uri: string; sha256: string; bin: string }[] };
}

describe('packages of the plugin', function () {
  this.timeout(60_000);
  let folder: string;
  let made: MadePlugin;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packages-'));
    made = await makePlugin(join(folder, 'made'), RELEASE, 1_700_000_000);
  });
  after(() => rm(folder, { recursive: true }));

  it('are the same, byte for byte, when made again', async () => {
    const again = await makePlugin(join(folder, 'again'), RELEASE, 1_700_000_000);
    for (const file of ['archive', 'manifest'] as const)
      expect((await readFile(again[file])).equals(await readFile(made[file])), file).to.equal(true);
  });

  it('have a manifest for krew with version, checksum and program of the archive', async () => {
    const { metadata, spec } = parse(await readFile(made.manifest, 'utf8')) as KrewManifest;
    const sha256 = createHash('sha256')
      .update(await readFile(made.archive))
      .digest('hex');
    const { stdout } = await run('tar', ['-tzf', made.archive]);
    expect({ name: metadata.name, version: spec.version }).to.deep.equal({
      name: 'registrytoken',
      version: 'v1.2.3',
    });
    expect(spec.platforms).to.have.lengthOf(2);
    for (const platform of spec.platforms) {
      expect(platform).to.include({
        sha256,
        uri: 'https://github.test/owner/name/releases/download/v1.2.3/kubectl-registrytoken-1.2.3.tar.gz',
      });
      expect(stdout.split('\n')).to.include.members([platform.bin, 'LICENSE', 'THIRD-PARTY-NOTICES.txt']);
    }
  });

  it('install by npm, with both programs in PATH', async () => {
    const prefix = join(folder, 'prefix');
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: made.package,
    });
    const [packed] = JSON.parse(stdout) as [{ filename: string }];
    await run('npm', ['install', '--global', '--offline', '--prefix', prefix, join(folder, packed.filename)]);
    const env = { PATH: `${join(prefix, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}` };
    for (const [program, words, said] of [
      ['kubectl-registrytoken', ['--version'], '0.1.0\n'],
      ['kubectl_complete-registrytoken', ['stat'], 'status\n:4\n'],
    ] as const)
      expect((await run(join(prefix, 'bin', program), words, { env })).stdout).to.equal(said);
  });

  it('say on a Node.js that is too old which one they need, whatever that lacks', async () => {
    const env = { PATH: await tooOldNode() };
    const program = join(made.package, 'kubectl-registrytoken');
    const outcome: unknown = await run(program, ['status', 'app-pull'], { env }).catch((e: unknown) => e);
    expect(outcome).to.deep.include({
      code: 1,
      stdout: '',
      stderr: 'kubectl-registrytoken needs Node.js 22.19 or later; this is 20.20.2\n',
    });
  });

  it('are small: under 5 MiB, not counting texts', async () => {
    expect((await stat(join(made.package, 'kubectl-registrytoken'))).size).to.be.lessThan(5 * 2 ** 20);
  });
});
