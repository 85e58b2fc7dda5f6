import { expect } from 'chai';
import { builtImage, type BuiltImage } from './support/built-image.ts';

describe("image: Node's permissions", function () {
  this.timeout(120_000);
  let image: BuiltImage;
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    image = await builtImage();
  });

  /** What a script prints that runs in the image under the entrypoint's flags. */
  async function underEntrypoint(script: string): Promise<unknown> {
    const { stdout } = await image.run(...image.config.config.Entrypoint.slice(0, -1), '--eval', script);
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
