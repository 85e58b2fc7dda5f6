import { expect } from 'chai';
import * as fc from 'fast-check';
import type { RegistryTokenStatus, TokenRecord } from '../../../src/api/registry-token.ts';
import { toTime } from '../../../src/api/syntax/time.ts';
import { decide } from '../../../src/token/decide/decision.ts';
import { withFailure } from '../../../src/token/lifecycle/failure.ts';
import {
  nextRevision,
  withIntent,
  withStrays,
  withToken,
  withoutIntent,
} from '../../../src/token/lifecycle/mint-steps.ts';
import {
  dueForRevocation,
  hasRoomForMint,
  withRevocationFailure,
  withoutPrevious,
} from '../../../src/token/lifecycle/previous-tokens.ts';
import {
  anIntent,
  aPrevious,
  aRecord,
  aSituation,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  SECOND,
} from '../../support/builders.ts';

/** One step; `count` is that of the steps before it. */
type Step = (status: RegistryTokenStatus, now: number, count: number) => RegistryTokenStatus;

const { revision: _, startedAt: __, ...WHAT } = anIntent();
const BUDGET = { count: 5, window: HOUR };
const FAILURE = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true } as const;

const place = (status: RegistryTokenStatus, record: Partial<TokenRecord>, now: number): RegistryTokenStatus =>
  withToken(
    status,
    aRecord({ issuedAt: toTime(now), expiresAt: toTime(now + DAY), ...record }),
    WHAT,
    HOUR,
    now,
  );

const STEPS: Record<string, Step> = {
  begin: (status, now) => withIntent(status, WHAT, BUDGET, now),
  finish: (status, now, count) =>
    status.mintIntent
      ? place(status, { id: `token-${count}`, revision: status.mintIntent.revision }, now)
      : status,
  mint: (status, now, count) => {
    const intended = withIntent(status, WHAT, BUDGET, now);
    return place(intended, { id: `token-${count}`, revision: intended.mintIntent.revision }, now);
  },
  abandon: (status) => withoutIntent(status),
  fail: (status, now) => withFailure(status, FAILURE, now, 0.5),
  findStray: (status, now, count) => {
    const found = (count % 2 === 0 && status.token) || aPrevious({ id: `stray-${count % 5}` });
    const { id, revision, account, region, place: where } = found;
    return withStrays(status, [{ id, revision, account, region, place: where }], now);
  },
  revoke: (status, now) =>
    dueForRevocation(status, now).reduce((rest, token) => withoutPrevious(rest, token), status),
  failToRevoke: (status, now) =>
    dueForRevocation(status, now).reduce(
      (rest, token) => withRevocationFailure(rest, token, FAILURE, now, 0.5),
      status,
    ),
};

/** Adopts a token that was taken for lost before: no step of a sane history, but previous tokens must bear it. */
const readopt: Step = (status, now) => {
  const found = status.previousTokens?.[0];
  return found ? place(status, { id: found.id, revision: found.revision }, now) : status;
};

/** Steps with pauses between them, the clock being set years forward or back now and then. */
function histories(available: Record<string, Step>, maxLength: number) {
  const pauses = fc.oneof(
    { weight: 8, arbitrary: fc.nat(2 * DAY) },
    { weight: 1, arbitrary: fc.constantFrom(-3650 * DAY, 3650 * DAY) },
  );
  return fc.array(fc.tuple(fc.constantFrom(...Object.keys(available)), pauses), {
    maxLength,
    // Else ten steps at most, whatever maxLength says.
    size: 'max',
  });
}

/** Takes one step after another and checks what each makes of the status. */
function live(
  history: readonly (readonly [string, number])[],
  available: Record<string, Step>,
  check: (status: RegistryTokenStatus, before: RegistryTokenStatus) => void,
): { status: RegistryTokenStatus; now: number } {
  let status: RegistryTokenStatus = {};
  let now = ISSUED;
  for (const [count, [name, pause]] of history.entries()) {
    now += pause;
    const next = available[name]?.(status, Math.max(0, now), count) ?? status;
    check(next, status);
    status = next;
  }
  return { status, now: Math.max(0, now) };
}

describe('for any sequence of steps', () => {
  it('revisions strictly increase, from token to token and from intent to intent', () => {
    fc.assert(
      fc.property(histories(STEPS, 30), (history) => {
        live(history, STEPS, (status, before) => {
          if (status.token && status.token.id !== before.token?.id)
            expect(status.token.revision).to.be.above(before.token?.revision ?? 0);
          if (status.mintIntent && before.mintIntent && status.mintIntent !== before.mintIntent)
            expect(status.mintIntent.revision).to.be.above(before.mintIntent.revision);
          expect(nextRevision(status)).to.be.above(status.token?.revision ?? 0);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('previous tokens are at most 64, each once, and never the one in force', () => {
    const available = { ...STEPS, readopt };
    fc.assert(
      fc.property(histories(available, 100), (history) => {
        live(history, available, ({ token, previousTokens = [] }) => {
          const ids = previousTokens.map(({ id }) => id);
          expect(ids).to.have.lengthOf.at.most(64);
          expect(new Set([...ids, token?.id]).size).to.equal(ids.length + 1);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('a token is recorded from its mint until it is revoked, however many mints come before that', () => {
    const { revoke, failToRevoke, fail } = STEPS as Record<'revoke' | 'failToRevoke' | 'fail', Step>;
    const issued = new Set<string>();
    const created = (id: string): string => {
      issued.add(id);
      return id;
    };
    /** A mint, where none is held back, that leaves a token in force, or one of no use. */
    const mint =
      (isOfUse: boolean): Step =>
      (status, now, count) => {
        if (!hasRoomForMint(status)) return status;
        const intended = withIntent(status, WHAT, BUDGET, now);
        const { revision, account, region } = intended.mintIntent;
        const { place: where } = aRecord();
        const id = created(`token-${count}`);
        return isOfUse
          ? place(intended, { id, revision }, now)
          : withStrays(intended, [{ id, revision, account, region, place: where }], now);
      };
    const available = {
      revoke: (status, now, count) => {
        for (const { id } of dueForRevocation(status, now)) issued.delete(id);
        return revoke(status, now, count);
      },
      failToRevoke,
      fail,
      ...Object.fromEntries(Array.from({ length: 40 }, (_each, index) => [`mint-${index}`, mint(true)])),
      mintOfNoUse: mint(false),
    } satisfies Record<string, Step>;
    fc.assert(
      fc.property(histories(available, 200), (history) => {
        issued.clear();
        live(history, available, ({ token, previousTokens = [] }) => {
          const known = new Set([token, ...previousTokens].map((record) => record?.id));
          expect([...issued].filter((id) => !known.has(id))).to.deep.equal([]);
          expect(previousTokens).to.have.lengthOf.at.most(64);
        });
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  it('after a mint nothing is to be done until its time comes', () => {
    const lives = fc.integer({ min: MINUTE / SECOND, max: (365 * DAY) / SECOND });
    fc.assert(
      fc.property(histories(STEPS, 15), lives, fc.nat(999), (history, life, fraction) => {
        const lived = live(history, STEPS, () => undefined);
        const now = lived.now + fraction;
        const intended = withIntent(lived.status, WHAT, BUDGET, now);
        const { revision } = intended.mintIntent;
        const fresh = place(intended, { id: 'fresh', revision, expiresAt: toTime(now + life * SECOND) }, now);
        const situation = aSituation({ now, secret: ours({ holds: 'fresh' }) });
        const token = { ...situation.token, status: { observedGeneration: 1, ...fresh } };
        const decision = decide({ ...situation, token });
        expect(decision).to.have.property('action', 'rest');
        expect(decision).to.have.property('until').above(now);
      }),
      { numRuns: 500 },
    );
  });
});
