import { expect } from 'chai';
import { RegistryError } from '../../../src/registry/errors.ts';
import {
  anIntent,
  ANOTHER_PLACE,
  aPrevious,
  aRecord,
  at,
  aWanted,
  DAY,
  HOUR,
  MINUTE,
  type Part,
  PLACE,
} from '../../support/builders.ts';
import { situationTask } from '../../support/tasks.ts';
import type { Wanted } from '../../../src/token/decide/eligibility.ts';
import { FAILURE, found, idsToRevoke, IssueStage, NOW, RENEWAL, REVISION } from './support/issue-stage.ts';

const { signal } = new AbortController();
const SCOPE = ['team-a', 'team-b'];
/** A renewal of the builders' token, with what is wanted by now. */
const taskFor = (part: Part<Wanted>) => situationTask({ now: NOW, wanted: aWanted(part) });

describe('what a token is made for', () => {
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
  });

  it('is recorded before the registry is asked, with the token, and with the one that it takes the place of', async () => {
    const { status } = await stage.mint(taskFor({ scope: SCOPE, specHash: 'new' }));
    expect(stage.written[0]?.mintIntent).to.deep.include({ scope: SCOPE, specHash: 'new' });
    expect(status.token).to.deep.include({ scope: SCOPE, specHash: 'new' });
    expect(status.previousTokens?.[0]).to.include({ id: 'token-1', specHash: aRecord().specHash });
    expect(status.previousTokens?.[0]).to.not.have.property('scope');
  });

  it('is no scope where all is wanted that the account can give', async () => {
    const { status } = await stage.mint(taskFor({ scope: [] }));
    expect(stage.written[0]?.mintIntent).to.not.have.property('scope');
    expect(status.token).to.not.have.property('scope');
  });

  it('is looked for at the registry in its scope, where revisions are to be known', async () => {
    await stage.mint(taskFor({ scope: SCOPE }));
    expect(stage.askedIn).to.deep.equal(SCOPE);
  });

  it('is recorded with a token that is of no use, to be revoked', async () => {
    stage.ruling = { action: 'refuse', failure: FAILURE };
    const { status } = await stage.mint(taskFor({ scope: SCOPE, specHash: 'new' }));
    expect(idsToRevoke(status)).to.deep.equal(['token-2']);
    expect(status.previousTokens?.[0]).to.deep.include({ scope: SCOPE, specHash: 'new' });
  });

  it('is as the intent says where an earlier mint is settled', async () => {
    const intent = anIntent({ scope: SCOPE, startedAt: at(20 * HOUR - MINUTE) });
    const { status } = await stage.settled(found(), { intent });
    expect(status.token).to.deep.include({ scope: SCOPE, specHash: intent.specHash });
    const unwanted = { ...intent, specHash: 'of another spec' };
    const lost = await stage.given(found(), { intent: unwanted });
    expect(lost.previousTokens?.[0]).to.deep.include({ scope: SCOPE, specHash: 'of another spec' });
  });
});

describe('how long a token is to be in use', () => {
  const lifetimes: [what: string, lifetime: number | 'Never', given: number | 'Never', recorded: unknown][] =
    [
      ['is recorded where the registry lets it live longer', 90 * MINUTE, DAY, '1h30m'],
      ['is its life where the registry gives what is wanted', DAY, DAY, undefined],
      ['is for ever where it never expires', 'Never', 'Never', undefined],
    ];
  for (const [what, lifetime, given, recorded] of lifetimes)
    it(what, async () => {
      const stage = new IssueStage();
      const { status } = await stage.mint(taskFor({ lifetime, given }));
      expect(status.token?.lifetime).to.equal(recorded);
      expect(stage.requestedLifetime, 'asked for').to.equal(given);
      const settled = await stage.settled(found(), { wanted: aWanted({ lifetime, given }) });
      expect(settled.status.token?.lifetime, 'settled').to.equal(recorded);
    });

  it('is what the mint budget goes by, not how long the registry lets it live', async () => {
    const stage = new IssueStage();
    const mintTimes = [1, 5, 10, 30].map((minutes) => at(20 * HOUR - minutes * MINUTE));
    const token = { status: { token: undefined, mintTimes } };
    const wanted = aWanted({ lifetime: 5 * MINUTE, given: DAY });
    await stage.mint(situationTask({ now: NOW, token, wanted }));
    expect(stage.written[0]?.mintTimes).to.have.length.lessThan(5);
    stage.written.length = 0;
    await stage.mint(situationTask({ now: NOW, token, wanted: aWanted({ lifetime: DAY, given: DAY }) }));
    expect(stage.written[0]?.mintTimes).to.have.length(5);
  });
});

describe('a token that is exchanged, not created at the registry,', () => {
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
  });
  const issue = (part: Parameters<typeof situationTask>[0] = {}) =>
    stage.issuer.issue(
      situationTask({ now: NOW, wanted: aWanted({ issue: 'exchanged' }), ...part }),
      RENEWAL,
      signal,
    );

  it('gets into the Secret with nothing recorded before', async () => {
    const { status, outcome } = await issue();
    expect(stage.did).to.deep.equal([
      'finalizer',
      `mint ${REVISION}`,
      'counted RenewalDue',
      'try token-2',
      'Secret with token-2',
    ]);
    expect(stage.written).to.deep.equal([]);
    expect(status).to.not.have.property('mintIntent');
    expect(status.token).to.include({ id: 'token-2', revocable: false });
    expect(outcome).to.deep.equal({ kind: 'done' });
  });

  it('is recorded as created where the registry creates it', async () => {
    const { status } = await issue({ wanted: aWanted() });
    expect(stage.did).to.include('intent');
    expect(status.token).to.not.have.property('revocable');
  });

  it('leaves no previous token to revoke, unless that was created', async () => {
    const created = await issue();
    expect(idsToRevoke(created.status)).to.deep.equal(['token-1']);
    const token = aRecord({ revocable: false });
    const exchanged = await issue({ token: { status: { token, previousTokens: [aPrevious()] } } });
    expect(idsToRevoke(exchanged.status)).to.deep.equal(['token-0']);
  });

  it('leaves one to revoke that was created, though its status says that nobody can', async () => {
    stage.issueAt = 'minted';
    const token = aRecord({ revocable: false });
    const { status } = await issue({ token: { status: { token } } });
    expect(idsToRevoke(status)).to.deep.equal(['token-1']);
  });

  it('that is the one there is, since it was exchanged a moment ago, answers no request for another', async () => {
    const token = aRecord({ id: 'token-2', revocable: false });
    const { status, outcome, until } = await issue({ token: { status: { token } } });
    expect(status.token).to.deep.equal(token);
    expect(status).to.not.have.any.keys('lastRotation', 'mintIntent');
    expect(outcome).to.include({ kind: 'held', reason: 'Rotating' });
    expect(until).to.equal(NOW + 60_000);
    expect(stage.did).to.not.include('Secret with token-2');
  });

  it('that has the identifier of the one there is, of another registry, takes its place', async () => {
    const token = aRecord({ id: 'token-2', revocable: false, place: ANOTHER_PLACE });
    const { status } = await issue({ token: { status: { token } } });
    expect(status.token?.place).to.deep.equal(PLACE);
    expect(stage.did).to.include('Secret with token-2');
  });

  it('that is refused is not used, and there is nothing to revoke', async () => {
    stage.ruling = { action: 'refuse', failure: FAILURE };
    const { status, outcome } = await issue();
    expect(outcome).to.deep.include({ kind: 'failed' });
    expect(idsToRevoke(status)).to.deep.equal([]);
    expect(status).to.not.have.property('mintIntent');
    expect(status.token).to.include({ id: 'token-1' });
  });

  it('that is refused takes its revision with it: the registry gives no RegistryToken the same for another', async () => {
    stage.ruling = { action: 'refuse', failure: FAILURE };
    const { status } = await issue();
    await issue({ token: { status } });
    expect(stage.did.filter((did) => did.startsWith('mint'))).to.deep.equal([
      `mint ${REVISION}`,
      `mint ${REVISION + 1}`,
    ]);
  });

  it('that takes the place of a request that was open leaves that to the sweep, whatever becomes of it', async () => {
    const mintIntent = anIntent({ revision: REVISION, nonce: 'abcdefgh' });
    const refused = { action: 'refuse', failure: FAILURE };
    const waiting = { action: 'wait', refusal: 'no', message: 'no', until: NOW + MINUTE };
    for (const ruling of [stage.ruling, refused, waiting]) {
      stage.ruling = ruling;
      const { status } = await issue({ token: { status: { mintIntent } } });
      expect(status).to.not.have.property('mintIntent');
      expect(status.lostIntents).to.deep.equal([{ revision: REVISION, nonce: 'abcdefgh' }]);
    }
    expect(stage.did).to.include(`mint ${REVISION + 1}`);
  });

  it('that is not accepted yet leaves nothing in the status', async () => {
    stage.ruling = { action: 'wait', refusal: 'no', message: 'no', until: NOW + MINUTE };
    const task = situationTask({ now: NOW });
    const { status, outcome } = await issue();
    expect(outcome).to.include({ kind: 'held', reason: 'Verifying' });
    expect(status).to.deep.equal(task.status);
  });

  it('that the registry does not give leaves all as it was, though nobody knows whether it did', async () => {
    for (const code of ['Ambiguous', 'Unavailable'] as const) {
      stage.minting = () => Promise.reject(new RegistryError(code, 'no answer'));
      const { status } = await issue();
      expect(status).to.not.have.property('mintIntent');
      expect(status.token).to.include({ id: 'token-1' });
      expect(status.failedAttempts).to.equal(1);
    }
  });
});
