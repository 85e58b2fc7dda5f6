/**
 * ECR against moto (https://docs.getmoto.org), another implementation of AWS's APIs, where it is installed. It does not check
 * signatures, and its tokens always end in 2015: it serves for the shapes of requests and answers.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../sandbox/free-port.ts';
import { Redacted } from '../../src/common/redacted.ts';
import { ECR, type EcrBlock } from '../../src/registry/ecr/ecr.ts';
import { HttpClient } from '../../src/registry/http/http-client.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { aRequest } from './support/stage.ts';

const SECRET_KEY = 'a-secret-key-that-moto-does-not-check';
registerSecret(SECRET_KEY);
const { signal } = new AbortController();

async function onPath(program: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (
      await access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

describe('ECR against moto', function () {
  this.timeout(60_000);
  let moto: ChildProcess | undefined;
  let endpoint: string;

  before(async function () {
    if (!(await onPath('moto_server'))) {
      process.stdout.write('      moto_server is not on the PATH: skipped\n');
      this.skip();
    }
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    moto = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    for await (const chunk of moto.stderr as AsyncIterable<Buffer>) {
      told += chunk.toString();
      if (told.includes(`Running on ${endpoint}`)) break;
    }
    if (moto.exitCode !== null) throw new Error(`moto_server ended: ${told}`);
  });
  after(async () => {
    if (!moto || moto.exitCode !== null) return;
    moto.kill('SIGKILL');
    await once(moto, 'exit');
  });

  /** @param part of the block. @returns a connection before moto's tokens end */
  function connection(part: Partial<EcrBlock>): { connect: ReturnType<typeof ECR.connect>; block: EcrBlock } {
    const clock = new VirtualClock(Date.parse('2014-12-31T12:00:00Z'));
    const sender = new HttpClient({ clock, userAgent: 'test', timeout: 20_000 });
    const block: EcrBlock = {
      registryId: '123456789012',
      stsEndpoint: endpoint,
      ...part,
    };
    const keys = {
      accessKeyId: new Redacted('AKIAIOSFODNN7EXAMPLE'),
      secretAccessKey: new Redacted(SECRET_KEY),
      sessionToken: undefined,
      expiresAt: undefined,
    };
    const connect = ECR.connect(
      { name: 'default', block, credentials: { kind: 'keys', keys } },
      { ...aToolbox({ clock, sender }), registryNow: () => clock.now(), environment: {} },
    );
    return { connect, block };
  }

  it('says whose the credentials are', async () => {
    const { connect } = connection({ identityAccess: 'ReadOnly' });
    expect(await connect.verify(signal)).to.deep.equal({ identity: '123456789012' });
  });

  for (const [name, part] of Object.entries<Partial<EcrBlock>>({
    'with a key': { identityAccess: 'ReadOnly' },
    'with a role': { roleArn: 'arn:aws:iam::123456789012:role/puller', externalId: 'an-id' },
  })) {
    it(`gets a token ${name}`, async () => {
      const { connect, block } = connection(part);
      const declared = [{ name: 'eu-central-1', host: 'registry.test', endpoint }];
      const place = ECR.places(block, declared).resolve('eu-central-1');
      if (!place) throw new Error('there is a place');
      const token = await connect.registry(place).issue(aRequest(), signal);
      expect(token).to.include({ username: 'AWS', expiresAt: Date.parse('2015-01-01T00:00:00Z') });
      expect(token.value.reveal()).not.to.equal('');
    });
  }
});
