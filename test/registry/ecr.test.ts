import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDockerRegistry, type DockerRegistry } from '../../sandbox/docker-registry.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { Ecr } from '../../sandbox/registries/ecr/ecr.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { systemClock, type Clock } from '../../src/common/clock.ts';
import { Redacted } from '../../src/common/redacted.ts';
import type { IssuedToken, Registry } from '../../src/registry/port.ts';
import { ECR } from '../../src/registry/ecr/ecr.ts';
import { aRequest } from '../conformance/support/stage.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { writeImage } from './oci-layout.ts';
import { DENIED, Skopeo, UNAUTHORIZED, type Failure } from './skopeo.ts';

const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
registerSecret(SECRET_KEY);
const ACCOUNT = '123456789012';
const USER = `arn:aws:iam::${ACCOUNT}:user/operator`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/registry`;
const HOUR = 3_600_000;

describe('a registry of CNCF Distribution, with the fake of ECR, for tokens of the back end', () => {
  let folder: string;
  let server: Server;
  let registry: DockerRegistry;
  let skopeo: Skopeo;
  let ecr: Registry;
  /** Milliseconds that AWS is ahead. */
  let ahead = 0;
  const awsClock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };

  before(async function () {
    const missing = await missingPrograms('docker-registry', 'skopeo');
    if (missing.length > 0) {
      process.stdout.write(`    skipped: ${missing.join(' and ')} not on the PATH\n`);
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'registry-'));
    const service = new Ecr({
      clock: awsClock,
      registryId: ACCOUNT,
      region: 'eu-central-1',
      users: [
        {
          arn: USER,
          accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
          secretAccessKey: SECRET_KEY,
          permissions: [{ effect: 'Allow', actions: ['sts:AssumeRole'], resources: [ROLE] }],
        },
      ],
      roles: [
        {
          arn: ROLE,
          trusts: [USER],
          permissions: [{ effect: 'Allow', actions: ['ecr:*'], resources: ['*'] }],
        },
      ],
    });
    server = await serve(service, { port: 0 });
    registry = await startDockerRegistry({ folder, authority: service, authorityUrl: server.url });
    await writeImage(join(folder, 'image'));
    skopeo = new Skopeo(folder, join(folder, 'image'));
    const block = { registryId: ACCOUNT, roleArn: ROLE, stsEndpoint: server.url };
    const declared = [{ name: 'eu-central-1', host: registry.host, endpoint: server.url }];
    const place = ECR.places(block, declared).resolve(undefined);
    const data = new Map([
      ['accessKeyId', new Redacted('AKIAIOSFODNN7EXAMPLE')],
      ['secretAccessKey', new Redacted(SECRET_KEY)],
    ]);
    const read = ECR.readCredentials(data);
    if (!place || 'problem' in read) throw new Error('the account is complete');
    const { credentials } = read;
    const tools = { ...aToolbox(), environment: {} };
    ecr = ECR.connect({ name: 'default', block, credentials }, tools).registry(place);
  });
  after(async () => {
    await registry?.stop();
    await server?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  async function issue(part: Parameters<typeof aRequest>[0]): Promise<IssuedToken> {
    const token = await ecr.issue(aRequest(part), new AbortController().signal);
    registerSecret(token.value.reveal());
    return token;
  }
  function dockerConfig({ username, value }: IssuedToken): string {
    const password = value.reveal();
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    return JSON.stringify({ auths: { [ecr.host]: { username, password, auth } } });
  }
  const push = (token: IssuedToken, name: string): Promise<Failure> =>
    skopeo.push(dockerConfig(token), `${ecr.host}/${name}:1`);
  const pull = (token: IssuedToken, name: string): Promise<Failure> =>
    skopeo.pull(dockerConfig(token), `${ecr.host}/${name}:1`);

  it('pushes and pulls what the session policy allows, nothing else, and nothing once the session has ended', async () => {
    const pusher = await issue({ access: 'ReadWrite', scope: ['team-a/app', 'team-b/app'] });
    const puller = await issue({ scope: ['team-a/app'] });
    for (const name of ['team-a/app', 'team-b/app']) expect(await push(pusher, name)).to.equal(undefined);
    expect(await push(pusher, 'team-c/app')).to.match(DENIED);
    expect(await pull(puller, 'team-a/app')).to.equal(undefined);
    expect(await pull(puller, 'team-b/app')).to.match(DENIED);
    expect(await push(puller, 'team-a/app')).to.match(DENIED);
    ahead = HOUR;
    expect(await pull(puller, 'team-a/app')).to.match(UNAUTHORIZED);
  }).timeout(60_000);
});
