import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { readCommandLine, type Arguments } from '../../../sandbox/registries/command-line.ts';
import { REGISTRIES, REGISTRY_NAMES, type RegistryName } from '../../../sandbox/registries/registries.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const MAIN = 'sandbox/registries/main.ts';
const KEY = 'a-key';
/** What each registry can't do without, beside its name. */
const NEEDED: Record<RegistryName, string> = {
  'ibm-cloud': `--port 0 --api-key ${KEY}`,
  harbor: '--port 0 --user admin:secret --project team',
  ecr: '--port 0 --access-key id:secret',
  'ibm-registry-tokens': `--port 0 --api-key ${KEY}`,
};

function read(line: string): Arguments {
  const commandLine = readCommandLine(line.split(' '));
  if ('exit' in commandLine) throw new Error(commandLine.output);
  return commandLine.arguments;
}

/** The answer of the fake that a command line asks for. */
function ask(line: string, method: string, path: string, headers = {}, body = ''): Promise<Answer> {
  const fake = read(line).open(new VirtualClock(0));
  return fake.handle({ method, path, headers, body });
}

const exchange = (line: string, apikey: string): Promise<Answer> =>
  ask(line, 'POST', '/identity/token', FORM, String(new URLSearchParams({ ...GRANT, apikey })));
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const GRANT = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey' };

describe('npm run registry: command line', () => {
  it('takes the options that all registries have', () => {
    const line = `ibm-cloud --port 8080 --api-key ${KEY} --host us.icr.io --certificate c --faults`;
    const { open, ...rest } = read(line);
    expect(rest).to.deep.equal({ title: 'IBM Cloud', port: 8080, certificate: 'c', faults: true });
    expect(open(new VirtualClock(0)).host).to.equal('us.icr.io');
  });

  for (const name of REGISTRY_NAMES)
    it(`${name}: helps, and opens with what it needs and no more`, () => {
      const help = readCommandLine([name, '--help']);
      expect(help).to.deep.include({ exit: 0 });
      expect(help)
        .to.have.property('output')
        .that.matches(/--port <port>/);
      const { title, port, open } = read(`${name} ${NEEDED[name]}`);
      expect({ title, port }).to.deep.equal({ title: REGISTRIES[name].title, port: 0 });
      const fake = open(new VirtualClock(0));
      expect({ host: fake.host, left: fake.left() }).to.deep.equal({ host: undefined, left: [] });
    });

  it('helps with the names of all registries', () => {
    const help = readCommandLine(['--help']);
    for (const name of REGISTRY_NAMES) expect(help).to.have.property('output').that.includes(name);
  });

  it('ibm-registry-tokens: takes several API keys', async () => {
    const line = `ibm-registry-tokens --port 0 --api-key one:${'a'.repeat(32)} --api-key two`;
    for (const key of ['one', 'two']) expect((await exchange(line, key)).status).to.equal(200);
    expect((await exchange(line, 'three')).status).to.equal(400);
  });

  it('ibm-cloud: takes an API key and the account it is for', async () => {
    const { status, body } = await exchange(`ibm-cloud --port 0 --api-key ${KEY} --account the-account`, KEY);
    expect(status).to.equal(200);
    const { access_token: token } = JSON.parse(body) as { access_token: string };
    expect(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).to.include('the-account');
  });

  it('harbor: takes users with their projects, and projects', async () => {
    const line =
      'harbor --port 0 --user admin:secret --user lead:secret:team,other --project team --project third';
    const projects = async (user: string): Promise<string[]> => {
      const headers = { authorization: `Basic ${Buffer.from(`${user}:secret`).toString('base64')}` };
      const { body } = await ask(line, 'GET', '/api/v2.0/projects', headers);
      return (JSON.parse(body) as { name: string }[]).map(({ name }) => name);
    };
    expect(await projects('admin')).to.deep.equal(['team', 'third']);
    expect(await projects('lead')).to.deep.equal(['team']);
  });

  const wrong: [string, string][] = [
    ['bogus --port 0', "unknown command 'bogus'"],
    ['ibm-registry-tokens', "required option '--port <port>' not specified"],
    ['ibm-registry-tokens --port 0', "required option '--api-key <key[:account]>' not specified"],
    ['ibm-registry-tokens --port 65536 --api-key a', "argument '65536' is invalid"],
    ['ibm-registry-tokens --port -1 --api-key a', "argument '-1' is invalid"],
    ['ibm-registry-tokens --port 0 --api-key a --token-lifetime 5', "argument '5' is invalid"],
    ['ibm-registry-tokens --port 0 --api-key a --token-lifetime 0s', "argument '0s' is invalid"],
    ['ibm-registry-tokens --port 0 --api-key a --lifetime 5s', "unknown option '--lifetime'"],
    ['ibm-registry-tokens --port 0 --api-key a b', 'too many arguments'],
    ['ibm-registry-tokens --port 0 --api-key hidden:account', 'an --api-key is neither KEY nor KEY:ACCOUNT'],
    ['ibm-cloud --port 0 --api-key a --project team', "unknown option '--project'"],
    ['ecr --port 0 --access-key hidden', 'an --access-key is not ID:SECRET'],
    ['harbor --port 0 --project team', "required option '--user"],
    ['harbor --port 0 --project team --user hidden', 'a --user is neither NAME:PASSWORD nor'],
  ];
  for (const [line, reason] of wrong) {
    it(`refuses "${line}" in one line`, () => {
      const commandLine = readCommandLine(line.split(' '));
      expect(commandLine).to.deep.include({ exit: 2 });
      expect(commandLine)
        .to.have.property('output')
        .that.matches(/^registry: [^\n]+\n$/)
        .and.includes(reason)
        .and.not.includes('hidden');
    });
  }

  it('without a name helps, and says so by its exit code', () => {
    const commandLine = readCommandLine([]);
    expect(commandLine).to.deep.include({ exit: 2 });
    expect(commandLine)
      .to.have.property('output')
      .that.matches(/^Usage: registry/);
  });
});

describe('npm run registry: process', () => {
  const children: ChildProcess[] = [];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'registry-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  function start(
    ...args: string[]
  ): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    return child;
  }

  async function ended(child: ReturnType<typeof start>): Promise<[number | null, string]> {
    const [errors, [code]] = await Promise.all([
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    return [code, errors];
  }

  for (const [signal, name] of [
    ['SIGINT', 'ibm-cloud'],
    ['SIGTERM', 'harbor'],
    ['SIGINT', 'ecr'],
    ['SIGTERM', 'ibm-registry-tokens'],
  ] as const) {
    it(`${name}: says where it listens, serves, writes the certificate, and stops on ${signal}`, async () => {
      const certificate = join(folder, 'certificate.pem');
      const child = start(name, ...NEEDED[name].split(' '), '--certificate', certificate);
      const end = ended(child);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const [, title, url] = /^(.+) listens on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line.toString()) ?? [];
      expect(title).to.equal(REGISTRIES[name].title);
      expect((await fetch(`${url}/v2/`)).status).to.equal(401);
      expect(readFileSync(certificate, 'utf8')).to.match(/^-----BEGIN CERTIFICATE-----\n/);
      child.kill(signal);
      expect(await end).to.deep.equal([0, '']);
    });
  }

  /** Has a Harbor make a robot account. */
  async function createRobot(url: string): Promise<number> {
    const access = [{ resource: 'repository', action: 'pull' }];
    const permissions = [{ kind: 'project', namespace: 'team', access }];
    const { status } = await fetch(`${url}/api/v2.0/robots`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from('admin:secret').toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name: 'robot', level: 'system', duration: 1, permissions }),
    });
    return status;
  }

  it('tells of tokens, and ends when nobody reads that any more, as for `npm run registry … | head -1`', async () => {
    const command = `set -o pipefail; "${process.execPath}" ${MAIN} harbor ${NEEDED.harbor} | head -1`;
    const shell = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(shell);
    const end = ended(shell);
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    const [, url = ''] = /listens on (\S+)/.exec(line.toString()) ?? [];
    expect(await createRobot(url)).to.equal(201);
    expect(await end).to.deep.equal([0, '']);
  });

  it('ends with 1 and the reason when the state is damaged', async () => {
    const state = join(folder, 'state.json');
    writeFileSync(state, 'damaged');
    const name = 'ibm-registry-tokens';
    const [code, errors] = await ended(start(name, ...NEEDED[name].split(' '), '--state', state));
    expect(code).to.equal(1);
    expect(errors).to.match(/^registry: the state file .* is damaged \(it is not JSON\)[^\n]*\n$/);
    expect(readFileSync(state, 'utf8')).to.equal('damaged');
  });

  it('ends with 2 when asked for what there is not', async () => {
    const [code, errors] = await ended(start('harbor', '--bogus'));
    expect([code, errors.split('\n').length]).to.deep.equal([2, 2]);
  });
});
