import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ecr } from '../../sandbox/registries/ecr/ecr.ts';
import type { Role, User } from '../../sandbox/registries/ecr/principals.ts';
import { expect } from 'chai';
import { Redacted } from '../../src/common/redacted.ts';
import { ECR, type EcrBlock } from '../../src/registry/ecr/ecr.ts';
import type { EcrCredentials } from '../../src/registry/ecr/credentials.ts';
import { CircuitBreaker } from '../../src/registry/http/circuit-breaker.ts';
import { LoginProbe } from '../../src/registry/login-probe/login-probe.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { describeExchanged, type ExchangeStage } from './exchanged.ts';
import { FakeSender } from './support/fake-sender.ts';
import { aRequest, granted } from './support/stage.ts';

const REGISTRY_ID = '123456789012';
const REGION = 'eu-central-1';
const PULLER = `arn:aws:iam::${REGISTRY_ID}:role/puller`;
const POD_ROLE = `arn:aws:iam::${REGISTRY_ID}:role/operator`;
const ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE';
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const POD_TOKEN = 'a-token-that-the-cluster-gave-the-pod';
for (const secret of [SECRET_KEY, POD_TOKEN]) registerSecret(secret);

const LOGIN = {
  effect: 'Allow',
  actions: ['ecr:GetAuthorizationToken', 'ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken'],
  resources: ['*'],
} as const;
const EVERYTHING = { effect: 'Allow', actions: ['ecr:*', 'ecr-public:*'], resources: ['*'] } as const;
const PULL = {
  effect: 'Allow',
  actions: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
  resources: ['*'],
} as const;
const ASSUME = { effect: 'Allow', actions: ['sts:AssumeRole'], resources: [PULLER] } as const;

const operator = (permissions: User['permissions']): User => ({
  arn: `arn:aws:iam::${REGISTRY_ID}:user/operator`,
  accessKeyId: ACCESS_KEY,
  secretAccessKey: SECRET_KEY,
  permissions,
});
const puller: Role = {
  arn: PULLER,
  trusts: [`arn:aws:iam::${REGISTRY_ID}:user/operator`, POD_ROLE],
  externalId: 'registry-token-operator',
  maxSessionDuration: 6 * 3_600_000,
  permissions: [LOGIN, EVERYTHING],
};
const podRole = (permissions: Role['permissions']): Role => ({
  arn: POD_ROLE,
  trusts: [],
  webIdentityTokens: [POD_TOKEN],
  permissions,
});

interface Setup {
  block: Partial<EcrBlock>;
  users?: User[];
  roles?: Role[];
  pod?: boolean;
  exchange: string[];
}
const WITH_ROLE = { roleArn: PULLER, externalId: 'registry-token-operator' };

const SETUPS: Readonly<Record<string, Setup>> = {
  'with a key and a role': {
    block: { ...WITH_ROLE, roleSessionDuration: '6h' },
    users: [operator([ASSUME])],
    roles: [puller],
    exchange: ['assumeRole', 'mint'],
  },
  'with a key that can pull': {
    block: { identityAccess: 'ReadOnly' },
    users: [operator([LOGIN, PULL])],
    exchange: ['mint'],
  },
  'with a key that can push': {
    block: { identityAccess: 'ReadWrite' },
    users: [operator([LOGIN, EVERYTHING])],
    exchange: ['mint'],
  },
  "with the pod's role, which can pull": {
    block: { identityAccess: 'ReadOnly' },
    roles: [podRole([LOGIN, PULL])],
    pod: true,
    exchange: ['assumeRoleWithWebIdentity', 'mint'],
  },
  "with the pod's role and a role that it assumes": {
    block: WITH_ROLE,
    roles: [podRole([ASSUME]), puller],
    pod: true,
    exchange: ['assumeRoleWithWebIdentity', 'assumeRole', 'mint'],
  },
  'in public, with a key that can push': {
    block: { public: true, identityAccess: 'ReadWrite' },
    users: [operator([LOGIN, EVERYTHING])],
    exchange: ['mintPublic'],
  },
};

describe('ECR', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ecr-'));
    await writeFile(join(folder, 'token'), POD_TOKEN);
  });
  after(() => rm(folder, { recursive: true }));

  for (const [name, setup] of Object.entries(SETUPS))
    describeExchanged(`ECR, ${name}`, () => prepare(setup, join(folder, 'token')));

  for (const name of ['with a key and a role', 'in public, with a key that can push']) {
    it(`${name}: a token is accepted where docker logs in`, async () => {
      const setup = SETUPS[name];
      if (!setup) throw new Error('there is such a setup');
      const { clock, fake, connect } = await prepare(setup, '');
      const registry = connect();
      const { signal } = new AbortController();
      const token = await registry.issue(aRequest({ access: 'ReadWrite' }), signal);
      registerSecret(token.value.reveal());
      const probe = new LoginProbe({
        http: new FakeSender(new Map([[`http://${registry.host}`, fake]]), clock),
        clock,
        metrics: { requested: () => undefined },
        breaker: new CircuitBreaker({ clock, subject: 'registry' }),
        account: 'default',
        place: { region: REGION, host: registry.host, endpoint: `http://${registry.host}` },
        namesCover: registry.capabilities.scope?.covers,
      });
      const login = { username: token.username, access: 'ReadWrite', scope: [] } as const;
      expect(await probe.try({ ...login, password: token.value }, signal)).to.deep.equal({
        answer: 'accepted',
      });
      const password = new Redacted('none of its tokens');
      expect((await probe.try({ ...login, password }, signal)).answer).not.to.equal('accepted');
    });
  }
});

function prepare(
  { block: part, users = [], roles = [], pod = false, exchange }: Setup,
  tokenFile: string,
): Promise<ExchangeStage> {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const block: EcrBlock = { registryId: REGISTRY_ID, ...part };
  const place = ECR.places(block, []).resolve(block.public ? undefined : REGION);
  if (!place) throw new Error('ECR has a place');
  const fake = new Ecr({
    clock,
    registryId: REGISTRY_ID,
    region: block.public ? 'us-east-1' : REGION,
    public: block.public ?? false,
    host: place.host,
    users,
    roles,
  });
  let tokens = 0;
  fake.on('issued', () => tokens++);
  const sts = [`https://sts.${REGION}.amazonaws.com`, 'https://sts.us-east-1.amazonaws.com'];
  const sender = new FakeSender(new Map([place.endpoint, ...sts].map((origin) => [origin, fake])), clock);
  const credentials: EcrCredentials = pod
    ? { kind: 'pod' }
    : {
        kind: 'keys',
        keys: {
          accessKeyId: new Redacted(ACCESS_KEY),
          secretAccessKey: new Redacted(SECRET_KEY),
          sessionToken: undefined,
          expiresAt: undefined,
        },
      };
  const environment = pod
    ? { AWS_ROLE_ARN: POD_ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_REGION: REGION }
    : {};
  const connection = (guard?: () => void) =>
    ECR.connect(
      { name: 'default', block, credentials },
      { ...aToolbox({ clock, sender, guard }), environment },
    );
  return Promise.resolve({
    clock,
    sender,
    fake,
    connect: (guard) => connection(guard).registry(place),
    verify: (guard) => connection(guard).verify(new AbortController().signal),
    scopes: ['team-a/app', 'team-b/app'],
    outside: 'team-c/app',
    exchange,
    granted: (token, repository) => granted({ fake, realm: '/token' }, token, repository),
    issued: () => tokens,
  });
}
