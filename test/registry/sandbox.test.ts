import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import { recordOutput } from '../support/secrecy.ts';

const MAIN = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));
/** Prints what REGISTRY_HOST says to a stranger at its door, and whether it is the token service. */
const KNOCK = `
  const { REGISTRY_HOST: host, TOKEN_SERVICE_URL: service } = process.env;
  const { status, headers } = await fetch('http://' + host + '/v2/');
  const challenge = headers.get('www-authenticate').replaceAll('"', '');
  const token = await fetch(service + '/oauth/token?service=registry');
  console.log('door', status, challenge.includes(service + '/oauth/token'), 'service', token.status);
  console.log('itself', service === 'http://' + host);
`;

describe('the sandbox', function () {
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
      execFile(process.execPath, [MAIN, '--exec', command], { env }, (error, stdout, stderr) => {
        recordOutput(stdout + stderr, 'sandbox');
        if (error) reject(new Error(stdout + stderr));
        else resolve(stdout);
      });
    });

  it('without docker-registry says so, and its token service stands in: tokens are tried there, strangers refused', async () => {
    const output = await run(folder);
    expect(output).to.include('No registry runs: the program docker-registry is not on the PATH.');
    expect(output).to.match(/RegistryToken app-pull: Secret app-pull holds a ReadOnly token/);
    expect(output).to.not.include('is not known');
    expect(output).to.include('door 401 true service 401').and.include('itself true');
  });

  it('with docker-registry says where it runs: its door leads to the token service', async function () {
    if ((await missingPrograms('docker-registry')).length > 0) this.skip();
    const output = await run(process.env['PATH'] ?? '');
    expect(output).to.match(/A registry \(127\.0\.0\.1:[0-9]+\) runs behind the token service/);
    expect(output).to.not.include('is not known');
    expect(output).to.include('door 401 true service 401').and.include('itself false');
  });
});
