import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ecr } from '../../../../sandbox/registries/ecr/ecr.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { IssuedToken } from '../../../../src/registry/port.ts';
import { ECR, type EcrBlock } from '../../../../src/registry/ecr/ecr.ts';
import type { Environment } from '../../../../src/registry/ecr/identity.ts';
import type { RegistryError } from '../../../../src/registry/errors.ts';
import { FakeSender } from '../../../conformance/support/fake-sender.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const SECRET_KEY = 'secret-key-of-the-agent-1234567890';
const AGENT_TOKEN = 'a-token-for-the-agent-on-the-node';
for (const secret of [SECRET_KEY, AGENT_TOKEN]) registerSecret(secret);
const POD_ROLE = 'arn:aws:iam::123456789012:role/operator';
const BLOCK: EcrBlock = { registryId: '123456789012', identityAccess: 'ReadOnly' };

const dataOf = (values: Record<string, string>): ReadonlyMap<string, Redacted> =>
  new Map(Object.entries(values).map(([key, value]) => [key, new Redacted(value)]));

describe('the credentials of an ECR account', () => {
  it('are the keys in its Secret, without the line breaks that copying leaves', () => {
    const read = ECR.readCredentials(
      dataOf({ accessKeyId: 'AKIA\n', secretAccessKey: ` ${SECRET_KEY}\n`, sessionToken: '' }),
    );
    if ('problem' in read || read.credentials.kind !== 'keys') return expect.fail('there are keys');
    const { keys } = read.credentials;
    expect(keys.accessKeyId.reveal()).to.equal('AKIA');
    expect(keys.secretAccessKey.reveal()).to.equal(SECRET_KEY);
    expect(keys.sessionToken).to.equal(undefined);
  });

  it("are the pod's without a Secret", () => {
    expect(ECR.readCredentials(undefined)).to.deep.equal({ credentials: { kind: 'pod' } });
  });

  const problems: [why: string, values: Record<string, string>, words: RegExp][] = [
    [
      'no secret key',
      { accessKeyId: 'AKIA' },
      /accessKeyId and secretAccessKey .* leave credentialsSecretRef out/,
    ],
    ['an empty access key', { accessKeyId: ' ', secretAccessKey: SECRET_KEY }, /accessKeyId/],
  ];
  for (const [why, values, words] of problems) {
    it(`are not there with ${why}, and what to do is told`, () => {
      const read = ECR.readCredentials(dataOf(values));
      expect('problem' in read ? read.problem : '').to.match(words);
    });
  }
});

describe("the pod's own identity at AWS", () => {
  const clock = new VirtualClock(Date.now());
  let folder: string;
  let agent: Server;
  let uri: string;
  let answer: { status: number; body: string };
  let authorization: string | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ecr-'));
    await writeFile(join(folder, 'token'), AGENT_TOKEN);
    agent = createServer((request, response) => {
      authorization = request.headers.authorization;
      response.writeHead(answer.status).end(answer.body);
    });
    await once(agent.listen(0, '127.0.0.1'), 'listening');
    uri = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/v1/credentials`;
  });
  after(async () => {
    agent.closeAllConnections();
    agent.close();
    await rm(folder, { recursive: true });
  });

  const fake = new Ecr({
    clock,
    registryId: '123456789012',
    region: 'eu-central-1',
    users: [],
    roles: [
      {
        arn: POD_ROLE,
        trusts: [],
        webIdentityTokens: [AGENT_TOKEN],
        permissions: [{ effect: 'Allow', actions: ['ecr:*'], resources: ['*'] }],
      },
    ],
  });
  function issue(environment: Environment): Promise<IssuedToken> {
    const place = ECR.places(BLOCK, []).resolve('eu-central-1');
    if (!place) throw new Error('there is a place');
    const sender = new FakeSender(new Map([[place.endpoint, fake]]), clock);
    return ECR.connect(
      { name: 'default', block: BLOCK, credentials: { kind: 'pod' } },
      { ...aToolbox({ clock, sender }), environment },
    )
      .registry(place)
      .issue(aRequest(), new AbortController().signal);
  }
  /** What the agent gets for the pod: keys of a session of its role. */
  async function keysOfPod(): Promise<object> {
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: POD_ROLE,
      RoleSessionName: 'eks-pod',
      WebIdentityToken: AGENT_TOKEN,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { body } = await fake.handle({ method: 'POST', path: '/', headers, body: form.toString() });
    const part = (name: string): string => new RegExp(`<${name}>([^<]+)`).exec(body)?.[1] ?? '';
    return {
      AccessKeyId: part('AccessKeyId'),
      SecretAccessKey: part('SecretAccessKey'),
      Token: part('SessionToken'),
      Expiration: part('Expiration'),
    };
  }
  const ofAgent = (): Environment => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'token'),
  });
  const failureOf = (promise: Promise<unknown>): Promise<RegistryError> =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error: unknown) => error as RegistryError,
    );

  it("is asked of the EKS Pod Identity Agent with the pod's token", async () => {
    answer = { status: 200, body: JSON.stringify(await keysOfPod()) };
    const token = await issue(ofAgent());
    registerSecret(token.value.reveal());
    expect(token.username).to.equal('AWS');
    expect((token.expiresAt ?? 0) - clock.now()).to.be.within(3_590_000, 3_600_000);
    expect(authorization).to.equal(AGENT_TOKEN);
  });

  const refusals: [status: number, body: string, code: string, words: RegExp][] = [
    [
      403,
      '{"Code":"AccessDenied","Message":"no association"}',
      'Unauthorized',
      /it answered 403; check the pod identity association/,
    ],
    [500, '', 'Unavailable', /it answered 500/],
    [200, '{}', 'Unavailable', /CredentialsProviderError/],
    [200, 'no JSON', 'Unavailable', /CredentialsProviderError|SyntaxError/],
  ];
  for (const [status, body, code, words] of refusals) {
    it(`is not there when the agent answers ${status} ${body}: ${code}`, async () => {
      answer = { status, body };
      const error = await failureOf(issue(ofAgent()));
      expect(error).to.have.property('code', code);
      expect(error.message).to.match(words);
    });
  }

  it('is never asked of a host elsewhere without TLS', async () => {
    const error = await failureOf(
      issue({ ...ofAgent(), AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://203.0.113.1/credentials' }),
    );
    expect(error).to.have.property('code', 'Unavailable');
  });

  it('is not there when its token can not be read, which is told', async () => {
    const error = await failureOf(
      issue({
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/x',
        AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'none'),
      }),
    );
    expect(error).to.have.property('code', 'Unavailable');
    expect(error.message).to.match(
      /could not assume the pod's role .* the request could not be made \(ENOENT\)/,
    );
  });
});
