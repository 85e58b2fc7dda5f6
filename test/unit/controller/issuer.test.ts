import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import type { RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';

import type { Stake } from '../../../src/token/decide/verification.ts';
import type { SecretView } from '../../../src/token/secret/secret-view.ts';
import { situationTask } from '../../support/tasks.ts';
import {
  aPrevious,
  ABSENT,
  anIntent,
  anIssuedToken,
  aRecord,
  at,
  aWanted,
  DAY,
  HOST,
  HOUR,
  MINUTE,
  ours,
  PLACE,
  SECOND,
} from '../../support/builders.ts';
import { FAILURE, idsToRevoke, IssueStage, NEW, NOW, REVISION } from './support/issue-stage.ts';

const { signal } = new AbortController();
const readyOf = ({ conditions = [] }: RegistryTokenStatus) => conditions.find(({ type }) => type === 'Ready');
const reconciling = ({ conditions = [] }: RegistryTokenStatus) =>
  conditions.find(({ type }) => type === 'Reconciling');
describe('issuing a token', () => {
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
  });

  it('takes a revision above those at the registry, and a nonce of its own', async () => {
    stage.listed = 6;
    await stage.mint();
    expect(stage.written[0]?.mintIntent).to.include({ revision: 7, nonce: '00000000' });
    expect(stage.askedForRevisions).to.equal(false);
  });

  it('asks the registry for its revisions where the Secret holds a token that the status does not name', async () => {
    const task = situationTask({ now: NOW });
    await stage.mint({ ...task, status: {} });
    expect(stage.askedForRevisions).to.equal(true);
  });

  it('asks the registry where the token is to be issued', async () => {
    const task = situationTask({ now: NOW, wanted: aWanted({ place: undefined }) });
    await stage.mint(task);
    expect(stage.askedAt).to.deep.equal(PLACE);
  });

  it('is put off where it is not known which revisions are used: nothing is asked of the registry', async () => {
    stage.listed = new RegistryError('Unavailable', 'no list');
    const { token, status, secretHolds } = await stage.mint(
      situationTask({ now: NOW, token: { metadata: { finalizers: undefined } } }),
    );
    expect(stage.did).to.deep.equal(['finalizer']);
    expect(stage.reported[0]).to.include({ reason: 'RegistryUnavailable' });
    expect(token.metadata.finalizers, 'as stored').to.deep.equal([FINALIZER]);
    expect(status.failedAttempts).to.equal(1);
    expect(secretHolds).to.equal(true);
  });

  it('has its effects in the order in which a crash between any two of them is harmless', async () => {
    await stage.mint();
    expect(stage.did).to.deep.equal([
      'finalizer',
      'intent',
      `mint ${REVISION}`,
      'counted RenewalDue',
      'try token-2',
      'Secret with token-2',
    ]);
  });

  it('records as its intent what is wanted and why, and that it is under way', async () => {
    await stage.mint(
      situationTask({ now: NOW, token: { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } } }),
    );
    const [status = {}] = stage.written;
    expect(status.mintIntent).to.include({
      revision: REVISION,
      startedAt: at(20 * HOUR),
      reason: 'RenewalDue',
      account: 'default',
      region: 'us-south',
      access: 'ReadOnly',
      rotate: 'now',
      specHash: aRecord().specHash,
    });
    expect(status.mintIntent?.place).to.deep.equal(PLACE);
    expect(status.mintIntent).to.not.have.property('accountRotation');
    expect(status.mintTimes, 'counted against the budget').to.deep.equal([at(20 * HOUR)]);
    expect(status.token).to.deep.equal(aRecord());
    expect(readyOf(status)).to.include({ status: 'True' });
    expect(reconciling(status)).to.include({ status: 'True', reason: 'Rotating' });
  });

  it('records no rotation that nobody asked for', async () => {
    await stage.mint();
    expect(stage.written[0]?.mintIntent).to.not.have.property('rotate');
  });

  it('keeps an hour’s mints for the budget', async () => {
    const status = { mintTimes: [at(18 * HOUR), at(19 * HOUR + MINUTE)] };
    await stage.mint(situationTask({ now: NOW, token: { status } }));
    expect(stage.written[0]?.mintTimes).to.deep.equal([at(19 * HOUR + MINUTE), at(20 * HOUR)]);
  });

  it('says meanwhile that the token in force has expired where it has by the registry’s clock', async () => {
    stage.skew = 5 * HOUR;
    await stage.mint();
    expect(readyOf(stage.written[0] ?? {})).to.include({ status: 'False', reason: 'Rotating' });
  });

  it('records the rotation of the account that it follows', async () => {
    const task = situationTask({ now: NOW });
    await stage.mint({ ...task, wanted: { ...task.wanted, accountRotation: 'leak' } });
    expect(stage.written[0]?.mintIntent).to.include({ accountRotation: 'leak' });
  });

  it('ends with the new token in force and the previous one to be revoked after the grace period', async () => {
    const { status, outcome, secretHolds } = await stage.mint();
    expect(status.token).to.deep.equal(
      aRecord({ id: 'token-2', revision: REVISION, issuedAt: at(20 * HOUR), expiresAt: at(44 * HOUR) }),
    );
    expect(status).to.include({ host: HOST, region: 'us-south' });
    expect(status.mintIntent).to.equal(undefined);
    expect(status.secretRef).to.deep.equal({ name: 'app', uid: 'secret-uid' });
    expect(status.previousTokens?.map(({ id, revokeAt }) => [id, revokeAt])).to.deep.equal([
      ['token-1', at(21 * HOUR)],
    ]);
    expect([outcome, secretHolds]).to.deep.equal([{ kind: 'done' }, true]);
    expect(stage.events).to.deep.equal(['Normal Rotated']);
  });

  it('has the RegistryToken’s own grace period go before the default', async () => {
    const spec = { rotation: { gracePeriod: '10m' } };
    const { status } = await stage.mint(situationTask({ now: NOW, token: { spec } }));
    expect(status.previousTokens?.[0]?.revokeAt).to.equal(at(20 * HOUR + 10 * MINUTE));
  });

  it('tells of a first token as issued, not rotated', async () => {
    await stage.mint(situationTask({ now: NOW, token: { status: { token: undefined } } }));
    expect(reconciling(stage.written[0] ?? {})).to.include({ reason: 'Issuing' });
    expect(stage.events).to.deep.equal(['Normal Issued']);
  });

  it('records no expiry of a token that has none', async () => {
    stage.minting = () => Promise.resolve({ ...NEW, expiresAt: null });
    const { status } = await stage.mint();
    expect(status.token).to.not.have.property('expiresAt');
  });

  it('counts the token’s life by the registry’s clock', async () => {
    stage.skew = 2 * HOUR;
    const { status } = await stage.mint();
    expect(status.token?.issuedAt).to.equal(at(22 * HOUR));
  });

  it('uses a token of which nobody knows whether the registry accepts it, and says so', async () => {
    stage.ruling = { action: 'use', doubt: 'no answer' };
    const { status } = await stage.mint();
    expect(status.token).to.include({ id: 'token-2', unverified: 'no answer' });
    expect(stage.events).to.deep.equal(['Normal Rotated', 'Warning Unverified']);
  });

  it('shortens what it says of a doubt to what the status holds', async () => {
    stage.ruling = { action: 'use', doubt: 'why '.repeat(1_000) };
    const { status } = await stage.mint();
    expect(status.token?.unverified?.length).to.be.within(1_000, 1_024);
  });

  it('forgets the host that was waited for once the new token is accepted there', async () => {
    const pendingHost = { host: HOST, since: at(0), refused: false, message: 'ENOTFOUND' };
    const { status, outcome } = await stage.mint(
      situationTask({ now: NOW, token: { status: { pendingHost } } }),
    );
    expect(status).to.not.have.property('pendingHost');
    expect(outcome).to.deep.equal({ kind: 'done' });
  });

  it('keeps the host of the Secret where the one that the account names does not accept it, and tries that again', async () => {
    const keepsHost = { refused: false, message: 'ENOTFOUND' };
    stage.ruling = { action: 'use', doubt: undefined, keepsHost };
    const ended = await stage.mint();
    expect(ended.status.pendingHost).to.deep.equal({
      host: HOST,
      since: at(20 * HOUR),
      refused: false,
      message: 'ENOTFOUND',
    });
    expect(ended.outcome).to.include({ kind: 'held', reason: 'HostNotAccepted' });
    expect(ended).to.include({ secretHolds: true, until: NOW + MINUTE });
  });

  it('keeps the host of the Secret also where the status names another, which can be older', async () => {
    stage.ruling = { action: 'use', doubt: undefined, keepsHost: { refused: false, message: 'ENOTFOUND' } };
    await stage.mint(situationTask({ now: NOW, secret: ours({ host: 'placed.example' }) }));
    expect(stage.hosts).to.deep.equal(['placed.example']);
  });

  const inForce: [what: string, secret: SecretView][] = [
    ['is missing', ABSENT],
    ['has none', ours({ host: undefined })],
  ];
  for (const [what, secret] of inForce)
    it(`keeps the host in force where the Secret ${what}`, async () => {
      stage.ruling = { action: 'use', doubt: undefined, keepsHost: { refused: false, message: 'ENOTFOUND' } };
      const status = { host: 'in-force.example' };
      const ended = await stage.mint(situationTask({ now: NOW, secret, token: { status } }));
      expect(stage.hosts).to.deep.equal(['in-force.example']);
      expect(ended.status.host).to.equal('in-force.example');
    });

  it('tries the new token at the host that the account names, and has that in the Secret and the status', async () => {
    const wanted = aWanted({ host: 'named.example' });
    const former = { host: 'placed.example' };
    const ended = await stage.mint(
      situationTask({ now: NOW, wanted, token: { status: former }, secret: ours(former) }),
    );
    expect([stage.triedAt, stage.hosts]).to.deep.equal([['named.example'], ['named.example']]);
    expect(ended.status.host).to.equal('named.example');
  });
});

describe('a new token that is of no use', () => {
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
  });

  /** It never got into the Secret, is to be revoked, and its revision is not used again. */
  async function isRefused(): Promise<void> {
    const { status, outcome } = await stage.mint();
    expect(stage.did).to.not.include('Secret with token-2');
    expect(status.token).to.include({ id: 'token-1' });
    expect(idsToRevoke(status)).to.deep.equal(['token-2']);
    expect(status.previousTokens?.[0]).to.include({
      revision: REVISION,
      account: 'default',
      region: 'us-south',
    });
    expect(status.previousTokens?.[0]?.place).to.deep.equal(PLACE);
    expect(status.mintIntent).to.include({ revision: REVISION, phase: 'Discarded' });
    expect(stage.forgotten).to.deep.equal([anIssuedToken().metadata.uid]);
    expect(outcome.kind).to.equal('failed');
    expect(stage.events).to.deep.equal([]);
  }

  it('since the registry refuses it is revoked, and the previous one stays', async () => {
    stage.ruling = { action: 'refuse', failure: FAILURE };
    await isRefused();
    expect(stage.reported).to.deep.equal([FAILURE]);
  });

  const expiries: [what: string, expiresAt: number | null, recorded: string | undefined][] = [
    ['until it expires', NOW + DAY, at(44 * HOUR)],
    ['however long that takes where it never expires', null, undefined],
  ];
  for (const [what, expiresAt, recorded] of expiries)
    it(`is to be revoked ${what}`, async () => {
      stage.minting = () => Promise.resolve({ ...NEW, expiresAt });
      stage.ruling = { action: 'refuse', failure: FAILURE };
      const { status } = await stage.mint();
      expect(status.previousTokens?.[0]?.expiresAt).to.equal(recorded);
    });

  const clocks: [what: string, skew: number, expiresAt: number, dead: boolean][] = [
    ['has expired by the registry’s clock, which is ahead,', 2 * HOUR, NOW + HOUR, true],
    ['lives by the registry’s clock, which is behind,', -2 * HOUR, NOW - HOUR, false],
  ];
  for (const [what, skew, expiresAt, dead] of clocks)
    it(`is one that ${what} ${dead ? 'and' : 'is not'}: ${dead ? 'it is not tried' : 'it is used'}`, async () => {
      Object.assign(stage, { skew });
      stage.minting = () => Promise.resolve({ ...NEW, expiresAt });
      const { status } = await stage.mint();
      expect(idsToRevoke(status)).to.deep.equal([dead ? 'token-2' : 'token-1']);
    });

  it('since it had expired when it came is not even tried', async () => {
    stage.minting = () => Promise.resolve({ ...NEW, expiresAt: NOW });
    await isRefused();
    expect(stage.did).to.not.include('try token-2');
    expect(stage.reported[0]).to.include({ reason: 'ClockSkew' });
  });

  it('yet waits: it is tried again later, and nothing else happens until then', async () => {
    stage.ruling = { action: 'wait', refusal: 'not yet', message: 'not yet', until: NOW + SECOND };
    const { status, outcome, until, secretHolds } = await stage.mint();
    expect(stage.did).to.not.include('Secret with token-2');
    expect(secretHolds, 'the previous token').to.equal(true);
    expect(status.mintIntent).to.include({ revision: REVISION, phase: 'Verifying' });
    expect(status.token).to.include({ id: 'token-1' });
    expect(outcome).to.include({ kind: 'held', reason: 'Verifying' });
    expect(until).to.equal(NOW + SECOND);
    expect(stage.reported).to.deep.equal([]);
  });
});

describe('a new token of which nobody knows whether the registry accepts it', () => {
  const message = 'ENOTFOUND';
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
    stage.ruling = { action: 'wait', refusal: undefined, message, until: NOW + SECOND };
  });
  const waits = (stake: Stake, host = HOST) =>
    stage.mint({ ...situationTask({ now: NOW, secret: ours({ host }) }), stake });

  it('does not take the place of one that pods pull with at another host: the one that the account names is waited for', async () => {
    const { status, outcome, until, secretHolds } = await waits('token', 'before.example');
    expect(status.pendingHost).to.deep.equal({ host: HOST, since: at(20 * HOUR), refused: false, message });
    expect(outcome).to.include({ kind: 'held', reason: 'HostNotAccepted' });
    expect([until, secretHolds]).to.deep.equal([NOW + SECOND, true]);
    expect(stage.did).to.not.include('Secret with token-2');
  });

  it('does not take the place of one that pods pull with at the same host, which is not said to be another', async () => {
    const { status, outcome, until, secretHolds } = await waits('token');
    expect(status).to.not.have.property('pendingHost');
    expect(outcome).to.include({ kind: 'held', reason: 'RegistryUnavailable' });
    expect([until, secretHolds]).to.deep.equal([NOW + SECOND, true]);
    expect(stage.did).to.not.include('Secret with token-2');
  });

  it('does not take the place of what is in a Secret that is to be adopted', async () => {
    const { status, outcome, until, secretHolds } = await waits('adopted');
    expect(status).to.not.have.property('pendingHost');
    expect(status.mintIntent).to.include({ revision: REVISION, phase: 'Announced' });
    expect(outcome).to.include({ kind: 'held', reason: 'RegistryUnavailable' });
    expect([until, secretHolds]).to.deep.equal([NOW + SECOND, true]);
    expect(stage.did).to.not.include('Secret with token-2');
  });

  it('is waited for like any refused one once it was refused, though a Secret is to be adopted', async () => {
    stage.ruling = { action: 'wait', refusal: 'no', message, until: NOW + SECOND };
    expect((await waits('adopted')).outcome).to.include({ kind: 'held', reason: 'Verifying' });
  });
});

describe('a Secret that can not be written with a new token', () => {
  it('for a reason that people must see leaves the intent, so that the token is used once it can', async () => {
    const stage = new IssueStage();
    const failure = { reason: 'SecretNotWritten', message: 'exceeded quota', retryable: true };
    stage.placed = { failure, secret: { state: 'absent' } };
    const { status, secretHolds } = await stage.mint();
    expect(stage.reported).to.deep.equal([failure]);
    expect(secretHolds, 'as it was when it was to be written').to.equal(false);
    expect(status.mintIntent).to.include({ revision: REVISION });
    expect(status.token).to.include({ id: 'token-1' });
    expect(stage.events).to.deep.equal([]);
  });

  it('for a passing reason ends the reconcile', async () => {
    const stage = new IssueStage();
    stage.placed = new KubeError('down', { status: 503 });
    const error: unknown = await stage.mint().catch((e: unknown) => e);
    expect(error).to.equal(stage.placed);
  });
});

describe('a mint that fails', () => {
  const cases: [code: RegistryErrorCode, intentStays: boolean, unauthorized: boolean][] = [
    ['Ambiguous', true, false],
    ['Unauthorized', false, true],
    ['RateLimited', false, false],
    ['InvalidRequest', false, false],
  ];
  for (const [code, intentStays, unauthorized] of cases) {
    it(`with ${code} ${intentStays ? 'keeps' : 'withdraws'} its intent${unauthorized ? ' and has the account checked' : ''}`, async () => {
      const stage = new IssueStage();
      stage.minting = () => Promise.reject(new RegistryError(code, 'why'));
      const { status, outcome } = await stage.mint();
      expect(status.mintIntent?.phase).to.equal(intentStays ? 'Unconfirmed' : undefined);
      expect(outcome.kind).to.equal('failed');
      expect(stage.did.includes('unauthorized default')).to.equal(unauthorized);
      expect(stage.did.filter((what) => what.startsWith('counted'))).to.deep.equal([]);
    });
  }

  it('for a quota says how many previous tokens are part of it', async () => {
    const stage = new IssueStage();
    stage.minting = () => Promise.reject(new RegistryError('QuotaExceeded', 'the quota is used up'));
    const previousTokens = [aPrevious()];
    const { outcome } = await stage.mint(situationTask({ now: NOW, token: { status: { previousTokens } } }));
    expect(outcome)
      .to.have.nested.property('failure.message')
      .that.match(/^the quota is used up; 1 token there is a previous one of this RegistryToken/);
  });
});

describe('a Secret whose token is gone from the registry', () => {
  const GONE = { now: NOW, tokenIsGone: true };
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
  });

  it('is not told as Ready while another token is issued', async () => {
    await stage.mint(situationTask(GONE));
    expect(readyOf(stage.written[0] ?? {})).to.include({ status: 'False', reason: 'Rotating' });
  });

  const UNSENT = new RegistryError('Unavailable', 'down', { unsent: true });
  const failures: [what: string, fail: (stage: IssueStage) => void][] = [
    ['the mint fails', (s) => void (s.minting = () => Promise.reject(new RegistryError('Ambiguous', 'why')))],
    ['the mint is not sent', (s) => void (s.minting = () => Promise.reject(UNSENT))],
    ['the new token is refused', (s) => void (s.ruling = { action: 'refuse', failure: FAILURE })],
    ['the new token is to wait', (s) => void (s.ruling = { action: 'wait', refusal: 'not yet', until: NOW })],
    [
      'the Secret can not be written',
      (s) => void (s.placed = { failure: FAILURE, secret: situationTask(GONE).secret }),
    ],
  ];
  for (const [what, fail] of failures)
    it(`is not good to pull with where ${what}`, async () => {
      fail(stage);
      expect(await stage.mint(situationTask(GONE))).to.include({ secretHolds: false });
    });

  it('is not good to pull with where what came of an earlier mint is not known yet', async () => {
    const message = 'looked for';
    stage.settling = () =>
      Promise.resolve({ result: 'pending', reason: 'MintUnconfirmed', message, until: NOW + SECOND });
    const decision = { action: 'settle', intent: anIntent(), stranded: false } as const;
    const ended = await stage.issuer.settle(situationTask(GONE), decision, signal);
    expect(ended).to.include({ secretHolds: false });
  });

  it('is good to pull with once it holds another token', async () => {
    expect(await stage.mint(situationTask(GONE))).to.include({ secretHolds: true });
  });
});
