import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Lifetimes } from '../../../src/api/capabilities.ts';
import type { Lifetime } from '../../../src/api/registry-token.ts';
import { formatDuration } from '../../../src/api/syntax/duration.ts';
import {
  allowsAnyLifetime,
  describeLifetimes,
  lifetimeLimits,
  settleLifetime,
  type LifetimeLimits,
} from '../../../src/token/decide/lifetimes.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../support/builders.ts';

type Range = Extract<Lifetimes, { kind: 'range' }>;
type Outcome = ReturnType<typeof settleLifetime>;

/** Tokens for whole hours up to a week, or for ever; for a day unless told. */
const HOURS: Range = {
  kind: 'range',
  minimum: 2 * HOUR,
  maximum: 7 * DAY,
  granularity: HOUR,
  never: true,
  default: DAY,
};
const ENDLESS: Range = { ...HOURS, maximum: undefined, default: 'Never' };
const FIXED: Lifetimes = { kind: 'fixed', expected: 12 * HOUR };

const upTo = (maxLifetime?: string, allowNeverExpiring = false): LifetimeLimits =>
  lifetimeLimits({ limits: { allowNeverExpiring, ...(maxLifetime !== undefined && { maxLifetime }) } });
const ANY = upTo();
const given = (inUse: Lifetime, atRegistry = inUse): Outcome => ({ inUse, given: atRegistry });
const notOffered = (message: string): Outcome => ({ problem: 'not offered', message });
const notAllowed = (message: string): Outcome => ({ problem: 'not allowed', message });

describe('a lifetime', () => {
  const rows: [what: string, Lifetime | undefined, Lifetimes, LifetimeLimits, Outcome][] = [
    ['that the registry has is given as it is', 3 * HOUR, HOURS, ANY, given(3 * HOUR)],
    ['is the longest that the registry has', 7 * DAY, HOURS, ANY, given(7 * DAY)],
    ['that was not asked for is the default of the registry', undefined, HOURS, ANY, given(DAY)],
    [
      'between two that the registry has is rounded up',
      3 * HOUR + 1,
      HOURS,
      ANY,
      given(3 * HOUR + 1, 4 * HOUR),
    ],
    ['below the shortest is raised to that', MINUTE, HOURS, ANY, given(MINUTE, 2 * HOUR)],
    [
      'below a shortest that is no multiple of the granularity is raised to one',
      MINUTE,
      { ...HOURS, minimum: 90 * MINUTE },
      ANY,
      given(MINUTE, 2 * HOUR),
    ],
    ['above the longest is none', 7 * DAY + SECOND, HOURS, ANY, notOffered('has tokens for at most 168h')],
    ['of a registry without a longest can be any', 9999 * DAY, ENDLESS, ANY, given(9999 * DAY)],
    ['without end is given where both have it', 'Never', HOURS, upTo('1h', true), given('Never')],
    [
      'without end is none where the registry has none',
      'Never',
      { ...HOURS, never: false },
      upTo(undefined, true),
      notOffered('has no tokens that never expire'),
    ],
    [
      'without end is none where the account does not allow it',
      'Never',
      HOURS,
      ANY,
      notAllowed('does not allow tokens that never expire'),
    ],
    ['exactly at the limit of the account is given', 12 * HOUR, HOURS, upTo('12h'), given(12 * HOUR)],
    [
      'above the limit of the account is none',
      13 * HOUR,
      HOURS,
      upTo('12h'),
      notAllowed('allows at most 12h'),
    ],
    [
      'below the limit is given, though the next that the registry has would be above',
      12 * HOUR,
      HOURS,
      upTo('12h1m'),
      given(12 * HOUR),
    ],
    [
      'that only rounding brings above the limit is none, and that is said',
      12 * HOUR + MINUTE,
      HOURS,
      upTo('12h1m'),
      notAllowed('allows at most 12h1m, and a token for 12h1m lives 13h'),
    ],
    [
      'that only the shortest of the registry brings above the limit is none',
      HOUR,
      HOURS,
      upTo('90m'),
      notAllowed('allows at most 90m, and a token for 1h lives 2h'),
    ],
    ['by default is cut to the limit of the account', undefined, HOURS, upTo('12h'), given(12 * HOUR)],
    [
      'by default is cut to what the registry has within the limit',
      undefined,
      HOURS,
      upTo('150m'),
      given(2 * HOUR),
    ],
    ['by default is not raised to the limit', undefined, HOURS, upTo('48h'), given(DAY)],
    [
      'by default is none where the limit is below all that the registry has',
      undefined,
      HOURS,
      upTo('1h'),
      notAllowed('allows at most 1h'),
    ],
    [
      'by default never ends where registry and account have it so',
      undefined,
      { ...HOURS, default: 'Never' },
      upTo('1h', true),
      given('Never'),
    ],
    [
      'by default is the longest that ends where the account does not allow one without end',
      undefined,
      { ...HOURS, default: 'Never' },
      ANY,
      given(7 * DAY),
    ],
    [
      'by default is the longest that the account allows, where that decides',
      undefined,
      ENDLESS,
      upTo('48h'),
      given(2 * DAY),
    ],
    [
      'by default is none where nothing says how long it could be',
      undefined,
      ENDLESS,
      ANY,
      notAllowed('does not allow tokens that never expire'),
    ],
    [
      'under a limit that can not be read is none',
      HOUR,
      HOURS,
      upTo('a week'),
      notAllowed('allows at most a week, and a token for 1h lives 2h'),
    ],
    ['that the registry decides is that', undefined, FIXED, ANY, given(12 * HOUR)],
    ['shorter than what the registry decides ends its use', HOUR, FIXED, ANY, given(HOUR, 12 * HOUR)],
    ['longer than what the registry decides is that', DAY, FIXED, ANY, given(12 * HOUR)],
    [
      'without end is none where the registry decides',
      'Never',
      FIXED,
      upTo(undefined, true),
      notOffered('has no tokens that never expire'),
    ],
    [
      'that the registry decides is none above the limit, however short its use',
      HOUR,
      FIXED,
      upTo('11h'),
      notAllowed('allows at most 11h, and a token lives 12h'),
    ],
  ];
  for (const [what, asked, offer, limits, outcome] of rows)
    it(what, () => expect(settleLifetime(asked, offer, limits)).to.deep.equal(outcome));

  const seconds = fc.integer({ min: 1, max: 400_000 }).map((count) => count * SECOND);
  const offers: fc.Arbitrary<Range> = fc
    .record({
      granularity: fc.constantFrom(SECOND, MINUTE, HOUR, DAY),
      minimum: seconds,
      more: fc.option(fc.nat(1000), { nil: undefined }),
      never: fc.boolean(),
      preferred: fc.option(fc.nat(1000), { nil: undefined }),
    })
    .map(({ granularity, minimum, more, never, preferred }) => {
      const shortest = Math.ceil(minimum / granularity) * granularity;
      const maximum = more === undefined ? undefined : shortest + more * granularity;
      const fallback = Math.min(shortest + (preferred ?? 0) * granularity, maximum ?? Infinity);
      return {
        kind: 'range',
        minimum,
        maximum,
        granularity,
        never,
        default: never && preferred === undefined ? 'Never' : fallback,
      };
    });
  const asked = fc.option(fc.oneof(seconds, fc.constant('Never' as const)), { nil: undefined });
  const limits: fc.Arbitrary<LifetimeLimits> = fc
    .tuple(fc.option(seconds, { nil: undefined }), fc.boolean())
    .map(([maximum, never]) => upTo(maximum === undefined ? undefined : formatDuration(maximum), never));

  it('that is given is one that the registry has, no shorter than its use, and within the limits', () => {
    fc.assert(
      fc.property(asked, offers, limits, (wanted, offer, allowed) => {
        const settled = settleLifetime(wanted, offer, allowed);
        if ('problem' in settled) return;
        if (wanted !== undefined) expect(settled.inUse).to.equal(wanted);
        if (settled.given === 'Never' || settled.inUse === 'Never') {
          expect([settled.given, settled.inUse]).to.deep.equal(['Never', 'Never']);
          expect(offer.never && allowed.allowNeverExpiring).to.equal(true);
          return;
        }
        expect(settled.given)
          .to.be.at.least(settled.inUse)
          .and.at.most(allowed.maximum)
          .and.within(offer.minimum, offer.maximum ?? Number.MAX_SAFE_INTEGER);
        expect(settled.given % offer.granularity).to.equal(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('that the registry decides is in use no longer than it is given, and given within the limit', () => {
    fc.assert(
      fc.property(asked, seconds, limits, (wanted, expected, allowed) => {
        const settled = settleLifetime(wanted, { kind: 'fixed', expected }, allowed);
        if ('problem' in settled) return;
        expect(settled.given).to.equal(expected).and.at.most(allowed.maximum);
        expect(settled.inUse).to.be.at.most(expected);
      }),
    );
  });

  it('is there for who asks for none, wherever the account allows one that ends', () => {
    fc.assert(
      fc.property(offers, seconds, (offer, maximum) => {
        const allowed = upTo(formatDuration(maximum));
        const settled = settleLifetime(undefined, offer, allowed);
        expect('problem' in settled).to.equal(!allowsAnyLifetime(offer, allowed));
      }),
      { numRuns: 2000 },
    );
  });

  it('that the registry decides is there for all whom the account allows one as long', () => {
    for (const [limit, allowed] of [
      [ANY, true],
      [upTo('12h'), true],
      [upTo('11h'), false],
    ] as const)
      expect(allowsAnyLifetime(FIXED, limit)).to.equal(allowed);
  });

  const texts: [Lifetimes, string][] = [
    [HOURS, '2h to 168h, or Never'],
    [{ ...HOURS, never: false }, '2h to 168h'],
    [{ ...HOURS, minimum: DAY, maximum: DAY }, '24h, or Never'],
    [ENDLESS, '2h or more, or Never'],
    [FIXED, '12h'],
  ];
  for (const [offer, text] of texts)
    it(`can be said to be ${text}`, () => expect(describeLifetimes(offer)).to.equal(text));
});

describe('limits of lifetimes', () => {
  it('are strict about tokens that never expire, and leave the rest to the registry', () => {
    const strict = { maximum: Infinity, maxLifetime: undefined, allowNeverExpiring: false };
    expect(lifetimeLimits({})).to.deep.equal(strict);
    expect(lifetimeLimits({ limits: {} })).to.deep.equal(strict);
  });
  it('are as the account has them', () => {
    const limits = { maxLifetime: '90m', allowNeverExpiring: true };
    expect(lifetimeLimits({ limits })).to.deep.equal({ ...limits, maximum: 90 * MINUTE });
  });
});
