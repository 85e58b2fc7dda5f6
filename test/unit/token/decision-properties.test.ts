import { expect } from 'chai';
import * as fc from 'fast-check';
import type { RegistryToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import { toTime } from '../../../src/api/syntax/time.ts';
import { decide } from '../../../src/token/decide/decision.ts';
import { mintAllowance, mintTimesField } from '../../../src/token/decide/mint-budget.ts';
import { nextLook } from '../../../src/token/lifecycle/next-look.ts';
import { expiryOf } from '../../../src/token/lifecycle/schedule.ts';
import type { Situation } from '../../../src/token/decide/situation.ts';
import { withFailure } from '../../../src/token/lifecycle/failure.ts';
import {
  ABSENT,
  anIntent,
  aRecord,
  aSituation,
  aWanted,
  DAY,
  FOREIGN,
  HOUR,
  ISSUED,
  ours,
  SECOND,
} from '../../support/builders.ts';

/** Times within days of each other, and some of a clock that stood years ahead or behind. */
const moments = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: ISSUED - 3 * DAY, max: ISSUED + 3 * DAY }) },
  { weight: 1, arbitrary: fc.constantFrom(0, ISSUED - 3650 * DAY, ISSUED + 3650 * DAY) },
);
const times = moments.map(toTime);

function maybe<T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq });
}

const specs: fc.Arbitrary<RegistryToken['spec']> = fc.oneof(
  fc.record({
    lifetime: fc.constantFrom('24h', '2m'),
    access: fc.constantFrom('ReadOnly' as const, 'ReadWrite' as const),
    region: fc.constantFrom('us-south', 'eu-de'),
    suspend: fc.boolean(),
    rotation: fc.oneof(
      fc.constantFrom({}, { policy: 'Manual' as const }),
      fc.integer({ min: 60, max: 119 }).map((seconds) => ({ renewBefore: `${seconds}s` })),
    ),
  }),
  fc.record({
    lifetime: fc.constant('Never'),
    rotation: fc.constantFrom({}, { rotateEvery: '1m' }, { rotateEvery: '876000h' }),
  }),
);

const records = fc
  .record({
    issuedAt: times,
    expiresAt: maybe(times),
    revision: fc.nat(99),
    specHash: fc.constantFrom(aWanted().specHash, 'other'),
  })
  .map((part) => aRecord(part));

/** Failures as they are recorded. */
const failures: fc.Arbitrary<RegistryTokenStatus> = fc
  .record({
    failedAttempts: fc.nat(99),
    retryable: fc.boolean(),
    retryAfter: maybe(fc.constantFrom(0, 30 * SECOND, 1e300)),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    when: moments,
    reason: fc.constantFrom(
      'RegistryUnavailable' as const,
      'RegistryForbidden' as const,
      'SecretNotWritten' as const,
    ),
  })
  .map(({ failedAttempts, retryable, retryAfter, random, when, reason }) => {
    const failure = { reason, message: 'no', retryable, retryAfter } as const;
    return withFailure({ failedAttempts }, failure, when, random);
  });

const statuses: fc.Arbitrary<RegistryTokenStatus> = fc
  .record({
    observedGeneration: fc.constantFrom(1, 2),
    token: maybe(records, 5),
    mintIntent: maybe(times.map((startedAt) => anIntent({ startedAt }))),
    mintTimes: fc.array(times, { maxLength: 8 }),
    requestedMintTimes: fc.array(times, { maxLength: 24 }),
    failure: maybe(failures),
  })
  .map(
    ({ failure, ...status }) => JSON.parse(JSON.stringify({ ...status, ...failure })) as RegistryTokenStatus,
  );

const secrets = fc.constantFrom(
  ABSENT,
  FOREIGN,
  ours(),
  ours({ current: false }),
  ours({ holds: undefined, current: false }),
  ours({ holds: 'token-9', locked: true }),
);

/** Situations of any history and clock, sane or not. */
const situations: fc.Arbitrary<Situation> = fc
  .record({
    spec: specs,
    status: statuses,
    now: moments,
    secret: secrets,
    olderClaimant: maybe(fc.constant('elder'), 8),
    accountProblem: maybe(fc.constant('no key')),
    accountChangedAt: maybe(moments),
    tokenIsGone: fc.boolean(),
    valueIsKnown: fc.boolean(),
    mintBudget: fc.nat(5),
    contestedUntil: maybe(moments),
    hostTryAt: maybe(moments),
  })
  .map(({ spec, status, ...rest }) => {
    const situation = aSituation({ token: { spec }, ...rest });
    return { ...situation, token: { ...situation.token, status } };
  });

function always(name: string, check: (situation: Situation) => void): void {
  it(name, () => {
    fc.assert(fc.property(situations, check), { numRuns: 2000 });
  });
}

describe('for any history and clock', () => {
  always('something is to be done now, or the next time lies ahead: nothing loops', (situation) => {
    const decision = decide(situation);
    if ('until' in decision && decision.until !== undefined)
      expect(decision.until).to.be.above(situation.now);
  });

  always('nothing is held back for more than two hours, save by a fight', (situation) => {
    const decision = decide({ ...situation, contestedUntil: undefined });
    if (decision.action === 'hold' && decision.until !== undefined)
      expect(decision.until - situation.now).to.be.below(2 * HOUR);
  });

  always('the Secret is only written with a living token', (situation) => {
    if (decide(situation).action !== 'write') return;
    const { now, tokenIsGone } = situation;
    const record = situation.token.status?.token ?? aRecord({ account: 'none' });
    expect(tokenIsGone).to.be.false;
    expect(expiryOf(record)).to.be.above(now);
  });

  always('nothing is minted while an intent is open', (situation) => {
    if (situation.token.status?.mintIntent) expect(decide(situation).action).to.not.equal('mint');
  });

  always('nothing at all is done while suspended', (situation) => {
    if (situation.spec.suspend) expect(decide(situation)).to.include({ action: 'hold', reason: 'Suspended' });
  });

  always('a mint comes within the budget', (situation) => {
    const { token, wanted, spec, now, mintBudget } = situation;
    const decision = decide(situation);
    if (decision.action !== 'mint' || mintBudget === 0) return;
    const { count, window } = mintAllowance(decision.reason, mintBudget, token.status, {
      lifetime: wanted.lifetime,
      rotation: spec.rotation,
    });
    const recent = (token.status?.[mintTimesField(decision.reason)] ?? [])
      .map(Date.parse)
      .filter((time) => time > now - window && time <= now);
    expect(recent.length).to.be.below(count);
  });

  always('the next look is at least a second away', (situation) => {
    const { token, spec, now } = situation;
    const decision = decide(situation);
    const outcome =
      decision.action === 'hold'
        ? ({ kind: 'held', reason: decision.reason, message: decision.message } as const)
        : ({ kind: 'done' } as const);
    const until = 'until' in decision ? decision.until : undefined;
    const look = nextLook(token, spec, token.status ?? {}, outcome, until, { now, registryNow: now });
    if (look !== undefined) expect(look).to.be.at.least(SECOND);
  });

  always('whatever waits for the clock is looked at again no later than it can go on', (situation) => {
    const { token, spec, now } = situation;
    const decision = decide(situation);
    if (decision.action !== 'hold' || decision.until === undefined) return;
    const { reason, message, until } = decision;
    const look = nextLook(token, spec, token.status ?? {}, { kind: 'held', reason, message }, until, {
      now,
      registryNow: now,
    });
    expect(look).to.be.at.most(Math.max(until - now, SECOND));
  });
});

describe('for any clock and registry, even without a budget', () => {
  /** When a token ends, counted from its issue by this cluster's clock. */
  const ends = fc.integer({ min: -2 * DAY, max: 2 * DAY });

  it('a token that was just issued is not replaced within the next 3 seconds', () => {
    fc.assert(
      fc.property(
        ends,
        maybe(fc.integer({ min: 60, max: 86_399 })),
        fc.nat(3 * SECOND),
        (end, margin, later) => {
          const rotation = margin === undefined ? {} : { renewBefore: `${margin}s` };
          const token = {
            spec: { rotation },
            status: { token: aRecord({ expiresAt: toTime(ISSUED + end) }) },
          };
          const decision = decide(aSituation({ token, now: ISSUED + later, mintBudget: 0 }));
          expect(decision.action).to.not.equal('mint');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('for any edit that asks for no other token', () => {
  const durations = fc.constantFrom('1m', '1h', '23h59m59s');
  const edits: fc.Arbitrary<RegistryToken['spec']> = fc.record(
    {
      description: fc.stringMatching(/^[a-z ]{0,20}$/),
      rotation: fc.record(
        {
          policy: fc.constantFrom('Auto' as const, 'Manual' as const),
          renewBefore: durations,
          gracePeriod: fc.constantFrom('0s', '1m', '720h'),
        },
        { requiredKeys: [] },
      ),
      secret: fc.record(
        {
          name: fc.stringMatching(/^[a-z]{1,9}$/),
          extraHosts: fc.subarray(['mirror.example.com', 'localhost:5000']),
          labels: fc
            .subarray(['red', 'blue'])
            .map((names) => Object.fromEntries(names.map((each) => [each, '']))),
          annotations: fc.string().map((note) => ({ note })),
        },
        { requiredKeys: [] },
      ),
      serviceAccounts: fc.subarray(['default', 'builder']),
      suspend: fc.boolean(),
      deletionPolicy: fc.constantFrom('Delete' as const, 'Retain' as const),
      region: fc.constant('us-south'),
      lifetime: fc.constantFrom('24h', '1440m', '23h60m', '86400s'),
      accountRef: fc.constantFrom({}, { name: 'default' }),
    },
    { requiredKeys: [] },
  );
  const marks = fc.dictionary(fc.stringMatching(/^x-[a-z]{1,9}$/), fc.string());
  const views = fc.constantFrom(ABSENT, ours(), ours({ current: false }));

  it('the fingerprint stays, and nothing is minted', () => {
    fc.assert(
      fc.property(edits, marks, views, (spec, labels, secret) => {
        const metadata = { generation: 2, labels, annotations: labels };
        const situation = aSituation({ now: ISSUED, token: { spec, metadata }, secret });
        expect(situation.wanted.specHash).to.equal(aWanted().specHash);
        expect(decide(situation).action).to.not.equal('mint');
      }),
      { numRuns: 1000 },
    );
  });
});
