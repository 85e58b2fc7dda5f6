import { expect } from 'chai';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { anAccount, anIssuedToken, type Part, PLACE } from '../../support/builders.ts';
import { AccountStage, RECORDED } from './support/account-stage.ts';

describe('the key of an account is in use', () => {
  it('when it is the recorded account’s', async () => {
    expect(await new AccountStage().look()).to.deep.equal({ inUse: true, problem: undefined });
  });

  it('when no account is recorded yet, though nobody can say whose it is', async () => {
    const stage = new AccountStage({});
    stage.owner = undefined;
    expect(await stage.look()).to.include({ inUse: true });
  });

  it('while nobody can say whose it is, if that was known before', async () => {
    const stage = new AccountStage();
    await stage.look();
    stage.owner = undefined;
    expect(await stage.look()).to.include({ inUse: true });
  });

  it('when it is another account’s that the spec names, or of whose tokens none is left', async () => {
    const named = new AccountStage({
      spec: { ibmRegistryTokens: { accountId: 'two' } },
      status: RECORDED,
    });
    const empty = new AccountStage();
    empty.tokens = [anIssuedToken({ status: { token: undefined } })];
    for (const stage of [named, empty]) {
      stage.owner = 'two';
      expect(await stage.look()).to.include({ inUse: true });
    }
  });
});

describe('what an account asks for and can not have', () => {
  it('is told where its defaultRegion is none of its regions; its tokens may name others', async () => {
    const stage = new AccountStage({ spec: { defaultRegion: 'mars' } });
    expect(await stage.look()).to.deep.equal({ inUse: true, problem: undefined });
    expect(stage.written).to.match(
      /the credentials work for account one; its defaultRegion mars is none of its regions \(.*us-south.*\), so RegistryTokens have to name one/,
    );
  });

  it('is told to list a region where there is none that a RegistryToken could name', async () => {
    const stage = new AccountStage({
      spec: { ibmRegistryTokens: { iamEndpoint: 'https://iam.example' }, regions: [] },
    });
    await stage.look();
    expect(stage.written)
      .to.include(
        "it has no region, so no RegistryToken gets a token: list one in spec.regions, since its endpoint is not the registry's own",
      )
      .and.not.include('name one');
  });

  it('is not told of a defaultRegion that there is', async () => {
    const stage = new AccountStage({ spec: { defaultRegion: 'eu-central' } });
    await stage.look();
    expect(stage.written).to.include('CredentialsAccepted').and.not.include('defaultRegion');
  });

  for (const [what, spec, message] of [
    [
      'a host that is none',
      { regions: [{ name: 'here', host: 'us.icr.io/team' }] },
      'spec.regions holds host "us.icr.io/team"; it takes the host of a registry as in images\' names, in lower case, such as us.icr.io, registry:5000 or [fd00::1]:5000',
    ],
    [
      'a maximum in days',
      { limits: { maxLifetime: '7d' } },
      'spec.limits.maxLifetime is "7d"; it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s; a day is 24h',
    ],
    [
      'a maximum that no token can keep to',
      { limits: { maxLifetime: '30s' } },
      'spec.limits.maxLifetime is "30s"; it takes at least 1m',
    ],
  ] as const) {
    it(`is no reason to use its key: ${what}, which an old API server takes`, async () => {
      const stage = new AccountStage({ spec } as Part<RegistryAccount>);
      expect(await stage.look()).to.deep.equal({ inUse: false, problem: message });
      expect(stage.written).to.include('InvalidSpec');
    });
  }
});

describe('the key of an account is not in use', () => {
  it('before it is known whose it is, where tokens are another’s perhaps', async () => {
    const stage = new AccountStage();
    await stage.look();
    Object.assign(stage, { owner: undefined, secretVersion: '2' });
    expect(await stage.look()).to.include({ inUse: false });
  });

  const left: [string, Part<RegistryAccount>['status'], RegistryToken[]][] = [
    ['a token in force', {}, [anIssuedToken()]],
    [
      'a token in force of which its status says that nobody can revoke it',
      {},
      [anIssuedToken({ status: { token: { revocable: false } } })],
    ],
    [
      'a token that is kept on purpose',
      { retainedTokens: [{ id: 'a', region: 'r', place: PLACE, namespace: 'n', name: 'x' }] },
      [],
    ],
  ];
  for (const [what, status, tokens] of left) {
    it(`when it is another account's, as long as there is ${what}`, async () => {
      const stage = new AccountStage({ status: { ...RECORDED, ...status } });
      Object.assign(stage, { owner: 'two', tokens });
      expect(await stage.look()).to.deep.equal({
        inUse: false,
        problem:
          'the credentials belong to account two, but there are tokens of account one; put credentials of that account there, or set spec.ibmRegistryTokens.accountId to two to give those tokens up',
      });
    });
  }
});

describe('the key of another account', () => {
  it('is not in use while a namespace can not be read, since tokens may be there', async () => {
    const stage = new AccountStage({ status: RECORDED });
    Object.assign(stage, { owner: 'two', tokens: [], unreadable: true });
    expect(await stage.look()).to.include({ inUse: false });
    stage.unreadable = false;
    expect(await stage.look()).to.include({ inUse: true });
  });
});

describe('an account that can not be tried', () => {
  it('is told of once, however the messages differ', async () => {
    const stage = new AccountStage();
    stage.owner = undefined;
    for (let look = 0; look < 3; look++) await stage.look();
    expect(stage.changes).to.equal(1);
    expect((await stage.look()).problem).to.equal('no answer');
  });
});

describe('an account', () => {
  it('that can not be tried is tried again at growing intervals, and as ever once it works', async () => {
    const stage = new AccountStage();
    const works = await stage.next();
    stage.owner = undefined;
    expect([await stage.next(), await stage.next(), await stage.next()]).to.deep.equal([2_000, 4_000, 8_000]);
    stage.owner = 'one';
    expect(await stage.next()).to.equal(works);
    stage.owner = undefined;
    expect(await stage.next()).to.equal(2_000);
  });

  it('has its key kept out of logs before anything is done with it', async () => {
    const stage = new AccountStage();
    stage.owner = undefined;
    await stage.look();
    expect(stage.protected).to.deep.equal(['key']);
  });

  it('that is gone is forgotten, and others are told', async () => {
    const stage = new AccountStage();
    await stage.look();
    const told = stage.changes;
    stage.account = anAccount({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(await stage.next()).to.equal(undefined);
    expect(stage.sessions.credentials('default')).to.equal(undefined);
    expect(stage.changes).to.equal(told + 1);
  });
});

describe('a deleted account', () => {
  const deleted: [string, RegistryAccount | undefined][] = [
    ['that is gone', undefined],
    [
      'that finalizers of others hold',
      anAccount({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
  ];
  for (const [what, account] of deleted) {
    it(`${what} is warned of with the number of RegistryTokens that refer to it`, async () => {
      const stage = new AccountStage();
      await stage.next();
      Object.assign(stage, { account, tokens: [anIssuedToken(), anIssuedToken()] });
      await stage.next();
      expect(stage.warnings).to.deep.equal([
        {
          fields: { account: 'default', tokens: 2 },
          message:
            'RegistryAccount deleted while RegistryTokens refer to it: their tokens are neither rotated nor revoked before it exists again',
        },
      ]);
    });
  }

  it('is warned of once, however often it is looked at, and again when another of its name goes', async () => {
    const stage = new AccountStage();
    const { account } = stage;
    await stage.next();
    for (const each of [undefined, undefined, account, undefined]) {
      Object.assign(stage, { account: each });
      await stage.next();
    }
    expect(stage.warnings).to.have.length(2);
  });

  it('that never was there is not warned of, though RegistryTokens refer to it', async () => {
    const stage = new AccountStage();
    Object.assign(stage, { account: undefined });
    await stage.next();
    expect(stage.warnings).to.deep.equal([]);
  });

  it('that no RegistryToken refers to is not warned of', async () => {
    const stage = new AccountStage();
    await stage.next();
    Object.assign(stage, { account: undefined, tokens: [] });
    await stage.next();
    expect(stage.warnings).to.deep.equal([]);
  });
});

describe('the Ready condition of an account says', () => {
  const without: [string, Record<string, string> | undefined, string, string][] = [
    [
      'that its credentials Secret is not there',
      undefined,
      'CredentialsNotFound',
      'credentials Secret system/ibm-cloud is not there; create it: IBM registry tokens needs the key apikey, with an API key',
    ],
    [
      'that the Secret has other keys only',
      { password: 'eA==' },
      'CredentialsInvalid',
      'credentials Secret system/ibm-cloud is not complete: IBM registry tokens needs the key apikey, with an API key',
    ],
    ...['', Buffer.from(' \n').toString('base64')].map(
      (apikey): [string, { apikey: string }, string, string] => [
        `that the key ${apikey === '' ? 'is there and empty' : 'holds nothing but white space'}`,
        { apikey },
        'CredentialsInvalid',
        'credentials Secret system/ibm-cloud is not complete: IBM registry tokens needs the key apikey, with an API key',
      ],
    ),
  ];
  for (const [what, data, reason, message] of without) {
    it(what, async () => {
      const stage = new AccountStage();
      stage.data = data;
      expect(await stage.ready()).to.include({ status: 'False', reason, message });
    });
  }

  it('that the credentials Secret can not be read, and what to grant', async () => {
    const stage = new AccountStage();
    stage.unread = new KubeError('GET secrets/ibm-cloud: 403 Forbidden', { status: 403 });
    expect(await stage.ready()).to.include({
      status: 'False',
      reason: 'CredentialsNotFound',
      message:
        "credentials Secret system/ibm-cloud can't be read: GET secrets/ibm-cloud: 403 Forbidden; let the operator get Secrets in its own namespace",
    });
  });

  it('that its limits leave no lifetime which the registry offers', async () => {
    const stage = new AccountStage({ spec: { limits: { maxLifetime: '12h', allowNeverExpiring: false } } });
    expect(await stage.ready()).to.include({
      status: 'False',
      reason: 'LifetimeNotOffered',
      message:
        'spec.limits allow no lifetime that IBM registry tokens offers (24h, or Never); raise maxLifetime or allow tokens that never expire',
    });
  });

  const enough = [{ maxLifetime: '24h', allowNeverExpiring: false }, { maxLifetime: '12h' }, {}];
  for (const limits of enough) {
    it(`that it works with the limits ${JSON.stringify(limits)}, which leave one`, async () => {
      const stage = new AccountStage({ spec: { limits } });
      expect(await stage.ready()).to.include({ status: 'True', reason: 'CredentialsAccepted' });
    });
  }

  it('what is wrong with the credentials, where the limits are wrong too', async () => {
    const stage = new AccountStage({ spec: { limits: { maxLifetime: '12h', allowNeverExpiring: false } } });
    stage.data = undefined;
    expect(await stage.ready()).to.include({ reason: 'CredentialsNotFound' });
  });
});
