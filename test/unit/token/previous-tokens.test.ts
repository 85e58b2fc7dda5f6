import { expect } from 'chai';
import type { PreviousToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import {
  dueForRevocation,
  specHashesOf,
  withGrace,
  withPreviousToken,
  withRevocationFailure,
  withTokensInGrace,
  withoutPrevious,
} from '../../../src/token/lifecycle/previous-tokens.ts';
import {
  anIntent,
  aPrevious,
  aRecord,
  at,
  HOUR,
  ISSUED,
  MINUTE,
  PLACE,
  SECOND,
} from '../../support/builders.ts';

const NOW = ISSUED + HOUR;
const FAILURE = {
  reason: 'RegistryUnavailable',
  message: 'us.icr.io does not answer',
  retryable: true,
} as const;

const ids = ({ previousTokens = [] }: RegistryTokenStatus): string[] => previousTokens.map(({ id }) => id);

describe('a quota of a registry that is used up', () => {
  const quota = {
    reason: 'RegistryQuotaExceeded',
    message: 'the quota is used up',
    retryable: false,
  } as const;
  const elsewhere = { ...PLACE, endpoint: 'https://elsewhere.example' };
  const told = (...previousTokens: PreviousToken[]): string =>
    withTokensInGrace(quota, { previousTokens }, PLACE).message;

  it('is told with the previous tokens there that are in their grace period', () => {
    expect(told(aPrevious({ id: 'one' }), aPrevious({ id: 'two' }))).to.equal(
      'the quota is used up; 2 tokens there are previous ones of this RegistryToken in its grace period: shorten spec.rotation.gracePeriod to have them revoked sooner',
    );
    expect(told(aPrevious())).to.equal(
      'the quota is used up; 1 token there is a previous one of this RegistryToken in its grace period: shorten spec.rotation.gracePeriod to have it revoked sooner',
    );
  });
  it('is told as it is where none is, or where they are elsewhere or can not be revoked', () => {
    expect(told()).to.equal(quota.message);
    expect(told(aPrevious({ place: elsewhere }), aPrevious({ attempts: 1 }))).to.equal(quota.message);
  });
  it('is the only failure that is told so', () => {
    expect(withTokensInGrace(FAILURE, { previousTokens: [aPrevious()] }, PLACE)).to.equal(FAILURE);
  });
});

describe('a grace period', () => {
  const inGrace = (revokeAt: string): RegistryTokenStatus => ({ previousTokens: [aPrevious({ revokeAt })] });
  const after = (revokeAt: string, grace: number): string | undefined =>
    withGrace(inGrace(revokeAt), grace, NOW).previousTokens?.[0]?.revokeAt;

  it('that is as it was moves nothing, however its end was rounded', () => {
    const status = inGrace(at(2 * HOUR));
    expect(withGrace(status, HOUR, NOW)).to.equal(status);
    expect(withGrace(status, HOUR - 999, NOW)).to.equal(status);
  });
  it('that was lengthened moves nothing: what was promised stays', () =>
    expect(after(at(HOUR + MINUTE), HOUR)).to.equal(at(HOUR + MINUTE)));
  it('that was shortened counts from now', () =>
    expect(after(at(2 * HOUR), MINUTE)).to.equal(at(HOUR + MINUTE)));
  it('of nothing ends at once', () => expect(after(at(2 * HOUR), 0)).to.equal(at(HOUR)));
});

describe('revocation', () => {
  const status = { previousTokens: [aPrevious(), aPrevious({ id: 'other' })] };

  it('is of one token alone, whatever another registry gave the same identifier', () => {
    const elsewhere = { endpoint: 'https://elsewhere.example', identity: 'https://elsewhere.example' };
    const there = aPrevious({ place: elsewhere });
    const both = { previousTokens: [aPrevious(), there] };
    expect(withoutPrevious(both, there).previousTokens).to.deep.equal([aPrevious()]);
    const { previousTokens = [] } = withRevocationFailure(both, there, FAILURE, NOW, 0);
    expect(previousTokens.map(({ attempts = 0 }) => attempts)).to.deep.equal([0, 1]);
    const successor = aRecord({ place: elsewhere, revision: 2 });
    const moved = withPreviousToken({ token: successor }, aRecord(), HOUR, NOW);
    expect(moved.previousTokens?.map(({ id, place }) => ({ id, place }))).to.deep.equal([
      { id: aRecord().id, place: PLACE },
    ]);
  });
  it('strikes off what is gone', () => {
    expect(ids(withoutPrevious(status, aPrevious()))).to.deep.equal(['other']);
    expect(ids(withoutPrevious({}, aPrevious()))).to.deep.equal([]);
  });
  it('counts a failure of its own, and says when to try again', () => {
    const [failed, other] = withRevocationFailure(status, aPrevious(), FAILURE, NOW, 0).previousTokens ?? [];
    expect(failed).to.deep.equal({
      ...aPrevious(),
      attempts: 1,
      lastError: 'us.icr.io does not answer',
      nextAttemptTime: at(HOUR + 2 * SECOND),
    });
    expect(other).to.deep.equal(aPrevious({ id: 'other' }));
  });
  it('cuts what the registry said to what a status holds, never within a character', () => {
    const failure = { ...FAILURE, message: `x${'😀'.repeat(1000)}` };
    const { lastError = '' } =
      withRevocationFailure(status, aPrevious(), failure, NOW, 0).previousTokens?.[0] ?? {};
    expect(lastError).to.have.lengthOf.at.most(1024);
    expect(lastError.isWellFormed()).to.be.true;
  });

  const rows: [string, Partial<PreviousToken>, boolean][] = [
    ['is due when the grace period is over', { revokeAt: at(HOUR) }, true],
    ['is not due before', { revokeAt: at(HOUR + SECOND) }, false],
    ['is not due before its next try', { revokeAt: at(0), nextAttemptTime: at(HOUR + SECOND) }, false],
    ['is due at its next try', { revokeAt: at(0), nextAttemptTime: at(HOUR) }, true],
    ['is due where its time can not be read', { revokeAt: 'soon' }, true],
  ];
  for (const [name, part, due] of rows) {
    it(name, () => {
      const token = aPrevious(part);
      expect(dueForRevocation({ previousTokens: [token] }, NOW)).to.deep.equal(due ? [token] : []);
    });
  }
  it('has nothing due where there is nothing', () => expect(dueForRevocation({}, NOW)).to.deep.equal([]));
});

describe('what the tokens of a RegistryToken were made for', () => {
  it('is what status says of those in force, to be revoked and to come', () => {
    const status = {
      token: aRecord({ specHash: 'a' }),
      mintIntent: anIntent({ specHash: 'b' }),
      previousTokens: [aPrevious({ specHash: 'c' }), aPrevious({ specHash: 'a' }), aPrevious()],
    };
    expect([...specHashesOf(status)]).to.deep.equal(['a', 'b', 'c']);
    expect([...specHashesOf({})]).to.deep.equal([]);
  });
});
