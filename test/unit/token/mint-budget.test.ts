import { expect } from 'chai';
import * as fc from 'fast-check';
import { readTokenSpec, type RegistryTokenSpec } from '../../../src/api/registry-token.ts';
import {
  allowedAt,
  countMint,
  mintAllowance,
  mintTimesField,
} from '../../../src/token/decide/mint-budget.ts';
import { rotationTime, type Rhythm } from '../../../src/token/lifecycle/schedule.ts';
import { aRecord, at, aToken, DAY, HOUR, ISSUED, MINUTE, SECOND } from '../../support/builders.ts';

const NOW = ISSUED + HOUR;
const anHourOf = (count: number) => ({ count, window: HOUR });
const rhythmOf = (spec: RegistryTokenSpec): Rhythm => {
  const { lifetime = DAY, rotation } = readTokenSpec(aToken({ spec }));
  return { lifetime, rotation };
};
const minutes = (...times: number[]): string[] => times.map((minute) => at(minute * MINUTE));

describe('the mint budget', () => {
  const rows: [string, string[] | undefined, number, number | undefined][] = [
    ['is free at first', undefined, 1, undefined],
    ['is free while there is some left', minutes(10, 20, 30, 40), 5, undefined],
    [
      'is free again an hour after the first of so many mints',
      minutes(10, 20, 30, 40, 50),
      5,
      ISSUED + 70 * MINUTE,
    ],
    [
      'counts the latest, where there are more than it allows',
      minutes(10, 20, 30, 40, 50),
      2,
      ISSUED + 100 * MINUTE,
    ],
    ['counts mints in any order', minutes(50, 20, 40, 10, 30), 5, ISSUED + 70 * MINUTE],
    ['does not count what is an hour old', minutes(0, 20, 30, 40, 50), 5, undefined],
    ['counts what is a second less than an hour old', [at(SECOND), ...minutes(20)], 2, NOW + SECOND],
    ['counts a mint that another clock dates a little ahead', minutes(61), 1, ISSUED + 121 * MINUTE],
    ['does not wait for a clock that was set back', [at(90 * DAY)], 1, undefined],
    ['does not count what is no time', ['soon'], 1, undefined],
    ['is without limit at 0', minutes(10, 20, 30, 40, 50), 0, undefined],
  ];
  for (const [name, times, budget, free] of rows) {
    it(name, () => expect(allowedAt(times, anHourOf(budget), NOW)).to.equal(free));
  }

  it('records a mint and forgets those that no longer count', () => {
    expect(countMint(minutes(0, 30), anHourOf(5), NOW)).to.deep.equal(minutes(30, 60));
    expect(countMint([at(90 * DAY)], anHourOf(5), NOW)).to.deep.equal(minutes(60));
    expect(countMint(undefined, anHourOf(5), NOW + 999)).to.deep.equal(minutes(60));
  });
  it('records no more than it counts', () => {
    expect(countMint(minutes(10, 20, 30), anHourOf(2), NOW)).to.deep.equal(minutes(30, 60));
    expect(countMint(minutes(10), anHourOf(0), NOW)).to.deep.equal([]);
  });

  it('allows so many mints in any hour, and no fewer, however they come', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 1800 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), pauses, (budget, seconds) => {
        const minted: number[] = [];
        let times: string[] | undefined;
        let now = ISSUED;
        for (const pause of seconds) {
          now += pause * SECOND;
          const recent = minted.filter((time) => time > now - HOUR).length;
          const free = allowedAt(times, anHourOf(budget), now);
          expect(free === undefined).to.equal(recent < budget);
          if (free !== undefined)
            expect(free)
              .to.be.above(now)
              .and.at.most(now + HOUR);
          else {
            times = countMint(times, anHourOf(budget), now);
            minted.push(now);
          }
        }
      }),
    );
  });
});

describe('what the mint budget allows', () => {
  const DAILY = rhythmOf({});
  const status = (life: number) => ({ token: aRecord({ expiresAt: at(life) }) });
  const rows: [string, ReturnType<typeof mintAllowance>, { count: number; window: number }][] = [
    ['is so many an hour', mintAllowance('RenewalDue', 5, status(DAY), DAILY), anHourOf(5)],
    [
      'is so many in what the schedule takes for them, where that is less than an hour',
      mintAllowance('RotationDue', 5, {}, rhythmOf({ lifetime: 'Never', rotation: { rotateEvery: '2m' } })),
      { count: 5, window: 5 * 0.75 * 0.95 * 2 * MINUTE },
    ],
    [
      'goes by the life that the registry really gave',
      mintAllowance('RenewalDue', 5, status(3 * MINUTE), DAILY),
      { count: 5, window: 5 * 0.75 * 0.95 * 2 * MINUTE },
    ],
    [
      'goes by the lifetime asked for, until there is a token',
      mintAllowance('FirstIssue', 5, {}, rhythmOf({ lifetime: '3m' })),
      { count: 5, window: 5 * 0.75 * 0.95 * 2 * MINUTE },
    ],
    [
      'does not follow a registry whose tokens are dead when they come',
      mintAllowance('TokenExpired', 5, status(SECOND), DAILY),
      { count: 5, window: 5 * 0.75 * 30 * SECOND },
    ],
    [
      'is so many an hour, where nothing is scheduled',
      mintAllowance('TokenLost', 5, status(MINUTE), rhythmOf({ rotation: { policy: 'Manual' } })),
      anHourOf(5),
    ],
    [
      'is four times as much for what people ask for',
      mintAllowance('RotationRequested', 5, status(MINUTE), DAILY),
      anHourOf(20),
    ],
    ['is no more than the status holds', mintAllowance('SpecChanged', 64, status(DAY), DAILY), anHourOf(64)],
    ['is without limit at 0', mintAllowance('RenewalDue', 0, status(MINUTE), DAILY), anHourOf(0)],
    [
      'is without limit at 0 for what people ask for',
      mintAllowance('AccountRotation', 0, {}, DAILY),
      anHourOf(0),
    ],
  ];
  for (const [name, allowance, expected] of rows) {
    it(name, () => {
      expect(allowance.count).to.equal(expected.count);
      expect(allowance.window).to.be.closeTo(expected.window, 1);
    });
  }

  it('counts people and schedule apart', () => {
    const reasons = ['SpecChanged', 'RotationRequested', 'AccountRotation'];
    expect(reasons.map(mintTimesField)).to.deep.equal(reasons.map(() => 'requestedMintTimes'));
    const others = ['FirstIssue', 'TokenLost', 'TokenExpired', 'RenewalDue', 'RotationDue'];
    expect(others.map(mintTimesField)).to.deep.equal(others.map(() => 'mintTimes'));
  });

  it('never runs out before the lifetime does, whatever the schedule', () => {
    const lives = fc.integer({ min: 60, max: 100_000 }).map((seconds) => seconds * SECOND);
    const margins = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(lives, margins, fc.integer({ min: 1, max: 64 }), (life, share, budget) => {
        const renewBefore = share === undefined ? undefined : Math.floor(share * life);
        const rhythm = { lifetime: life, rotation: { ...DAILY.rotation, renewBefore } };
        let times: string[] | undefined;
        let now = ISSUED;
        for (let revision = 1; revision <= 2 * budget + 2; revision++) {
          const token = aRecord({ issuedAt: at(now - ISSUED), expiresAt: at(now - ISSUED + life), revision });
          const allowance = mintAllowance('RenewalDue', budget, { token }, rhythm);
          expect(allowedAt(times, allowance, now)).to.equal(undefined);
          times = countMint(times, allowance, now);
          now = Math.ceil((rotationTime(token, rhythm.rotation, 'uid') ?? 0) / SECOND) * SECOND;
        }
      }),
    );
  });
});
