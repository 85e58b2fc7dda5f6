import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSelfSigned } from '../../sandbox/self-signed-certificate.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { builtImage, type BuiltImage } from './support/built-image.ts';

describe("image: Node's permissions", function () {
  this.timeout(120_000);
  let image: BuiltImage;
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    image = await builtImage();
  });

  /** What a script prints that runs in the image under the entrypoint's flags. */
  async function underEntrypoint(script: string, env?: NodeJS.ProcessEnv): Promise<unknown> {
    const flags = image.config.config.Entrypoint.slice(0, -1);
    const { stdout } = await image.run([...flags, '--eval', script], env);
    return JSON.parse(stdout);
  }

  it('are on, and leave out all but reading', async () => {
    const scopes = ['child', 'worker', 'addon', 'wasi', 'inspector', 'fs.write', 'fs.read'];
    const script = `console.log(JSON.stringify(${JSON.stringify(scopes)}.filter((scope) => process.permission.has(scope))))`;
    expect(await underEntrypoint(script)).to.deep.equal([]);
  });

  const readable: [string, boolean][] = [
    ['/app/main.mjs', true],
    ['/var/run/secrets/kubernetes.io/serviceaccount/token', true],
    ['/var/run/secrets/kubernetes.io/serviceaccount/..data/ca.crt', true],
    ['/var/run/secrets/eks.amazonaws.com/serviceaccount/token', true],
    ['/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token', true],
    ['/proc/self/status', true],
    ['/proc/self/environ', false],
    ['/var/run/secrets/other', false],
    ['/etc/passwd', false],
    ['/root/.kube/config', false],
    ['/', false],
  ];
  for (const [path, may] of readable) {
    it(`${may ? 'allow' : 'do not allow'} reading ${path}`, async () => {
      expect(await underEntrypoint(`console.log(process.permission.has('fs.read', '${path}'))`)).to.equal(
        may,
      );
    });
  }

  it('let Node read a private certificate authority that is mounted, wherever it lies', async () => {
    const { key, certificate } = await createSelfSigned('registry.test', clock.now(), ['registry.test']);
    const server = createServer({ key, cert: certificate }, (_, response) => response.end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      await mkdir(join(image.root, 'ca'));
      await writeFile(join(image.root, 'ca/ca.crt'), certificate);
      const options = JSON.stringify({ host: '127.0.0.1', port, servername: 'registry.test' });
      const script = `require('node:https').get(${options}, (answer) => { console.log(answer.statusCode); answer.destroy(); })
        .on('error', (error) => console.log(JSON.stringify(error.code)))`;
      expect(await underEntrypoint(script, { NODE_EXTRA_CA_CERTS: '/ca/ca.crt' })).to.equal(200);
      expect(await underEntrypoint(script)).to.equal('DEPTH_ZERO_SELF_SIGNED_CERT');
    } finally {
      await rm(join(image.root, 'ca'), { recursive: true, force: true });
      server.close();
    }
  });

  const forbidden: [string, string][] = [
    ['start a program', "require('node:child_process').execFileSync('/bin/true')"],
    ['start a thread', "new (require('node:worker_threads').Worker)('1', { eval: true })"],
    ['write a file', "require('node:fs').writeFileSync('/tmp/permissions-test', '')"],
    ['load native code', "process.dlopen({ exports: {} }, '/app/addon.node')"],
  ];
  for (const [what, script] of forbidden) {
    it(`do not let it ${what}`, async () => {
      const caught = `try { ${script}; console.log('null') } catch (error) { console.log(JSON.stringify(error.code)) }`;
      expect(await underEntrypoint(caught)).to.be.oneOf(['ERR_ACCESS_DENIED', 'ERR_DLOPEN_DISABLED']);
    });
  }
});
