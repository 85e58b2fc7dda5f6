import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import { REGISTRY_NAMES } from '../../sandbox/registries/registries.ts';
import { recordOutput } from '../support/secrecy.ts';

const MAIN = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));
/** Prints what REGISTRY_HOST says to a client without a credential, whether it names the fake, and whether it is the fake. */
const KNOCK = `
  const { REGISTRY_HOST: host, REGISTRY_URL: url } = process.env;
  const { status, headers } = await fetch('http://' + host + '/v2/');
  const challenge = headers.get('www-authenticate').replaceAll('"', '');
  console.log('entrance', status, challenge.includes(url), 'itself', url === 'http://' + host);
`;

for (const name of REGISTRY_NAMES) {
  describe(`the sandbox with ${name}`, function () {
    this.timeout(120_000);
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'empty-'));
    });
    after(() => rm(folder, { recursive: true }));

    /** Starts it with the example, runs a program of node in it, and gives all that it printed. */
    const run = (PATH: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const command = '"$NODE" --input-type=module -e "$KNOCK"';
        const env = { ...process.env, PATH, NODE: process.execPath, KNOCK };
        execFile(
          process.execPath,
          [MAIN, '--registry', name, '--exec', command],
          { env },
          (error, stdout, stderr) => {
            recordOutput(stdout + stderr, 'sandbox');
            if (error) reject(new Error(stdout + stderr));
            else resolve(stdout);
          },
        );
      });

    it('without docker-registry says so, and the fake stands in: tokens are tried there', async () => {
      const output = await run(folder);
      expect(output).to.include('No images: the program docker-registry is not on the PATH.');
      expect(output).to.match(/RegistryToken app-pull: Secret app-pull holds a ReadOnly token/);
      expect(output).to.not.include('is not known');
      // A private ECR asks for the credential itself.
      expect(output).to.include(`entrance 401 ${name !== 'ecr'} itself true`);
    });

    it('with docker-registry says where it runs, and that asks for bearer tokens of the fake', async function () {
      if ((await missingPrograms('docker-registry')).length > 0) this.skip();
      const output = await run(process.env['PATH'] ?? '');
      expect(output).to.match(/Images are in a registry at 127\.0\.0\.1:[0-9]+/);
      expect(output).to.not.include('is not known');
      expect(output).to.include('entrance 401 true itself false');
    });
  });
}
