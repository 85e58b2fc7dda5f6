import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { readCommandLine } from '../../../../sandbox/registries/ibm-registry-tokens/command-line.ts';
import { EXCHANGE_FORM } from './fixture.ts';

const MAIN = 'sandbox/registries/ibm-registry-tokens/main.ts';
const NEEDED = ['--port', '0', '--api-key', EXCHANGE_FORM.apikey];

describe('token service: command line', () => {
  it('takes every option', () => {
    const account = 'a'.repeat(32);
    const line = `--port 8080 --api-key one:${account} --api-key two --token-lifetime 1h30m --host us.icr.io --state s --certificate c --faults`;
    const commandLine = readCommandLine(line.split(' '));
    expect(commandLine).to.deep.equal({
      arguments: {
        port: 8080,
        apiKeys: [
          { key: 'one', accountId: account },
          { key: 'two', accountId: '3fc4ccfe745870e2c0d99f71f30ff065' },
        ],
        tokenLifetime: 5_400_000,
        host: 'us.icr.io',
        state: 's',
        certificate: 'c',
        faults: true,
      },
    });
  });

  it('helps', () => {
    const commandLine = readCommandLine(['--help']);
    expect(commandLine).to.deep.include({ exit: 0 });
    expect(commandLine)
      .to.have.property('output')
      .that.matches(/--token-lifetime <duration>/);
  });

  const wrong: [string, string][] = [
    ['', "required option '--port <port>' not specified"],
    ['--port 0', "required option '--api-key <key[:account]>' not specified"],
    ['--port 65536 --api-key a', "argument '65536' is invalid"],
    ['--port -1 --api-key a', "argument '-1' is invalid"],
    ['--port 0 --api-key a --token-lifetime 5', "argument '5' is invalid"],
    ['--port 0 --api-key a --token-lifetime 0s', "argument '0s' is invalid"],
    ['--port 0 --api-key a --lifetime 5s', "unknown option '--lifetime'"],
    ['--port 0 --api-key a b', 'too many arguments'],
    ['--port 0 --api-key hidden:account', 'an --api-key is neither KEY nor KEY:ACCOUNT'],
  ];
  for (const [line, reason] of wrong) {
    it(`refuses "${line}" in one line`, () => {
      const commandLine = readCommandLine(line.split(' ').filter(Boolean));
      expect(commandLine).to.deep.include({ exit: 2 });
      expect(commandLine)
        .to.have.property('output')
        .that.matches(/^token-service: [^\n]+\n$/)
        .and.includes(reason)
        .and.not.includes('hidden');
    });
  }
});

describe('token service: process', () => {
  const children: ChildProcess[] = [];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-service-'));
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

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`says where it listens, serves, writes the certificate, and stops on ${signal}`, async () => {
      const certificate = join(folder, 'certificate.pem');
      const child = start(...NEEDED, '--certificate', certificate);
      const end = ended(child);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const url = /^token service listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line.toString())?.[1];
      const body = new URLSearchParams(EXCHANGE_FORM);
      expect((await fetch(`${url}/identity/token`, { method: 'POST', body })).status).to.equal(200);
      expect(readFileSync(certificate, 'utf8')).to.match(/^-----BEGIN CERTIFICATE-----\n/);
      child.kill(signal);
      expect(await end).to.deep.equal([0, '']);
    });
  }

  it('ends with 1 and the reason when the state is damaged', async () => {
    const state = join(folder, 'state.json');
    writeFileSync(state, 'damaged');
    const [code, errors] = await ended(start(...NEEDED, '--state', state));
    expect(code).to.equal(1);
    expect(errors).to.match(/^token-service: the state file .* is damaged \(it is not JSON\)[^\n]*\n$/);
    expect(readFileSync(state, 'utf8')).to.equal('damaged');
  });

  it('ends with 2 when asked for what it has not', async () => {
    const [code, errors] = await ended(start('--bogus'));
    expect([code, errors.split('\n').length]).to.deep.equal([2, 2]);
  });
});
