import { expect } from 'chai';
import type { MintIntent, PreviousToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import {
  nextRevision,
  withIntent,
  withLostIntent,
  withStrays,
  withToken,
  withUsedRevision,
  withoutIntent,
} from '../../../src/token/lifecycle/mint-steps.ts';
import { withoutPrevious } from '../../../src/token/lifecycle/previous-tokens.ts';
import {
  anIntent,
  aPrevious,
  aRecord,
  at,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  SECOND,
  PLACE,
} from '../../support/builders.ts';

const NOW = ISSUED + HOUR;
const { revision: _, startedAt: __, ...WHAT } = anIntent();
const BUDGET = { count: 5, window: HOUR };

const previous = (count: number): PreviousToken[] =>
  Array.from({ length: count }, (_each, index) => aPrevious({ id: `old-${index}`, revision: index + 1 }));
const ids = ({ previousTokens = [] }: RegistryTokenStatus): string[] => previousTokens.map(({ id }) => id);

describe('the next revision', () => {
  const rows: [string, RegistryTokenStatus, number][] = [
    ['is 1 at first', {}, 1],
    ['follows the token in force', { token: aRecord({ revision: 3 }) }, 4],
    ['follows an open intent', { token: aRecord({ revision: 3 }), mintIntent: anIntent({ revision: 4 }) }, 5],
    [
      'follows the highest of earlier tokens',
      { token: aRecord({ revision: 3 }), previousTokens: [aPrevious({ revision: 9 }), aPrevious()] },
      10,
    ],
    [
      'follows one that was used and is named nowhere else',
      { token: aRecord({ revision: 3 }), lastRevision: 4 },
      5,
    ],
  ];
  for (const [name, status, revision] of rows) {
    it(name, () => expect(nextRevision(status)).to.equal(revision));
  }
});

describe('an intent', () => {
  const intended = withIntent({ token: aRecord(), mintTimes: [at(30 * MINUTE)] }, WHAT, BUDGET, NOW + 999);

  it('says what is about to be minted, and counts it', () => {
    expect(intended).to.deep.equal({
      token: aRecord(),
      mintIntent: { ...WHAT, revision: 2, startedAt: at(HOUR) },
      mintTimes: [at(30 * MINUTE), at(HOUR)],
    });
  });
  it('takes another revision than an intent that it replaces', () => {
    expect(withIntent(intended, WHAT, BUDGET, NOW).mintIntent.revision).to.equal(3);
  });
  it('gives its revision and its place in the budget back, where nothing was minted', () => {
    expect(withoutIntent(intended)).to.deep.equal({ token: aRecord(), mintTimes: [at(30 * MINUTE)] });
  });
  it('gives back only its own place, where two began in the same second', () => {
    const twice = withIntent(intended, WHAT, BUDGET, NOW);
    expect(withoutIntent(twice).mintTimes).to.deep.equal([at(30 * MINUTE), at(HOUR)]);
  });
  it('gives back even the only place that is taken', () => {
    expect(withoutIntent(withIntent({}, WHAT, BUDGET, NOW))).to.deep.equal({ mintTimes: [] });
  });
  it('counts what was asked for by itself, and gives it back from there', () => {
    const asked = { ...WHAT, reason: 'RotationRequested' };
    const status = withIntent({ mintTimes: [at(HOUR)] }, asked, BUDGET, NOW);
    expect(status).to.deep.include({ mintTimes: [at(HOUR)], requestedMintTimes: [at(HOUR)] });
    expect(withoutIntent(status)).to.deep.equal({ mintTimes: [at(HOUR)], requestedMintTimes: [] });
  });
  it('gives nothing back, where there is none', () => {
    const status = { token: aRecord(), mintTimes: [at(HOUR)] };
    expect(withoutIntent(status)).to.deep.equal(status);
  });
});

describe('the revision of a mint that left no token to use', () => {
  const inForce: RegistryTokenStatus = { token: aRecord({ revision: 2 }) };
  const stray = { id: 'stray', revision: 3, account: 'default', region: 'us-south', place: PLACE };
  const lost = withLostIntent(
    withStrays({ ...inForce, mintIntent: anIntent({ revision: 3 }) }, [stray], NOW),
  );

  it('is used up, also once its stray is revoked', () => {
    expect(lost).to.not.have.property('mintIntent');
    expect(nextRevision(withoutPrevious(lost, aPrevious({ id: 'stray' })))).to.equal(4);
  });
  it('stays used up when another is begun that surely does not happen', () => {
    const failed = withoutIntent(withIntent(lost, WHAT, BUDGET, NOW));
    expect(nextRevision(withoutPrevious(failed, aPrevious({ id: 'stray' })))).to.equal(4);
  });
  it('stays used up when it is replaced by one that surely does not happen', () => {
    const open = { ...inForce, mintIntent: anIntent({ revision: 3 }) };
    const failed = withoutIntent(withIntent(open, WHAT, BUDGET, NOW));
    expect(nextRevision(failed)).to.equal(4);
  });
  it('stays mentioned where an earlier one is to be', () => {
    expect(withUsedRevision({ token: aRecord(), lastRevision: 4 }, 3)).to.include({ lastRevision: 4 });
  });
  it('needs no mention any more when a later token is in force', () => {
    const record = aRecord({ id: 'token-4', revision: 4 });
    expect(withToken(lost, record, WHAT, 0, NOW)).to.not.have.property('lastRevision');
  });
});

describe('a new token', () => {
  const fresh = aRecord({ id: 'token-2', revision: 2, issuedAt: at(HOUR), expiresAt: at(25 * HOUR) });
  const place = (status: RegistryTokenStatus, grace = 10 * MINUTE) =>
    withToken(status, fresh, status.mintIntent ?? WHAT, grace, NOW);

  it('takes the place of its predecessor, and ends the intent and all failures', () => {
    const status = {
      observedGeneration: 4,
      host: 'us.icr.io',
      token: aRecord({ scope: ['team-a'] }),
      mintIntent: anIntent(),
      mintTimes: [at(0)],
      failedAttempts: 3,
      lastFailure: { time: at(0), reason: 'RegistryUnavailable', message: 'no' },
      nextRetryTime: at(HOUR),
    };
    expect(place(status)).to.deep.equal({
      observedGeneration: 4,
      host: 'us.icr.io',
      token: fresh,
      mintTimes: [at(0)],
      lastRotation: { time: at(HOUR), reason: 'RenewalDue' },
      previousTokens: [
        {
          id: 'token-1',
          revision: 1,
          specHash: aRecord().specHash,
          scope: ['team-a'],
          account: 'default',
          region: 'us-south',
          place: PLACE,
          issuedAt: at(0),
          expiresAt: at(DAY),
          revokeAt: at(70 * MINUTE),
        },
      ],
    });
  });

  const graces: [string, object, number, number, string][] = [
    ['after the grace period', {}, 10 * MINUTE, NOW, at(70 * MINUTE)],
    ['never before the grace period is over', {}, 10 * MINUTE, NOW + 1, at(70 * MINUTE + SECOND)],
    ['at once without one', {}, 0, NOW + 999, at(HOUR)],
    [
      'after the grace period, though it expires before, by a clock that may be wrong',
      { expiresAt: at(65 * MINUTE) },
      10 * MINUTE,
      NOW,
      at(70 * MINUTE),
    ],
    ['when it has surely expired, if that is sooner', {}, 72 * HOUR, NOW, at(2 * DAY)],
    [
      'after the grace period, though it never expires',
      { expiresAt: undefined },
      10 * MINUTE,
      NOW,
      at(70 * MINUTE),
    ],
    [
      'within the calendar, after a very long one',
      { expiresAt: undefined },
      1e16,
      NOW,
      '9999-12-31T23:59:59Z',
    ],
  ];
  for (const [name, part, grace, now, revokeAt] of graces) {
    it(`has its predecessor revoked ${name}`, () => {
      const [retired] = withToken({ token: aRecord(part) }, fresh, WHAT, grace, now).previousTokens ?? [];
      expect(retired).to.have.property('revokeAt', revokeAt);
    });
  }

  it('answers the request to rotate that its intent was for', () => {
    expect(place({ mintIntent: anIntent({ rotate: '7' }) })).to.have.property('lastHandledRotate', '7');
    expect(place({ mintIntent: anIntent({ rotate: '' }) })).to.have.property('lastHandledRotate', '');
    expect(place({ mintIntent: anIntent(), lastHandledRotate: '6' })).to.have.property(
      'lastHandledRotate',
      '6',
    );
  });
  it('has no predecessor at first, nor when it is recorded twice', () => {
    expect(ids(place({}))).to.deep.equal([]);
    expect(ids(place({ token: fresh }))).to.deep.equal([]);
  });
  it('is never among those to revoke', () => {
    expect(ids(place({ previousTokens: [aPrevious({ id: 'token-2' }), aPrevious()] }))).to.deep.equal([
      'token-0',
    ]);
  });
  it('has the oldest predecessors revoked now, where more than 48 are left: none is left out', () => {
    const waiting = previous(62).map((each) => ({ ...each, revokeAt: at(DAY) }));
    const { previousTokens = [] } = place({ token: aRecord(), previousTokens: waiting });
    expect(ids({ previousTokens })).to.deep.equal([...waiting.map(({ id }) => id), 'token-1']);
    const early = previousTokens.filter(({ revokeAt }) => revokeAt === at(HOUR));
    expect(early).to.deep.equal(waiting.slice(0, 15).map((each) => ({ ...each, revokeAt: at(HOUR) })));
  });
});

const nonceOf = ({ mintIntent: { nonce } }: { mintIntent: MintIntent }) =>
  nonce === undefined ? {} : { nonce };
const stray = (id: string) => ({ id, revision: 2, account: 'default', region: 'us-south', place: PLACE });

describe('strays', () => {
  it('are revoked at once', () => {
    expect(withStrays({ previousTokens: [aPrevious()] }, [stray('stray')], NOW).previousTokens).to.deep.equal(
      [aPrevious(), { ...stray('stray'), revokeAt: at(HOUR) }],
    );
  });
  it('are never the token in force', () => {
    expect(ids(withStrays({ token: aRecord() }, [stray('token-1')], NOW))).to.deep.equal([]);
  });
  it('are listed once, with what is known of them', () => {
    const status = { previousTokens: [aPrevious({ id: 'stray', attempts: 3 })] };
    expect(withStrays(status, [stray('stray')], NOW)).to.deep.equal(status);
  });
  it('leave room for the token in force; those without room are left to the sweep, by their mint', () => {
    const strays = Array.from({ length: 100 }, (_each, index) => stray(`stray-${index}`));
    const open = { mintIntent: anIntent(), previousTokens: previous(1) };
    const noted = withStrays(open, strays, NOW);
    expect(ids(noted)).to.deep.equal(['old-0', ...strays.slice(0, 62).map(({ id }) => id)]);
    expect(noted.lostIntents).to.deep.equal([{ revision: anIntent().revision, ...nonceOf(open) }]);
    expect(noted.mintIntent).to.deep.equal(anIntent());
    expect(withStrays(noted, strays, NOW)).to.deep.equal(noted);
  });
});

describe('a token that nobody can revoke', () => {
  it('is left to its end once another takes its place', () => {
    const before: RegistryTokenStatus = { token: aRecord({ revocable: false }), mintTimes: [at(0)] };
    const next = aRecord({ id: 'token-2', revision: 2, revocable: false });
    const status = withToken(before, next, WHAT, HOUR, NOW);
    expect(status).to.include({ token: next }).and.not.have.any.keys('previousTokens', 'mintIntent');
  });
});
