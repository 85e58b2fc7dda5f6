import { expect } from 'chai';
import { checked, loginsOf, namesCover } from '../../../src/cli/check/logins.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { dockerConfig } from '../../../src/token/secret/secret.ts';
import { CliStage, forbidden } from './support/cli-stage.ts';
import { around, readyToken, SECRET, writtenSecret } from './support/objects.ts';

const token = readyToken();
const nothing = { repositories: [], push: undefined };
const secretFor = (...hosts: string[]) => {
  const credential = { tokenId: 'token-3', username: 'iamapikey', value: new Redacted('a-value-of-a-token') };
  const payload = Buffer.from(dockerConfig(hosts, credential)).toString('base64');
  return { ...writtenSecret(token), data: { '.dockerconfigjson': payload } };
};

describe('the logins that are checked', () => {
  it('are those of the hosts of the Secret, with the access and scope of the token', () => {
    const logins = loginsOf(token, secretFor('us.icr.io', 'mirror.test:5000', '*.example.com'), nothing);
    expect(logins.map(({ host }) => host)).to.deep.equal(['us.icr.io', 'mirror.test:5000']);
    expect(logins[0]?.attempt).to.deep.include({
      username: 'iamapikey',
      access: 'ReadOnly',
      scope: ['team-a'],
    });
    expect(logins[0]?.place).to.deep.equal({
      region: 'us-south',
      host: 'us.icr.io',
      endpoint: 'https://us.icr.io',
    });
  });

  it('ask for what is wished in place of what the token is for', () => {
    const wish = { repositories: ['team-b/app'], push: true };
    expect(loginsOf(token, secretFor('us.icr.io'), wish)[0]?.attempt).to.deep.include({
      access: 'ReadWrite',
      scope: ['team-b/app'],
    });
    expect(namesCover(wish, undefined)).to.equal('repository');
  });

  it('name no user that is the password too', () => {
    const credential = { username: 'the-token-of-bob', password: 'the-token-of-bob' };
    const payload = JSON.stringify({ auths: { 'ghcr.io': credential } });
    const secret = {
      ...writtenSecret(token),
      data: { '.dockerconfigjson': Buffer.from(payload).toString('base64') },
    };
    const [login] = loginsOf(token, secret, nothing);
    expect(login && checked(login, { answer: 'accepted' })).to.include({
      host: 'ghcr.io',
      user: '[redacted]',
    });
  });

  for (const [what, secret, message] of [
    [
      'holds nothing that kubelet reads',
      { ...writtenSecret(token), data: {} },
      "kubelet can't read Secret app-pull: it has no .dockerconfigjson",
    ],
    ['holds patterns only', secretFor('*.example.com'), 'Secret app-pull has no host that can be asked'],
  ] as const)
    it(`are none of a Secret that ${what}`, () => {
      expect(() => loginsOf(token, secret, nothing)).to.throw(message);
    });
});

describe('kubectl registrytoken check', () => {
  it('fails where there is no Secret, or where it may not be read', async () => {
    const { [`GET ${SECRET}`]: _, ...without } = around(token);
    expect(await new CliStage(without).run(['check', 'app-pull'])).to.include({
      exit: 1,
      err: 'error: there is no Secret app-pull\nto do: kubectl registrytoken why app-pull -n team-a\n',
    });
    const refused = { ...without, [`GET ${SECRET}`]: forbidden('get', SECRET, 'secrets', 'team-a') };
    expect((await new CliStage(refused).run(['check', 'app-pull'])).err).to.match(
      /^error: you may not get secrets in namespace team-a /,
    );
  });
});
