import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import type { VirtualClock } from '../../support/virtual-clock.ts';
import { Authority } from './support/certificates.ts';
import { json, type LoopbackServer } from './support/loopback-server.ts';
import type { Logs } from './support/logs.ts';
import { encode, eventually, failure, useTransports } from './support/transports.ts';

const call = { method: 'GET', path: '/api/v1/pods' };

describe('HTTP transport: credentials', () => {
  const { kubeConfig, open, stage } = useTransports();
  let authority: Authority;
  let server: LoopbackServer;
  let folder: string;
  let clock: VirtualClock;
  let logs: Logs;
  beforeEach(() => {
    ({ authority, server, folder, clock, logs } = stage());
  });
  const tokens = (): unknown[] => server.requests.map(({ headers }) => headers['authorization']);

  it('presents a client certificate', async () => {
    const { certificate, key } = await authority.issue('somebody');
    await open(kubeConfig({ certData: encode(certificate), keyData: encode(key) })).request(call);
    expect(server.requests[0]!.client).to.equal('somebody');
  });

  it('reads a token file again every minute', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'one\n');
    const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
    await transport.request(call);
    await writeFile(tokenFile, 'two\n');
    await clock.advance(59_000);
    await transport.request(call);
    await clock.advance(1_000);
    await transport.request(call);
    expect(tokens()).to.deep.equal(['Bearer one', 'Bearer one', 'Bearer two']);
  });

  it('keeps the token it has while the file cannot be read, and says so', async () => {
    const tokenFile = join(folder, 'vanishing');
    await writeFile(tokenFile, 'one');
    const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
    await transport.request(call);
    await rm(tokenFile);
    await clock.advance(60_000);
    await transport.request(call);
    expect(tokens()).to.deep.equal(['Bearer one', 'Bearer one']);
    expect(logs.messages('warn')).to.deep.equal(['Using the API server credentials read before']);
  });

  it('reads the token at once after a 401 and tries once more', async () => {
    const tokenFile = join(folder, 'expired');
    await writeFile(tokenFile, 'old');
    const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
    await transport.request(call);
    await writeFile(tokenFile, 'new');
    server.answer(({ headers }, response) =>
      json(response, headers['authorization'] === 'Bearer new' ? 200 : 401, {}),
    );
    await transport.request(call);
    expect(tokens()).to.deep.equal(['Bearer old', 'Bearer old', 'Bearer new']);
  });

  it('gives up when the renewed credentials are refused too', async () => {
    server.answer((_, response) =>
      json(response, 401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' }),
    );
    const error = await failure(open().request(call));
    expect(error.status).to.equal(401);
    expect(server.requests).to.have.length(2);
  });

  it('asks an exec plugin again after a 401, once for all calls that were refused', async () => {
    const count = join(folder, 'runs');
    const script = join(folder, 'plugin.cjs');
    await writeFile(count, '');
    await writeFile(
      script,
      `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(count)}, 'x');
       const token = 'run-' + fs.readFileSync(${JSON.stringify(count)}).length;
       console.log(JSON.stringify({apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: {token}}))`,
    );
    const transport = open(kubeConfig({ exec: { command: process.execPath, args: [script] } }));
    server.answer(({ headers }, response) =>
      json(response, headers['authorization'] === 'Bearer run-2' ? 200 : 401, {}),
    );
    await Promise.all([transport.request(call), transport.request(call), transport.request(call)]);
    expect(new Set(tokens())).to.deep.equal(new Set(['Bearer run-1', 'Bearer run-2']));
  });

  describe('a plugin that hangs', () => {
    /** A plugin that gives `run-1`, and hangs while the file that this gives is there. */
    async function aPlugin(): Promise<{
      config: KubeConfig;
      obstacle: string;
      runs: () => Promise<number>;
      isRunning: () => Promise<boolean>;
    }> {
      const own = await mkdtemp(join(folder, 'plugin-'));
      const [obstacle, count, script] = [join(own, 'obstacle'), join(own, 'count'), join(own, 'plugin.cjs')];
      const pids = join(own, 'pids');
      await writeFile(count, '');
      await writeFile(
        script,
        `const fs = require('fs');
         const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' });
         fs.writeFileSync(${JSON.stringify(pids)}, [process.pid, child.pid].join());
         fs.appendFileSync(${JSON.stringify(count)}, 'x');
         const run = fs.readFileSync(${JSON.stringify(count)}).length;
         const end = () => {
           console.log(JSON.stringify({ status: {
             token: 'run-' + run, expirationTimestamp: new Date(0).toISOString() } }));
           child.kill();
         };
         const wait = () => fs.existsSync(${JSON.stringify(obstacle)}) ? setTimeout(wait, 10) : end();
         wait();`,
      );
      const config = kubeConfig({ exec: { command: process.execPath, args: [script] } });
      return {
        config,
        obstacle,
        runs: async () => (await readFile(count, 'utf8')).length,
        isRunning: async () =>
          (await readFile(pids, 'utf8')).split(',').some((pid) => isRunning(Number(pid))),
      };
    }
    let plugin: Awaited<ReturnType<typeof aPlugin>>;
    beforeEach(async () => {
      plugin = await aPlugin();
    });
    afterEach(() => rm(plugin.obstacle, { force: true }));

    it('holds no call up for longer than its time', async () => {
      await writeFile(plugin.obstacle, '');
      const late = failure(open(plugin.config).request({ ...call, timeout: 500 }));
      await clock.advance(500);
      expect((await late).message).to.equal('GET /api/v1/pods: no answer within 0.5 s');
    });

    for (const kind of ['call', 'watch'] as const)
      it(`lets go of a ${kind} that is not wanted any more`, async () => {
        await writeFile(plugin.obstacle, '');
        const stop = new AbortController();
        const transport = open(plugin.config);
        const { signal } = stop;
        const going =
          kind === 'call'
            ? transport.request({ ...call, signal })
            : firstLine(transport.stream({ ...call, stallLimit: 1000, signal }));
        const end = going.catch((error: unknown) => error);
        stop.abort(new Error('enough'));
        expect(await end).to.have.property('message', 'enough');
      });

    it('is killed after half a minute with what it has started, and the next call starts another', async () => {
      await writeFile(plugin.obstacle, '');
      const transport = open(plugin.config);
      const first = failure(transport.request(call));
      await eventually(async () => (await plugin.runs()) === 1);
      await clock.advance(30_000);
      expect((await first).message).to.contain('"u" (nothing came within 30 s)');
      await eventually(async () => !(await plugin.isRunning()));
      await rm(plugin.obstacle);
      await transport.request(call);
      expect(tokens()).to.deep.equal(['Bearer run-2']);
    });

    it('delays others by five seconds at most while there are credentials to go on with', async () => {
      const transport = open(plugin.config);
      await transport.request(call);
      await writeFile(plugin.obstacle, '');
      await clock.advance(60_000);
      const second = transport.request(call);
      await eventually(async () => (await plugin.runs()) === 2);
      await clock.advance(5_000);
      await second;
      expect(tokens()).to.deep.equal(['Bearer run-1', 'Bearer run-1']);
      expect(logs.messages('warn')).to.deep.equal(['Using the API server credentials read before']);
    });

    it('holds up a call whose credentials were refused no longer than its time either', async () => {
      const transport = open(plugin.config);
      await transport.request(call);
      await writeFile(plugin.obstacle, '');
      server.answer((_, response) => json(response, 401, {}));
      const late = failure(transport.request({ ...call, timeout: 500 }));
      await eventually(async () => (await plugin.runs()) === 2);
      await clock.advance(500);
      expect((await late).message).to.equal('GET /api/v1/pods: no answer within 0.5 s');
    });
  });

  for (const { life, runs, about } of [
    { life: 3600, runs: [1, 1, 1, 1, 1, 1], about: 'not while its token is good for long' },
    { life: 90, runs: [1, 1, 1, 2, 2, 2], about: 'before its token expires' },
    {
      life: 0,
      runs: [1, 2, 3, 4, 5, 6],
      about: 'every ten seconds at most for a token that is dead already',
    },
  ])
    it(`asks an exec plugin again, ${about}`, async () => {
      const count = join(folder, `expiring-${life}`);
      await writeFile(count, '');
      const script = `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(count)}, 'x');
        const run = fs.readFileSync(${JSON.stringify(count)}).length;
        const seconds = run === 1 ? ${life} : ${life * 2};
        const expirationTimestamp = new Date(${clock.now()} + seconds * 1000).toISOString();
        console.log(JSON.stringify({ status: { token: 'run-' + run, expirationTimestamp } }))`;
      const transport = open(kubeConfig({ exec: { command: process.execPath, args: ['-e', script] } }));
      for (const _ of runs) {
        await transport.request(call);
        await transport.request(call);
        await clock.advance(life === 0 ? 10_000 : 25_000);
      }
      expect(tokens()).to.deep.equal(runs.flatMap((run) => [`Bearer run-${run}`, `Bearer run-${run}`]));
    });

  for (const { printed, reason } of [
    { printed: 'hush', reason: 'its command printed no ExecCredential with a status' },
    { printed: '{"kind":"ExecCredential"}', reason: 'its command printed no ExecCredential with a status' },
    {
      printed: '{"status":{"clientKeyData":"hush"}}',
      reason: 'its command gave neither a token nor a certificate with its key',
    },
  ])
    it(`asks an exec plugin again that printed ${printed}`, async () => {
      const output = join(folder, 'output');
      await writeFile(output, printed);
      const script = `process.stdout.write(require('fs').readFileSync(${JSON.stringify(output)}))`;
      const transport = open(kubeConfig({ exec: { command: process.execPath, args: ['-e', script] } }));
      expect((await failure(transport.request(call))).message).to.equal(
        `Cannot read the credentials of kubeconfig user "u" (${reason}): check the files and commands it names`,
      );
      await writeFile(output, '{"status":{"token":"mended"}}');
      await transport.request(call);
      expect(tokens()).to.deep.equal(['Bearer mended']);
    });

  it("presents an exec plugin's client certificate", async () => {
    const { certificate, key } = await authority.issue('plugin');
    const status = { clientCertificateData: certificate, clientKeyData: key };
    const script = `console.log(${JSON.stringify(JSON.stringify({ status }))})`;
    await open(kubeConfig({ exec: { command: process.execPath, args: ['-e', script] } })).request(call);
    expect(server.requests[0]!.client).to.equal('plugin');
    expect(tokens()).to.deep.equal([undefined]);
  });

  it('does not tell what a failing plugin printed', async () => {
    const exec = {
      command: process.execPath,
      args: ['-e', 'console.error("token=hush"); process.exit(1)'],
    };
    const error = await failure(open(kubeConfig({ exec })).request(call));
    expect(error.message)
      .to.match(/^Cannot read the credentials of kubeconfig user "u" \(its command ended with exit code 1\)/)
      .and.not.contain('hush');
  });

  it('connects anew when the certificate or the authority in its file changes', async () => {
    const [certFile, keyFile, caFile] = ['crt', 'key', 'ca'].map((name) =>
      join(folder, `rotated.${name}`),
    ) as [string, string, string];
    const put = async (name: string): Promise<void> => {
      const { certificate, key } = await authority.issue(name);
      await Promise.all([writeFile(certFile, certificate), writeFile(keyFile, key)]);
    };
    await put('first');
    await writeFile(caFile, authority.certificate);
    const transport = open(kubeConfig({ certFile, keyFile }, { caFile, caData: undefined }));
    await transport.request(call);
    await put('second');
    await clock.advance(60_000);
    await transport.request(call);
    await clock.advance(60_000);
    await transport.request(call);
    const stranger = await Authority.create('stranger');
    await writeFile(caFile, stranger.certificate);
    await clock.advance(60_000);
    await failure(transport.request(call));
    expect(server.requests.map(({ client }) => client)).to.deep.equal(['first', 'second', 'second']);
  });
});

/** Whether a process runs; one that nobody waited for when it ended does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function firstLine(lines: AsyncIterable<string>): Promise<string | undefined> {
  for await (const line of lines) return line;
  return undefined;
}
