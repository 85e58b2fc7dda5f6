import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import packageJson from '../../package.json' with { type: 'json' };
import { buildImage } from '../../scripts/image.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { recordOutput } from '../support/secrecy.ts';
import { builtImage, type BuiltImage } from './support/built-image.ts';

/** What the chart's startup probe allows, in milliseconds. */
const START_TIME = 60_000;

describe('image', function () {
  this.timeout(120_000);
  let image: BuiltImage;
  before(async () => {
    image = await builtImage();
  });

  it('is the same, byte for byte, when built again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'image-again-'));
    try {
      const options = { folder, name: 'local.test/operator:1', revision: 'abc', time: 1_700_000_000 };
      const again = await buildImage(options);
      expect(again.digest).to.equal(image.digest);
      expect(again.archive.equals(image.archive)).to.be.true;
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('holds what it says: every blob has the digest it is named by', async () => {
    const blobs = join(image.layout, 'blobs/sha256');
    const names = await readdir(blobs);
    expect(names).to.have.length(4);
    for (const name of names) {
      const content = await readFile(join(blobs, name));
      expect(createHash('sha256').update(content).digest('hex')).to.equal(name);
    }
    expect(names.map((name) => `sha256:${name}`)).to.include(image.digest);
  });

  it('has the app, Node, its libraries, their licenses, and nothing else', () => {
    const files = image.files.filter((path) => !path.endsWith('/'));
    const libraries = files.filter((path) => path.startsWith('usr/lib'));
    for (const path of libraries)
      expect(path).to.match(/\/(ld-linux|lib(c|dl|gcc_s|m|pthread|stdc\+\+)\.)[^/]*$/);
    // Code that only some accounts need is in files with a hash of their contents.
    const parts = files.filter((path) => /^app\/[\w-]+-[0-9A-Z]{8}\.mjs$/.test(path));
    const others = files.filter((path) => !libraries.includes(path) && !parts.includes(path));
    expect(others).to.have.members([
      'app/LICENSE',
      'app/THIRD-PARTY-NOTICES-kubectl-registrytoken.txt',
      'app/THIRD-PARTY-NOTICES.txt',
      'app/main.mjs',
      'app/sbom.cdx.json',
      'etc/group',
      'etc/nsswitch.conf',
      'etc/os-release',
      'etc/passwd',
      'lib',
      'lib64',
      'nodejs/LICENSE',
      'nodejs/bin/node',
      'usr/local/bin/kubectl-registrytoken',
      'usr/share/doc/libc6/copyright',
      'usr/share/doc/libgcc-s1/copyright',
      'usr/share/doc/libstdc++6/copyright',
      'var/run',
    ]);
  });

  it('has the kubectl plugin in PATH, for kubectl exec', async () => {
    const { stdout } = await image.run(['/usr/local/bin/kubectl-registrytoken', '--version']);
    expect(stdout).to.equal(`${packageJson.version}\n`);
  });

  it('lets nobody but root change a file in it', async () => {
    for (const path of image.files) {
      const { mode } = await stat(join(image.root, path)).catch(() => ({ mode: 0 }));
      if (path !== 'tmp/') expect(mode & 0o022, path).to.equal(0);
    }
  });

  it('says what it is and how to run it', async () => {
    const { config, created, architecture, os } = image.config;
    expect({ created, os }).to.deep.equal({ created: '2023-11-14T22:13:20.000Z', os: 'linux' });
    expect(architecture).to.be.oneOf(['amd64', 'arm64']);
    expect(config.User).to.equal('65532:65532');
    expect(config.Entrypoint.at(0)).to.equal('/nodejs/bin/node');
    expect(config.Entrypoint.at(-1)).to.equal('/app/main.mjs');
    expect(config.Labels).to.deep.equal({
      'org.opencontainers.image.title': packageJson.name,
      'org.opencontainers.image.description': packageJson.description,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.created': '2023-11-14T22:13:20.000Z',
    });
  });

  it("is built on the Node of the Dockerfile's builder", async () => {
    const [, builder] = /^ARG BUILDER=.*node:(\S+?)-/m.exec(await readFile('Dockerfile', 'utf8')) ?? [];
    expect(`v${builder}`).to.equal(process.version);
  });

  it('runs as its user, with nothing around it but its own files', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const { Entrypoint } = image.config.config;
    const { stdout, stderr } = await image.run([...Entrypoint, '--help']);
    expect(stdout).to.match(/^Usage: registry-token-operator/);
    expect(stderr).to.equal('');
  });

  it('answers soon after it was started, and ends when told to', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const address = `127.0.0.1:${await freePort()}`;
    const flags = [
      '--operator-namespace=tests',
      '--metrics-bind-address=0',
      `--health-probe-bind-address=${address}`,
    ];
    const started = performance.now();
    const operator = image.start([...image.config.config.Entrypoint, ...flags]);
    operator.stdout?.on('data', (chunk: Buffer) => recordOutput(chunk.toString(), 'operator'));
    const exited = once(operator, 'exit');
    try {
      while (!(await fetch(`http://${address}/livez`).catch(() => undefined))?.ok) {
        expect(operator.exitCode).to.equal(null);
        expect(performance.now() - started).to.be.below(START_TIME);
        await setTimeout(5);
      }
      const took = Math.round(performance.now() - started);
      process.stdout.write(`    from start to /livez: ${took} ms\n`);
    } finally {
      operator.kill();
    }
    expect(await exited).to.deep.equal([0, null]);
  });
});
