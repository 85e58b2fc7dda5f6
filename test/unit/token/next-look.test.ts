import { expect } from 'chai';
import type { RegistryTokenStatus, TokenSpec } from '../../../src/api/registry-token.ts';
import type { Outcome } from '../../../src/token/lifecycle/conditions.ts';
import { nextLook } from '../../../src/token/lifecycle/next-look.ts';
import { rotationTime } from '../../../src/token/lifecycle/schedule.ts';
import {
  aPrevious,
  aRecord,
  aToken,
  aTokenSpec,
  at,
  HOUR,
  ISSUED,
  MINUTE,
  SECOND,
} from '../../support/builders.ts';

const NOW = ISSUED + HOUR;
const DONE: Outcome = { kind: 'done' };
const HELD: Outcome = { kind: 'held', reason: 'AccountNotReady', message: 'no key' };
const FAILED: Outcome = {
  kind: 'failed',
  failure: { reason: 'RegistryUnavailable', message: 'no answer', retryable: true },
};
const SUSPENDED: Outcome = { kind: 'held', reason: 'Suspended', message: 'suspended' };
const MANUAL = aTokenSpec({ rotation: { policy: 'Manual' } });

interface Circumstances {
  outcome?: Outcome;
  until?: number;
  spec?: TokenSpec | undefined;
  now?: number;
}

function look(status: RegistryTokenStatus, circumstances: Circumstances = {}): number | undefined {
  const { outcome, until, spec, now } = {
    outcome: DONE,
    until: undefined,
    spec: aTokenSpec(),
    now: NOW,
    ...circumstances,
  };
  return nextLook(aToken(), spec, status, outcome, until, { now, registryNow: now });
}

describe('the next look at a RegistryToken', () => {
  const token = aRecord();
  const rotation = Number(rotationTime(token, aTokenSpec().rotation, aToken().metadata.uid)) - NOW;

  const rows: [string, Parameters<typeof look>, number | undefined][] = [
    ['is never due by the clock, where nothing is', [{}], undefined],
    ['comes when the token is to be replaced', [{ token }], rotation],
    ['comes when it expires, with rotation by hand', [{ token }, { spec: MANUAL }], 23 * HOUR],
    ['comes when it expires, though the spec is invalid', [{ token }, { spec: undefined }], 23 * HOUR],
    ['comes when what holds it back ends', [{ token }, { outcome: HELD, until: NOW + MINUTE }], MINUTE],
    ['comes when a failure is to be tried again', [{ token, nextRetryTime: at(HOUR + MINUTE) }], MINUTE],
    [
      'comes when a predecessor is to be revoked',
      [{ token, previousTokens: [aPrevious({ revokeAt: at(HOUR + MINUTE) })] }],
      MINUTE,
    ],
    [
      'comes at once when one is to be revoked by now',
      [{ token, previousTokens: [aPrevious({ revokeAt: at(0) })] }],
      0,
    ],
    [
      'comes when a revocation is to be tried again',
      [{ previousTokens: [aPrevious({ revokeAt: at(0), nextAttemptTime: at(HOUR + MINUTE) })] }],
      MINUTE,
    ],
    [
      'comes at once to revoke, though something else is held back',
      [{ previousTokens: [aPrevious({ revokeAt: at(0) })] }, { outcome: HELD }],
      0,
    ],
    [
      'does not wait to revoke while it is suspended',
      [{ token, previousTokens: [aPrevious({ revokeAt: at(0) })] }, { outcome: SUSPENDED }],
      rotation,
    ],
    ['comes no sooner than in a second', [{ token }, { outcome: HELD, until: NOW + 1 }], SECOND],
    [
      'comes in a second, where a rotation came due meanwhile',
      [{ token }, { now: ISSUED + 17 * HOUR }],
      SECOND,
    ],
    [
      'does not come for what is past and held back by something else',
      [{ token: aRecord({ expiresAt: at(0) }), nextRetryTime: at(0) }, { outcome: HELD }],
      undefined,
    ],
    [
      'comes in a second, where what held it back ended meanwhile',
      [{}, { outcome: HELD, until: NOW }],
      SECOND,
    ],
    [
      'comes in a second, where it is time to try a failure again: writing the status was slow',
      [{ nextRetryTime: at(HOUR - SECOND) }, { outcome: FAILED }],
      SECOND,
    ],
  ];
  for (const [name, args, expected] of rows) {
    it(name, () => expect(look(...args)).to.equal(expected));
  }
});
