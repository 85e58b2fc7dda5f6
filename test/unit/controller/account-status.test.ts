import { expect } from 'chai';
import type { RegistryAccountStatus } from '../../../src/api/registry-account.ts';
import { toTime } from '../../../src/api/syntax/time.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, at, HOUR, MINUTE, SECOND, type Part } from '../../support/builders.ts';
import { AccountStage, RECORDED } from './support/account-stage.ts';

const CONFLICT = {
  type: 'ClusterIdConflict',
  status: 'True',
  reason: 'UnknownTokens',
  message: 'tokens of another cluster',
  lastTransitionTime: at(0),
} as const;
/** As the sweep left it. */
const SWEPT: Part<RegistryAccountStatus> = { orphans: 3, lastSweepTime: at(0), conditions: [CONFLICT] };
const pendingHost = { host: 'new.example', since: at(0), refused: true, message: 'it refuses it' };

describe('the status of an account', () => {
  it('says whose its credentials are, since when they work, and how many RegistryTokens refer to it', async () => {
    const stage = new AccountStage({});
    stage.tokens = [anIssuedToken(), anIssuedToken()];
    const since = toTime(stage.clock.now());
    await stage.lookAndStore();
    await stage.clock.advance(HOUR);
    stage.tokens = [anIssuedToken()];
    expect(await stage.lookAndStore()).to.deep.include({ ...RECORDED, readySince: since, tokens: 1 });
  });

  it('is written only when it changes, and told of when that is why it can be used', async () => {
    const stage = new AccountStage({});
    await stage.lookAndStore();
    expect(await stage.lookAndStore()).to.equal(undefined);
    stage.tokens = [];
    await stage.lookAndStore();
    expect(stage.events).to.deep.equal(['Normal CredentialsAccepted']);
    expect(stage.changes, 'told to others').to.equal(1);
  });

  it('that can not be written is tried again', async () => {
    const stage = new AccountStage();
    stage.unwritable = new KubeError('changed meanwhile', { status: 409 });
    const error: unknown = await stage.next().catch((each: unknown) => each);
    expect(error).to.equal(stage.unwritable);
  });

  it('says why it can not be used, in an event once, and no longer since when it could', async () => {
    const stage = new AccountStage();
    await stage.lookAndStore();
    stage.data = undefined;
    const status = await stage.lookAndStore();
    expect(status).to.deep.include(RECORDED).and.not.have.property('readySince');
    stage.tokens = [];
    await stage.lookAndStore();
    expect(stage.events).to.deep.equal(['Normal CredentialsAccepted', 'Warning CredentialsNotFound']);
    expect(stage.warnings.map(({ fields }) => fields)).to.deep.equal([
      { account: 'default', reason: 'CredentialsNotFound' },
    ]);
  });

  it('says how far a rotation of all its tokens is, while one is asked for', async () => {
    const stage = new AccountStage({ spec: { rotation: { requestedAt: 'leak' } } });
    stage.tokens = [anIssuedToken(), anIssuedToken({ status: { lastHandledAccountRotation: 'leak' } })];
    const status = await stage.lookAndStore();
    expect(status?.rotation).to.deep.equal({ requestedAt: 'leak', done: 1, total: 2 });
    stage.account = anAccount({ ...(status && { status }) });
    expect(await stage.lookAndStore()).to.not.have.property('rotation');
  });

  it('keeps what the sweep found', async () => {
    const status = await new AccountStage({ status: SWEPT }).lookAndStore();
    expect(status).to.include({ orphans: 3, lastSweepTime: at(0) });
    expect(status?.conditions?.map(({ type }) => type)).to.include('ClusterIdConflict');
  });

  it('says nothing of what a sweep found that is off by now', async () => {
    const status = await new AccountStage({ status: SWEPT }, 'off').lookAndStore();
    expect(status).to.not.have.any.keys('orphans', 'lastSweepTime');
    expect(status?.conditions?.map(({ type }) => type)).to.deep.equal(['Ready']);
  });

  it('says nothing of a sweep that has not come yet', async () => {
    expect(await new AccountStage().lookAndStore()).to.not.have.any.keys('orphans', 'lastSweepTime');
  });

  it('tells that a host is named which Secrets can not have, in an event whenever that begins', async () => {
    const stage = new AccountStage();
    const waits = [anIssuedToken({ status: { pendingHost } })];
    for (const tokens of [waits, waits, [anIssuedToken()], waits]) {
      stage.tokens = tokens;
      await stage.lookAndStore();
    }
    expect(stage.status.conditions?.[0]?.message).to.include('new.example').and.include('it refuses it');
    const told = stage.events.filter((event) => event === 'Warning HostNotAccepted');
    expect(told).to.have.length(2);
  });
});

describe('an account is looked at again', () => {
  const after = async (refusal: RegistryError, attempts = 1): Promise<number | undefined> => {
    const stage = new AccountStage();
    Object.assign(stage, { refusal });
    let next: number | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) next = await stage.next();
    return next;
  };

  it('after a quarter of an hour while it works: its key may have been revoked', async () => {
    expect(await new AccountStage().next()).to.equal(15 * MINUTE);
  });

  it('once a minute at least while it can not be tried: RegistryTokens wait for it', async () => {
    expect(await after(new RegistryError('Unavailable', 'down'), 12)).to.equal(MINUTE);
  });

  it('no sooner than the identity service asks for', async () => {
    expect(await after(new RegistryError('RateLimited', 'slow', { retryAfter: 5 * MINUTE }))).to.equal(
      5 * MINUTE,
    );
    expect(await after(new RegistryError('RateLimited', 'slow', { retryAfter: 30 * SECOND }))).to.equal(
      30 * SECOND,
    );
  });

  it('ever more rarely where someone has to act first', async () => {
    expect(await after(new RegistryError('Unauthorized', 'no such key'))).to.equal(MINUTE);
    expect(await after(new RegistryError('Unauthorized', 'no such key'), 4)).to.equal(8 * MINUTE);
  });

  const faults: [what: string, stage: () => AccountStage][] = [
    ['there are no credentials', () => Object.assign(new AccountStage(), { data: undefined })],
    ['its key is empty', () => Object.assign(new AccountStage(), { data: { apikey: '' } })],
    [
      'its credentials may not be read',
      () => Object.assign(new AccountStage(), { unread: new KubeError('no', { status: 403 }) }),
    ],
    ['its credentials are another account’s', () => Object.assign(new AccountStage(), { owner: 'two' })],
    ['its spec is wrong', () => new AccountStage({ spec: { limits: { maxLifetime: '7d' } } })],
  ];
  for (const [what, stage] of faults)
    it(`after a minute and then ever more rarely where ${what}`, async () => {
      const account = stage();
      expect([await account.next(), await account.next()]).to.deep.equal([MINUTE, 2 * MINUTE]);
    });

  it('as if for the first time, once it went and came back', async () => {
    const stage = new AccountStage();
    stage.refusal = new RegistryError('Unavailable', 'down');
    const { account } = stage;
    for (let look = 0; look < 5; look++) await stage.next();
    stage.account = undefined;
    expect(await stage.next()).to.equal(undefined);
    stage.account = account;
    expect(await stage.next()).to.equal(2 * SECOND);
  });
});

describe('what is told of an account that can not be used', () => {
  let stage: AccountStage;
  const problem = async (code: RegistryErrorCode, message: string): Promise<string | undefined> => {
    stage.refusal = new RegistryError(code, message);
    return (await stage.look()).problem;
  };
  beforeEach(async () => {
    stage = new AccountStage();
    expect(await problem('Unavailable', 'no answer within 10 s')).to.equal('no answer within 10 s');
  });

  it('stays in the same words while the trouble is the same', async () => {
    expect(await problem('Unavailable', 'no answer within 12 s')).to.equal('no answer within 10 s');
  });

  it('is new where the trouble is another', async () => {
    expect(await problem('Unauthorized', 'no such key')).to.equal('no such key');
  });

  it('is new where its key is another', async () => {
    stage.secretVersion = '2';
    expect(await problem('Unavailable', 'no answer within 12 s')).to.equal('no answer within 12 s');
  });

  it('is new after it worked', async () => {
    stage.refusal = undefined;
    expect((await stage.look()).problem).to.equal(undefined);
    expect(await problem('Unavailable', 'no answer within 12 s')).to.equal('no answer within 12 s');
  });

  it('is new after it went and came back', async () => {
    const { account } = stage;
    stage.account = undefined;
    await stage.look();
    stage.account = account;
    expect(await problem('Unavailable', 'no answer within 12 s')).to.equal('no answer within 12 s');
  });
});

describe('the credentials of an account', () => {
  it('are read from the Secret that it names, in the namespace of the operator', async () => {
    const stage = new AccountStage({ spec: { credentialsSecretRef: { name: 'key' } } });
    await stage.look();
    expect(stage.read).to.equal('system/key');
  });

  it('that may not be read are told of to others once', async () => {
    const stage = new AccountStage();
    stage.unread = new KubeError('forbidden', { status: 403 });
    expect(await stage.look()).to.include({ inUse: false });
    await stage.look();
    expect(stage.changes).to.equal(1);
  });

  it('that can not be read for now leave all as it is: it is tried again', async () => {
    const stage = new AccountStage();
    await stage.look();
    stage.unread = new KubeError('down', { status: 503 });
    const error: unknown = await stage.next().catch((each: unknown) => each);
    expect(error).to.equal(stage.unread);
    expect(stage.sessions.credentials('default')).to.not.equal(undefined);
  });

  const changes: [what: string, change: (stage: AccountStage) => void][] = [
    ['the Secret has changed', (stage) => void (stage.secretVersion = '2')],
    ['the spec has changed', (stage) => void (stage.account = anAccount({ metadata: { generation: 2 } }))],
    [
      'the account was recreated',
      (stage) => void (stage.account = anAccount({ metadata: { uid: 'another' } })),
    ],
  ];
  for (const [what, change] of changes)
    it(`are others, of which others are told, where ${what}`, async () => {
      const stage = new AccountStage();
      await stage.look();
      change(stage);
      await stage.look();
      expect(stage.changes).to.equal(2);
    });

  it('are in use with white space around the key, which is none of it', async () => {
    const stage = new AccountStage();
    stage.data = { apikey: Buffer.from(' key\n').toString('base64') };
    await stage.look();
    expect(stage.protected).to.deep.equal(['key']);
  });
});
