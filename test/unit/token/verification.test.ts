import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Verdict } from '../../../src/common/verdict.ts';
import {
  isWaiting,
  stakeOf,
  type Stake,
  recordedRefusal,
  rule,
  type Trial,
  type Waiting,
} from '../../../src/token/decide/verification.ts';
import type { Takeover } from '../../../src/token/secret/secret-view.ts';
import {
  ABSENT,
  anIntent,
  aPrevious,
  aSituation,
  aTokenSpec,
  aWanted,
  HOST,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  PLACE,
  SECOND,
} from '../../support/builders.ts';

const ACCEPTED: Verdict = { answer: 'accepted' };
const REFUSED: Verdict = { answer: 'refused', message: 'us.icr.io answered 401' };
const UNKNOWN: Verdict = { answer: 'unknown', message: 'us.icr.io could not be asked' };
const ADOPTED: Takeover = { from: 'Adopted', message: 'of nobody', tokenId: undefined };
/** Of a token whose mint began at `ISSUED`. */
const trial = (stake: Stake, acceptance = 0): Trial => ({ stake, startedAt: ISSUED, acceptance });
const WAITING: Waiting = {
  action: 'wait',
  refusal: 'it said no',
  message: 'it said no',
  until: ISSUED + SECOND,
};

const rows: [what: string, verdict: Verdict, before: Waiting | undefined, elapsed: number, ruling: object][] =
  [
    ['accepted', ACCEPTED, undefined, 0, { action: 'use', doubt: undefined }],
    ['accepted in the end', ACCEPTED, WAITING, 29 * SECOND, { action: 'use', doubt: undefined }],
    ['accepted, if late', ACCEPTED, WAITING, HOUR, { action: 'use', doubt: undefined }],
    ['nobody to ask', UNKNOWN, undefined, 0, { action: 'use', doubt: UNKNOWN.message }],
    ['nobody to ask for long', UNKNOWN, undefined, HOUR, { action: 'use', doubt: UNKNOWN.message }],
    [
      'refused at first',
      REFUSED,
      undefined,
      0,
      { action: 'wait', refusal: REFUSED.message, message: REFUSED.message, until: ISSUED + SECOND },
    ],
    ['refused again', REFUSED, WAITING, 4 * SECOND, { action: 'wait', until: ISSUED + 8 * SECOND }],
    ['refused near the end', REFUSED, WAITING, 20 * SECOND, { action: 'wait', until: ISSUED + 30 * SECOND }],
    [
      'refused, then nobody to ask',
      UNKNOWN,
      WAITING,
      2 * SECOND,
      { action: 'wait', refusal: WAITING.refusal },
    ],
    ['refused for too long', REFUSED, WAITING, 30 * SECOND, { action: 'refuse' }],
    ['refused, then nobody to ask for too long', UNKNOWN, WAITING, 30 * SECOND, { action: 'refuse' }],
    [
      'refused long after it was made, for the first time',
      REFUSED,
      undefined,
      HOUR,
      { action: 'wait', refusal: REFUSED.message, message: REFUSED.message, until: ISSUED + HOUR + SECOND },
    ],
    ['refused long after it was made, and again', REFUSED, WAITING, HOUR, { action: 'refuse' }],
    ['refused before it was made: the clock was set back', REFUSED, WAITING, -HOUR, { action: 'refuse' }],
  ];

describe('a new token is tried', () => {
  for (const [what, verdict, before, elapsed, ruling] of rows) {
    it(what, () => expect(rule(verdict, before, trial('nothing'), ISSUED + elapsed)).to.deep.include(ruling));
  }

  it('and refused for good: a failure that says what it is and what to do', () => {
    const ruling = rule(REFUSED, WAITING, trial('nothing'), ISSUED + HOUR);
    const failure = ruling.action === 'refuse' ? ruling.failure : undefined;
    expect(failure).to.include({ reason: 'TokenRefused', retryable: false });
    expect(failure?.message).to.include(REFUSED.message).and.include('spec.verify');
  });

  const patience: [acceptance: number, least: number, tries: number][] = [
    [0, 30 * SECOND, 8],
    [30 * SECOND, 30 * SECOND, 8],
    [300 * SECOND, 300 * SECOND, 17],
  ];
  for (const [acceptance, least, tries] of patience)
    it(`where the registry may take ${acceptance / SECOND} s: at most ${tries} times in ${least / SECOND} s, and once refused it is not used unless accepted`, () => {
      const verdicts = fc.array(fc.constantFrom(REFUSED, UNKNOWN), { minLength: tries, maxLength: tries });
      fc.assert(
        fc.property(verdicts, fc.integer({ min: 0, max: 999 }), (after, late) => {
          let now = ISSUED + late;
          let before: Waiting | undefined;
          for (const verdict of [REFUSED, ...after]) {
            const ruling = rule(verdict, before, trial('nothing', acceptance), now);
            if (ruling.action === 'refuse') {
              expect(now - ISSUED).to.be.at.least(least);
              return;
            }
            if (ruling.action === 'use') throw new Error('used');
            expect(ruling.until).to.be.above(now);
            before = ruling;
            now = ruling.until;
          }
          throw new Error('it never ended');
        }),
      );
    });

  it('for as long as the registry may take, and accepted at its end', () => {
    const late = trial('nothing', 300 * SECOND);
    const ruling = rule(REFUSED, WAITING, late, ISSUED + 299 * SECOND);
    expect(ruling).to.deep.include({ action: 'wait', until: ISSUED + 300 * SECOND });
    expect(isWaiting(ruling as Waiting, 'nothing', ISSUED + 299 * SECOND)).to.equal(true);
    expect(rule(ACCEPTED, WAITING, late, ISSUED + 300 * SECOND)).to.include({ action: 'use' });
    expect(rule(REFUSED, WAITING, late, ISSUED + 300 * SECOND)).to.include({ action: 'refuse' });
  });

  it('and left alone until it is time, unless the clock was set back', () => {
    const waiting = (later: number): boolean => isWaiting(WAITING, 'nothing', ISSUED + later);
    expect([0, 999, 1_000, 2_000, -HOUR].map(waiting)).to.deep.equal([true, true, false, false, false]);
  });

  it('by an earlier process and refused: the intent says so, and a doubt does not undo it', () => {
    const before = recordedRefusal({ phase: 'Verifying' });
    expect(before).to.include({ action: 'wait' });
    for (const phase of ['Announced', 'Unconfirmed'] as const)
      expect(recordedRefusal({ phase })).to.equal(undefined);
    expect(isWaiting(before ?? WAITING, 'nothing', ISSUED)).to.equal(false);
    expect(rule(UNKNOWN, before, trial('nothing'), ISSUED + SECOND)).to.include({ action: 'wait' });
  });
});

describe('a new token whose host is not the one that the Secret has', () => {
  const UNKNOWN_HOST: Verdict = { answer: 'unknown', message: 'moved.example could not be asked' };
  const REFUSED_THERE: Verdict = { answer: 'refused', message: 'moved.example answered 401' };
  const doubted: Waiting = { action: 'wait', refusal: undefined, message: 'before', until: ISSUED };
  const at = (elapsed: number): number => ISSUED + elapsed;
  const late = HOUR;

  it('is used with it once the registry there accepts it', () => {
    for (const stake of ['host', 'token'] as const)
      expect(rule({ answer: 'accepted' }, undefined, trial(stake), at(0))).to.deep.equal({
        action: 'use',
        doubt: undefined,
      });
  });
  it('is used beside the host that the Secret has, where both are of one place', () => {
    expect(rule(UNKNOWN_HOST, undefined, trial('host'), at(0))).to.deep.equal({
      action: 'use',
      doubt: undefined,
      keepsHost: { refused: false, message: 'moved.example could not be asked' },
    });
    expect(rule(REFUSED_THERE, undefined, trial('host'), at(late)), 'one refusal').to.include({
      action: 'wait',
    });
    expect(rule(REFUSED_THERE, WAITING, trial('host'), at(late))).to.deep.equal({
      action: 'use',
      doubt: undefined,
      keepsHost: { refused: true, message: 'moved.example answered 401' },
    });
  });
  it('of another place waits for as long as nobody knows, at growing intervals', () => {
    for (const [elapsed, pause] of [
      [0, SECOND],
      [10 * SECOND, 10 * SECOND],
      [late, 300 * SECOND],
      [-late, SECOND],
    ] as const)
      expect(rule(UNKNOWN_HOST, doubted, trial('token'), at(elapsed))).to.deep.equal({
        action: 'wait',
        refusal: undefined,
        message: UNKNOWN_HOST.message,
        until: at(elapsed) + pause,
      });
  });
  it('of another place is refused when the registry there has refused it twice, doubts aside', () => {
    const first = rule(REFUSED_THERE, doubted, trial('token'), at(late));
    expect(first).to.deep.include({ action: 'wait', refusal: REFUSED_THERE.message });
    expect(rule(REFUSED_THERE, first as Waiting, trial('token'), at(late))).to.include({ action: 'refuse' });
  });
  it('is used without being accepted when there is nothing to lose any more, and does not wait for that', () => {
    const waits = (stake: Stake): boolean => isWaiting({ ...doubted, until: at(SECOND) }, stake, at(0));
    expect((['token', 'adopted', 'host', 'nothing'] as const).map(waits)).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
    expect(isWaiting({ ...doubted, until: at(2 * late) }, 'token', at(0)), 'a clock set back').to.equal(
      false,
    );
    expect(rule(UNKNOWN_HOST, doubted, trial('nothing'), at(late))).to.deep.equal({
      action: 'use',
      doubt: UNKNOWN_HOST.message,
    });
  });
});

describe('what pods would lose by a new token', () => {
  const moved = aWanted({ host: 'moved.example' });
  const elsewhere = { ...moved, place: { ...PLACE, endpoint: 'https://moved.example' } };
  const losses: [what: string, situation: Parameters<typeof aSituation>[0], stake: Stake][] = [
    ['is nothing with the host that the Secret has', {}, 'nothing'],
    ['is the host, where the account names another', { wanted: moved }, 'host'],
    [
      'is the host that the Secret has, whatever the status still says',
      { secret: ours({ host: 'written.example' }) },
      'host',
    ],
    [
      'is the host that the status names, where that of the Secret is not known',
      { secret: ours({ host: undefined }), token: { status: { host: 'written.example' } } },
      'host',
    ],
    ['is the token too, where it is of another place', { wanted: elsewhere }, 'token'],
    [
      'is the token too, where only the endpoint is another',
      { wanted: { ...elsewhere, host: HOST } },
      'token',
    ],
    [
      'is that too where the account does not have tokens tried',
      { wanted: elsewhere, verifies: false },
      'token',
    ],
    [
      'is nothing where another region was asked for and the account does not have tokens tried',
      { spec: aTokenSpec({ region: 'eu-de' }), wanted: { ...elsewhere, region: 'eu-de' }, verifies: false },
      'nothing',
    ],
    [
      'is the token where another region was asked for and the account has tokens tried',
      { spec: aTokenSpec({ region: 'eu-de' }), wanted: { ...elsewhere, region: 'eu-de' } },
      'token',
    ],
    [
      'is the token where the account has another default, whatever it says of trying tokens',
      { wanted: { ...elsewhere, region: 'eu-de' }, verifies: false },
      'token',
    ],
    [
      'is the token where another region was asked for',
      { wanted: { ...elsewhere, region: 'eu-de' } },
      'token',
    ],
    [
      'is the token where another region was asked for, though one API issues for both',
      { spec: aTokenSpec({ region: 'eu-de' }), wanted: { ...elsewhere, place: PLACE, region: 'eu-de' } },
      'token',
    ],
    [
      'is the token where it may do something else, which the registry takes its time for',
      { wanted: aWanted({ specHash: 'another', settling: { acceptance: 5 * MINUTE, listing: 0 } }) },
      'token',
    ],
    [
      'is nothing where it may do something else at once',
      { wanted: aWanted({ specHash: 'another', settling: { acceptance: 30 * SECOND, listing: 0 } }) },
      'nothing',
    ],
    [
      'is nothing where it may do something else later and the account does not have tokens tried',
      {
        wanted: aWanted({ specHash: 'another', settling: { acceptance: 5 * MINUTE, listing: 0 } }),
        verifies: false,
      },
      'nothing',
    ],
    [
      'is the credential in a Secret to be adopted',
      { secret: ours({ holds: undefined, takeover: ADOPTED }) },
      'adopted',
    ],
    [
      'is nothing in a Secret to be adopted where the account does not have tokens tried',
      { secret: ours({ holds: undefined, takeover: ADOPTED }), verifies: false },
      'nothing',
    ],
    [
      'is the host of a token that only the Secret names, since the status could not be written',
      {
        wanted: moved,
        secret: ours({ holds: 'token-2' }),
        token: { status: { mintIntent: anIntent() } },
      },
      'host',
    ],
    [
      'is the token of a first request whose status could not be written, with a host that nothing names any more',
      {
        secret: ours({ holds: 'token-1', host: undefined }),
        token: { status: { token: undefined, host: undefined, mintIntent: anIntent({ revision: 1 }) } },
      },
      'token',
    ],
    [
      'is the token where the Secret holds what may have come of a request that was given up, with another host',
      {
        wanted: moved,
        secret: ours({ holds: 'token-2' }),
        token: { status: { mintIntent: anIntent(), lostIntents: [{ revision: 1 }] } },
      },
      'token',
    ],
    [
      'is that too where no request is open',
      {
        wanted: moved,
        secret: ours({ holds: 'token-2' }),
        token: { status: { lostIntents: [{ revision: 2 }] } },
      },
      'token',
    ],
    [
      'is nothing of that once the token in force has expired',
      {
        wanted: moved,
        secret: ours({ holds: 'token-2' }),
        token: { status: { lostIntents: [{ revision: 2 }] } },
        now: ISSUED + 48 * HOUR,
      },
      'nothing',
    ],
    [
      'is nothing where it holds that with the host that is wanted',
      {
        secret: ours({ holds: 'token-2' }),
        token: { status: { mintIntent: anIntent(), lostIntents: [{ revision: 1 }] } },
      },
      'nothing',
    ],
    [
      'is the previous token that the Secret still holds, where another place is wanted',
      {
        wanted: { ...elsewhere, place: { ...PLACE, endpoint: 'https://moved.example' } },
        secret: ours({ holds: 'token-0' }),
        token: { status: { previousTokens: [aPrevious({ id: 'token-0' })] } },
      },
      'token',
    ],
    [
      'is the host where nobody can tell which token the Secret holds: it may be the one in force',
      { wanted: moved, secret: ours({ holds: undefined, host: undefined }) },
      'host',
    ],
    [
      'is nothing where nobody can tell that, once the token in force has expired',
      {
        wanted: moved,
        secret: ours({ holds: undefined, host: undefined }),
        now: ISSUED + 48 * HOUR,
      },
      'nothing',
    ],
    [
      'is nothing where nobody can tell that and another place is wanted: the Secret is to be good again',
      { wanted: elsewhere, secret: ours({ holds: undefined, host: undefined }) },
      'nothing',
    ],
    ['is nothing without a Secret', { wanted: elsewhere, secret: ABSENT }, 'nothing'],
    [
      'is nothing where the Secret holds another token',
      { wanted: elsewhere, secret: ours({ holds: 'x' }) },
      'nothing',
    ],
    ['is nothing where the registry lost the token', { wanted: elsewhere, tokenIsGone: true }, 'nothing'],
    ['is nothing where the token has expired', { wanted: elsewhere, now: ISSUED + 48 * HOUR }, 'nothing'],
    [
      'is nothing before there is a token',
      { wanted: elsewhere, token: { status: { token: undefined } } },
      'nothing',
    ],
  ];
  for (const [what, situation, stake] of losses)
    it(what, () => expect(stakeOf(aSituation(situation))).to.equal(stake));
});
