import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import { REGISTRY_NAMES } from '../../sandbox/registries/registries.ts';
import { processesWith } from '../support/processes.ts';
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

describe('a sandbox whose output nobody reads any more', function () {
  this.timeout(120_000);

  /**
   * Starts one, and leaves it once it has printed something.
   * @returns its exit code, what it complained of, and how many processes it left behind
   */
  async function leave(text: RegExp, end: (pid: number) => void): Promise<[unknown, string, number]> {
    const mark = `SANDBOX_MARK=${randomUUID()}`;
    const [name = '', value] = mark.split('=');
    const child = spawn(process.execPath, [MAIN], { env: { ...process.env, [name]: value } });
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    const exit = once(child, 'exit');
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      // Leaving the loop destroys the stream, as the end of a reader does.
      if (text.test(output)) break;
    }
    recordOutput(output, 'sandbox');
    end(child.pid!);
    const [code] = (await exit) as [unknown];
    return [code, complaints, (await processesWith(mark)).length];
  }

  it('stops everything, as for `npm run sandbox | head -1`', async () => {
    expect(await leave(/\n/, () => undefined)).to.deep.equal([0, '', 0]);
  });

  it('stops everything at Ctrl-C, as for `npm run sandbox | tee log`', async () => {
    const left = await leave(/Ctrl-C stops everything/, (pid) => process.kill(pid, 'SIGINT'));
    expect(left).to.deep.equal([0, '', 0]);
  });
});

describe('the command of a sandbox', function () {
  this.timeout(60_000);

  /**
   * Starts a sandbox with a command, and does something once that says `started`.
   * @returns the exit code, and how many processes it left behind
   */
  async function leave(command: string, end: (pid: number) => void): Promise<[unknown, number]> {
    const value = randomUUID();
    const env = { ...process.env, SANDBOX_MARK: value };
    const child = spawn(process.execPath, [MAIN, '--empty', '--exec', command], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    for await (const chunk of child.stdout) if (/^started$/m.test(String(chunk))) break;
    end(child.pid!);
    const [code] = (await exit) as [unknown];
    return [code, (await processesWith(`SANDBOX_MARK=${value}`)).length];
  }

  it('ends with all that it started when the sandbox is told to end', async () => {
    const left = await leave('echo started; sleep 1000 & sleep 1000; true', (pid) => process.kill(pid));
    expect(left).to.deep.equal([1, 0]);
  });

  it('takes what it started in the background with it when it ends', async () => {
    expect(await leave('sleep 1000 & echo started; exit 3', () => undefined)).to.deep.equal([3, 0]);
  });
});
