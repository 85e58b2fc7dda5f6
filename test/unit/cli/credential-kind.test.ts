import { expect } from 'chai';
import { credentialExpiry, credentialKind } from '../../../src/cli/pull-secrets/credential-kind.ts';
import type { RegistryEntry } from '../../../src/cli/pull-secrets/docker-config.ts';
import { Redacted } from '../../../src/common/redacted.ts';

const entry = (username: string, host: string | undefined, password = ''): RegistryEntry => ({
  key: host ?? '',
  host,
  username,
  password: new Redacted(password),
});
const jwt = (claims: object): string =>
  [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
  '.x';

describe('the kind of a credential', () => {
  const kinds: [user: string, host: string | undefined, kind: string | undefined][] = [
    ['iamapikey', 'us.icr.io', 'IBM Cloud API key'],
    ['iambearer', 'us.icr.io', 'IBM Cloud access token'],
    ['Profile-0123', 'de.icr.io', 'IBM Cloud API key for a trusted profile'],
    ['token', 'us.icr.io', 'IBM registry token'],
    ['token', 'registry.ng.bluemix.net', 'IBM registry token'],
    ['token', 'icr.io.example', undefined],
    ['robot$team+pull', 'harbor.example', 'Harbor robot account'],
    ['AWS', '123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'Amazon ECR authorization token'],
    ['_json_key', 'europe-docker.pkg.dev', 'Google service account key'],
    ['oauth2accesstoken', 'europe-docker.pkg.dev', 'Google access token'],
    ['00000000-0000-0000-0000-000000000000', 'x.azurecr.io', 'Azure refresh token'],
    ['gitlab+deploy-token-7', 'registry.gitlab.com', 'GitLab deploy token'],
    ['org+robot', 'quay.io', 'Quay robot account'],
    ['org+robot', 'docker.io', undefined],
    ['somebody', 'docker.io', undefined],
    ['', undefined, undefined],
  ];
  for (const [user, host, kind] of kinds)
    it(`of user ${JSON.stringify(user)} at ${host} is ${kind ?? 'not known'}`, () => {
      expect(credentialKind(entry(user, host))).to.equal(kind);
    });
});

describe('the expiry of a credential', () => {
  it('is that of a JWT', () => {
    expect(credentialExpiry(entry('iambearer', 'us.icr.io', jwt({ exp: 1_800_000_000 })))).to.equal(
      1_800_000_000_000,
    );
  });

  it('is what an authorization token of ECR says beside what is encrypted', () => {
    const content = { payload: 'x', datakey: 'y', version: '2', type: 'DATA_KEY', expiration: 1_757_147_299 };
    const password = Buffer.from(JSON.stringify(content)).toString('base64');
    expect(credentialExpiry(entry('AWS', 'x.example', password))).to.equal(1_757_147_299_000);
    expect(credentialExpiry(entry('me', 'x.example', password))).to.equal(undefined);
  });

  it('is not known of anything else, whatever it claims', () => {
    const values = [
      '',
      'open sesame',
      'a.b.c',
      jwt({}),
      ...[null, '1800000000', -1, 0, 1e300, [], {}].map((exp) => jwt({ exp })),
      jwt({ exp: 1_800_000_000, filler: 'x'.repeat(70_000) }),
    ];
    for (const value of values)
      for (const user of ['me', 'AWS'])
        expect(credentialExpiry(entry(user, 'us.icr.io', value)), value.slice(0, 40)).to.equal(undefined);
    for (const content of ['null', '3', '"x"', '[]', '{"expiration":"soon"}'])
      expect(credentialExpiry(entry('AWS', 'x', Buffer.from(content).toString('base64')))).to.equal(
        undefined,
      );
  });
});
