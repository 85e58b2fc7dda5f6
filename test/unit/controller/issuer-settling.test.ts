import { expect } from 'chai';
import type { Settlement } from '../../../src/controller/token/tagged-tokens.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { SecretView } from '../../../src/token/secret/secret-view.ts';
import {
  aRecord,
  anIntent,
  at,
  aWanted,
  HOST,
  HOUR,
  MINUTE,
  ours,
  PLACE,
  SECOND,
} from '../../support/builders.ts';
import { found, idsToRevoke, IssueStage, NEW, NOW, REVISION } from './support/issue-stage.ts';

const ELSEWHERE = { ...PLACE, endpoint: 'https://elsewhere.example' };
const STARTED = 20 * HOUR - MINUTE;
const STRAY = { id: 'stray', revision: REVISION, account: 'default', region: 'us-south', place: PLACE };

describe('settling an earlier mint', () => {
  let stage: IssueStage;
  beforeEach(() => {
    stage = new IssueStage();
  });

  it('that gave a token uses it, as issued when the mint began', async () => {
    const { status, outcome, secretHolds } = await stage.settled(found());
    expect(status.token).to.deep.equal(
      aRecord({ id: 'token-2', revision: REVISION, issuedAt: at(STARTED), expiresAt: at(44 * HOUR) }),
    );
    expect(status.mintIntent).to.equal(undefined);
    expect([outcome, secretHolds]).to.deep.equal([{ kind: 'done' }, true]);
    expect(stage.did).to.deep.equal(['try token-2', 'Secret with token-2']);
    expect(stage.recalled, 'what an earlier process found out of it').to.deep.equal([REVISION]);
    expect(stage.lost).to.deep.equal([]);
  });

  it('that gave a token records it as what the intent says, whatever is wanted by now', async () => {
    const intent = anIntent({
      account: 'other',
      region: 'dallas',
      access: 'ReadWrite',
      startedAt: at(STARTED),
    });
    stage.skew = 2 * HOUR;
    const { status } = await stage.settled(found(), { intent });
    expect(status.region).to.equal('dallas');
    expect(status.token).to.include({
      account: 'other',
      region: 'dallas',
      access: 'ReadWrite',
      issuedAt: at(STARTED),
    });
  });

  it('that gave a token says so once, not at each try of a token that waits to be accepted', async () => {
    await stage.settled(found());
    const told = ['adopting a token created earlier'];
    expect(stage.logs.messages('info').filter((message) => told.includes(message))).to.deep.equal(told);
    const again = new IssueStage();
    await again.settled(found(), { intent: anIntent({ startedAt: at(STARTED), phase: 'Verifying' }) });
    expect(again.logs.messages('info')).to.not.include.members(told);
    expect(again.logs.messages('debug')).to.include.members(told);
  });

  it('counts the life of a token that it gave by the registry’s clock', async () => {
    stage.skew = 2 * HOUR;
    const { status } = await stage.settled(found());
    expect(status.token?.issuedAt).to.equal(at(STARTED + 2 * HOUR));
  });

  it('has what else came of it revoked', async () => {
    const { status } = await stage.settled({ ...found(), strays: [STRAY] } as Settlement);
    expect(idsToRevoke(status)).to.deep.equal(['stray', 'token-1']);
    expect(status.previousTokens?.[0]).to.deep.equal({ ...STRAY, revokeAt: at(20 * HOUR) });
  });

  it('does not write the Secret again that holds the token already, and records it as if it had', async () => {
    const { status } = await stage.settled(found(), { secret: ours({ holds: 'token-2' }) });
    expect(status).to.have.nested.property('token.id', 'token-2');
    expect(status.secretRef).to.include({ name: 'app', uid: 'secret-uid', resourceVersion: '7' });
    expect(status.secretRef).to.have.property('appliedHash');
    expect(stage.hosts).to.deep.equal([]);
  });

  const written: [what: string, secret: SecretView][] = [
    [
      'writes the Secret that holds the token with another host',
      ours({ holds: 'token-2', host: 'old.example' }),
    ],
    [
      'writes the Secret that holds the token and is not as wanted',
      ours({ holds: 'token-2', current: false }),
    ],
  ];
  for (const [what, secret] of written)
    it(what, async () => {
      const { status } = await stage.settled(found(), { secret });
      expect(status).to.have.nested.property('token.id', 'token-2');
      expect(status.secretRef).to.deep.equal({ name: 'app', uid: 'secret-uid' });
      expect(stage.hosts).to.deep.equal([HOST]);
    });

  const unwanted: [what: string, how: Parameters<IssueStage['settle']>[1], issued?: Partial<typeof NEW>][] = [
    ['of another kind than is wanted by now', { intent: anIntent({ specHash: 'of another access' }) }],
    ['of another place than is wanted by now', { intent: anIntent({ place: ELSEWHERE }) }],
    ['while it is not known at which place one is wanted', { wanted: aWanted({ place: undefined }) }],
    ['that has expired meanwhile', {}, { expiresAt: NOW }],
  ];
  for (const [what, how, issued] of unwanted)
    it(`uses no token ${what}: it is to be revoked where it was issued`, async () => {
      const status = await stage.given(found({ ...NEW, ...issued }), how);
      expect(idsToRevoke(status)).to.deep.equal(['token-2']);
      expect(status.previousTokens?.[0]?.place).to.deep.equal(how?.intent?.place ?? PLACE);
      expect(stage.did).to.deep.equal([]);
      expect(stage.lost, 'its result is known').to.deep.equal([]);
    });

  const clocks: [what: string, skew: number, expiresAt: number, used: boolean][] = [
    ['uses a token that lives by the registry’s clock', -2 * HOUR, NOW - HOUR, true],
    ['uses no token that has expired by the registry’s clock', 2 * HOUR, NOW + HOUR, false],
  ];
  for (const [what, skew, expiresAt, used] of clocks)
    it(what, async () => {
      Object.assign(stage, { skew });
      const ended = await stage.settle(found({ ...NEW, expiresAt }));
      expect('lost' in ended).to.equal(!used);
    });

  for (const stranded of [false, true])
    it(`that ${stranded ? 'is given up' : 'gave nothing'} says so, has its strays revoked and what may come of it looked for`, async () => {
      const status = await stage.given({ result: 'lost', strays: [STRAY] }, { stranded });
      expect(idsToRevoke(status)).to.deep.equal(['stray']);
      expect(stage.lost, 'told to the sweep').to.deep.equal(['us-south']);
    });

  it('is not given up before it is written down where its token may come', async () => {
    const failure = new Error('the API server is down');
    stage.noting = Promise.reject(failure);
    stage.noting.catch(() => undefined);
    const ended = await stage.settle({ result: 'lost', strays: [] }).catch((error: unknown) => error);
    expect(ended).to.equal(failure);
  });

  it('that may still give one waits', async () => {
    const until = NOW + 10 * SECOND;
    const pending = { result: 'pending', reason: 'MintUnconfirmed', message: 'not yet', until } as const;
    const ended = await stage.settled(pending);
    expect(ended).to.deep.include({ until, secretHolds: true });
    expect(ended.outcome).to.deep.equal({ kind: 'held', reason: 'MintUnconfirmed', message: 'not yet' });
    expect(ended.status.mintIntent).to.include({ revision: REVISION });
  });

  it('at a registry that fails is reported, and the intent stays', async () => {
    const ended = await stage.settled(new RegistryError('Unavailable', 'no answer'));
    expect(stage.reported[0]).to.include({ reason: 'RegistryUnavailable' });
    expect(ended.status.mintIntent).to.include({ revision: REVISION });
    expect(ended.secretHolds).to.equal(true);
  });

  const refused = new RegistryError('Forbidden', 'the project may not be seen');

  it('of a spec that was corrected is given up where the account may not look, and what may come of it is looked for', async () => {
    await stage.given(refused, { intent: anIntent({ specHash: 'of a mistyped scope' }) });
    expect([stage.did, stage.lost, stage.reported]).to.deep.equal([[], ['us-south'], []]);
  });

  it('at a place where the account does not lead any more stays, whatever is wanted by now', async () => {
    stage.reach = 'elsewhere';
    const gone = new RegistryError('InvalidRequest', 'the account does not lead there any more');
    const ended = await stage.settled(gone, { intent: anIntent({ specHash: 'of a mistyped scope' }) });
    expect(ended.status.mintIntent).to.include({ revision: REVISION });
    expect(stage.lost).to.deep.equal([]);
  });

  const kept: [what: string, error: RegistryError, specHash: string | undefined][] = [
    ['where the account may not look stays while the spec is the same', refused, undefined],
    [
      'of a spec that was corrected stays while the registry only fails',
      new RegistryError('Unavailable', 'no answer'),
      'of a mistyped scope',
    ],
  ];
  for (const [what, error, specHash] of kept)
    it(what, async () => {
      const ended = await stage.settled(
        error,
        specHash === undefined ? {} : { intent: anIntent({ specHash }) },
      );
      expect(ended.status.mintIntent).to.include({ revision: REVISION });
      expect(stage.lost).to.deep.equal([]);
    });
});
