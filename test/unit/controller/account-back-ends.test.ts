import { expect } from 'chai';
import type { RegistryAccount, RegistryAccountStatus } from '../../../src/api/registry-account.ts';
import { anAccount, anIssuedToken, type Part } from '../../support/builders.ts';
import { AccountStage, RECORDED } from './support/account-stage.ts';

const URL = 'https://harbor.example';
const HARBOR: Part<RegistryAccount['spec']> = { ibmRegistryTokens: undefined, harbor: { url: URL } };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** An account of Harbor, whose credentials are there and work. */
function aHarborStage(status: RegistryAccountStatus = {}): AccountStage {
  const stage = new AccountStage({ spec: HARBOR, status });
  stage.data = { username: base64('robot'), password: base64('key') };
  stage.owner = URL;
  return stage;
}

describe('an account that names, as an old API server takes it,', () => {
  const named: [what: string, spec: Part<RegistryAccount['spec']>, given: string][] = [
    ['no registry', { ibmRegistryTokens: undefined }, 'none'],
    ['two registries', { harbor: { url: URL } }, 'ibmRegistryTokens and harbor'],
  ];
  for (const [what, spec, given] of named)
    it(`${what} is told so: no credentials are tried or used`, async () => {
      const stage = new AccountStage({ spec, status: RECORDED });
      const ready = await stage.ready();
      expect(ready).to.include({ status: 'False', reason: 'InvalidSpec' });
      expect(ready?.message).to.match(/^spec takes exactly one of ibmCloud, ibmRegistryTokens, harbor/);
      expect(ready?.message.endsWith(`; it has ${given}`), ready?.message).to.equal(true);
      expect(stage.sessions.credentials('default')).to.equal(undefined);
      expect([stage.tried, stage.protected]).to.deep.equal([0, []]);
      expect(stage.status, 'whose its credentials were').to.deep.include(RECORDED);
    });

  it('one registry again is used as ever', async () => {
    const stage = new AccountStage({ spec: { harbor: { url: URL } }, status: RECORDED });
    await stage.look();
    stage.account = anAccount({ metadata: { generation: 2 }, status: RECORDED });
    expect(await stage.look()).to.deep.equal({ inUse: true, problem: undefined });
  });
});

describe('whose an account’s credentials are', () => {
  it('is recorded with the registry that said so', async () => {
    const status = await aHarborStage().lookAndStore();
    expect(status?.provider).to.deep.equal({ name: 'harbor', identity: URL });
  });

  it('is recorded anew once the account is one of another registry, whatever tokens are left at the first', async () => {
    const stage = aHarborStage(RECORDED);
    expect(await stage.look()).to.deep.equal({ inUse: true, problem: undefined });
    expect(stage.status.provider).to.deep.equal({ name: 'harbor', identity: URL });
  });

  it('is recorded anew also where the other registry knows accounts too: theirs say nothing of each other', async () => {
    const stage = new AccountStage({
      spec: { ibmRegistryTokens: undefined, ibmCloud: {} },
      status: RECORDED,
    });
    stage.owner = 'two';
    expect(await stage.look()).to.deep.equal({ inUse: true, problem: undefined });
    expect(stage.status.provider).to.deep.equal({ name: 'ibmCloud', identity: 'two' });
  });

  it('stays as it was recorded while the credentials for another registry do not work', async () => {
    const stage = aHarborStage(RECORDED);
    stage.owner = undefined;
    expect(await stage.look()).to.include({ inUse: false });
    expect(stage.status).to.deep.include(RECORDED);
  });

  it('is the registry itself where that has no accounts: another URL gives up what is left at the first', async () => {
    const stage = aHarborStage({ provider: { name: 'harbor', identity: 'https://former.example' } });
    stage.tokens = [anIssuedToken()];
    expect(await stage.look()).to.deep.equal({ inUse: true, problem: undefined });
    expect(stage.status.provider?.identity).to.equal(URL);
  });
});

describe('credentials of an account that are not complete', () => {
  it('are told of with what is missing, and what is there is tried nowhere', async () => {
    for (const data of [
      {},
      { username: base64('robot') },
      { username: base64('robot'), password: base64(' ') },
    ]) {
      const stage = aHarborStage();
      stage.data = data;
      expect(await stage.ready()).to.include({
        status: 'False',
        reason: 'CredentialsInvalid',
        message:
          'credentials Secret system/ibm-cloud is not complete: Harbor needs the keys username and password',
      });
      expect(stage.tried).to.equal(0);
      expect(stage.sessions.credentials('default')).to.equal(undefined);
    }
  });

  it('are told of where the account names no Secret, and its registry needs one', async () => {
    const stage = aHarborStage();
    stage.account = anAccount({ spec: { ...HARBOR, credentialsSecretRef: undefined } });
    expect(await stage.ready()).to.include({
      reason: 'CredentialsNotFound',
      message: 'spec names no credentials Secret: Harbor needs the keys username and password',
    });
    expect(stage.read, 'no Secret is looked for').to.equal('');
  });
});

describe('an account’s secret values', () => {
  it('are kept out of logs, all of them, and what is no secret is not', async () => {
    const stage = aHarborStage();
    await stage.look();
    expect(stage.protected).to.deep.equal(['key']);
  });

  it('are those of its Secret without white space around them', async () => {
    const stage = aHarborStage();
    stage.data = { ...stage.data, password: base64('key\n') };
    await stage.look();
    expect(stage.protected).to.deep.equal(['key']);
  });
});

describe('the Ready condition of an account', () => {
  it('has what the registry says besides, before what else there is to say', async () => {
    const stage = new AccountStage({ spec: { defaultRegion: 'mars' } });
    stage.remark = 'service ID app has 17 of at most 20 API keys';
    expect((await stage.ready())?.message).to.match(
      /^the credentials work for account one; service ID app has 17 of at most 20 API keys; its defaultRegion mars/,
    );
  });

  it('has nothing to say of a default region where the registry has no regions', async () => {
    const stage = aHarborStage();
    stage.account = anAccount({ spec: { ...HARBOR, defaultRegion: 'mars' } });
    expect((await stage.ready())?.message).to.equal(`the credentials work for account ${URL}`);
  });

  it('says that its limits leave no lifetime that its own registry offers', async () => {
    const stage = aHarborStage();
    const limits = { maxLifetime: '12h', allowNeverExpiring: false };
    stage.account = anAccount({ spec: { ...HARBOR, limits } });
    expect(await stage.ready()).to.include({ status: 'False', reason: 'LifetimeNotOffered' });
    expect(stage.status.conditions?.[0]?.message).to.match(/no lifetime that Harbor offers \(24h to /);
  });
});
