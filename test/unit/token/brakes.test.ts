import { expect } from 'chai';
import * as fc from 'fast-check';
import { decide } from '../../../src/token/decide/decision.ts';
import type { PlaceState } from '../../../src/token/decide/situation.ts';
import {
  ABSENT,
  aPrevious,
  aRecord,
  aSituation,
  aWanted,
  at,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  SECOND,
} from '../../support/builders.ts';
import {
  askedSpent,
  budgetSpent,
  decisions,
  due,
  failing,
  mint,
  NOW,
  RETRY,
  ROTATE,
} from '../../support/decisions.ts';

const place = (kind: 'Down' | 'Paused', message: string, wait: number, isTried = false): PlaceState => ({
  outage: { kind, message, retryAt: NOW + wait, isTried },
  backAt: undefined,
});
const down = (wait: number, isTried = false): PlaceState => place('Down', 'it is down', wait, isTried);
const paused = (wait: number): PlaceState => place('Paused', 'it is paused', wait);
const backAt = (time: number): PlaceState => ({ outage: undefined, backAt: time });

const previous = (count: number) =>
  Array.from({ length: count }, (_each, index) => aPrevious({ id: `old-${index}` }));

describe('a brake', () => {
  describe('keeps a wanted mint waiting', () => {
    decisions([
      [
        'while the Secret is immutable',
        { token: { status: due }, secret: ours({ locked: true }) },
        {
          action: 'hold',
          reason: 'SecretConflict',
          message: "Secret app is immutable and can't be written; delete it, and it is made anew",
          until: NOW + MINUTE,
        },
      ],
      [
        'while the account is not ready',
        { token: { status: due }, accountProblem: 'Secret ibm-cloud does not exist' },
        {
          action: 'hold',
          reason: 'AccountNotReady',
          message: 'RegistryAccount default is not ready: Secret ibm-cloud does not exist',
          until: undefined,
        },
      ],
      [
        'while it is not known yet whether the account is ready',
        { token: { status: due }, accountIsKnown: false },
        {
          action: 'hold',
          reason: 'Rotating',
          message: 'the credentials of RegistryAccount default are being read',
        },
      ],
      [
        'the first one too',
        { token: { status: { token: undefined } }, secret: ABSENT, accountIsKnown: false },
        { action: 'hold', reason: 'Issuing' },
      ],
      [
        'and says the same as before a restart if it was not ready then',
        { token: { status: { ...due, reason: 'AccountNotReady' } }, accountIsKnown: false },
        { action: 'hold', reason: 'AccountNotReady' },
      ],
      [
        'after a failure, with what it said',
        { token: { status: { ...due, ...failing() } } },
        {
          action: 'hold',
          reason: 'RegistryUnavailable',
          message: `us.icr.io does not answer; will retry at ${at(HOUR + 50 * SECOND)}`,
          until: RETRY,
        },
      ],
      [
        'after a failure that somebody has to see to, with what it said',
        {
          token: {
            status: {
              ...due,
              ...failing('RegistryForbidden', 'no'),
            },
          },
        },
        {
          action: 'hold',
          reason: 'RegistryForbidden',
          message: `no; will retry at ${at(HOUR + 50 * SECOND)}`,
          until: RETRY,
        },
      ],
      [
        'after a token that was dead when it came',
        { token: { status: { token: aRecord({ issuedAt: at(58 * MINUTE), expiresAt: at(0) }) } } },
        {
          action: 'hold',
          reason: 'ClockSkew',
          message: `the token issued at ${at(58 * MINUTE)} was to expire at ${at(0)}: the clock of this cluster or of the registry is wrong; the next is created at ${at(63 * MINUTE)}`,
          until: ISSUED + 63 * MINUTE,
        },
      ],
      [
        'but not after one that came with five seconds to live',
        {
          token: {
            status: { token: aRecord({ issuedAt: at(HOUR - 8 * SECOND), expiresAt: at(HOUR - 3 * SECOND) }) },
          },
        },
        mint('TokenExpired'),
      ],
      [
        'but not longer than five minutes',
        { token: { status: { token: aRecord({ issuedAt: at(55 * MINUTE), expiresAt: at(0) }) } } },
        mint('TokenExpired'),
      ],
      [
        'and not until the clock comes to when that was, if it was set back',
        { token: { status: { token: aRecord({ issuedAt: at(61 * MINUTE), expiresAt: at(0) }) } } },
        mint('TokenExpired'),
      ],
      [
        'while too many earlier tokens are not revoked for another to be kept track of',
        { token: { status: { ...due, previousTokens: previous(63) } } },
        {
          action: 'hold',
          reason: 'MintBudgetExceeded',
          message:
            '63 earlier tokens are not revoked yet, as many as are kept track of; will issue the next once there are fewer',
          until: NOW + MINUTE,
        },
      ],
      [
        'but not while there is room',
        { token: { status: { ...due, previousTokens: previous(62) } } },
        mint('RenewalDue'),
      ],
      [
        'while the place is down: those who wait for it go on when it answers',
        { token: { status: due }, place: down(MINUTE) },
        {
          action: 'hold',
          reason: 'RegistryUnavailable',
          message: 'it is down; will retry as soon as it answers',
          until: NOW + MINUTE,
          awaitsPlace: true,
        },
      ],
      [
        'while the place is being asked whether it is still down',
        { token: { status: due }, place: down(0, true) },
        { action: 'hold', reason: 'RegistryUnavailable', awaitsPlace: true },
      ],
      [
        'while the place is being asked, though people ask for a rotation, which then looks for itself',
        { token: { metadata: { annotations: { [ROTATE]: 'now' } } }, place: down(5 * SECOND, true) },
        { action: 'hold', reason: 'RegistryUnavailable', until: NOW + 5 * SECOND, awaitsPlace: false },
      ],
      [
        'while the registry asked to wait, even if people ask for a rotation',
        { token: { metadata: { annotations: { [ROTATE]: 'now' } } }, place: paused(MINUTE) },
        {
          action: 'hold',
          reason: 'RegistryRateLimited',
          message: 'it is paused',
          until: NOW + MINUTE,
          awaitsPlace: false,
        },
      ],
      [
        'but not when the place that is down is to be tried again',
        { token: { status: { ...due, ...failing() } }, place: down(0) },
        mint('RenewalDue'),
      ],
      [
        'nor when people ask for a rotation, though the place is down',
        { token: { metadata: { annotations: { [ROTATE]: 'now' } }, status: failing() }, place: down(MINUTE) },
        mint('RotationRequested'),
      ],
      [
        'while the mint budget is used up',
        { token: { status: { ...due, ...budgetSpent } } },
        {
          action: 'hold',
          reason: 'MintBudgetExceeded',
          message: `the token expires at ${at(80 * MINUTE)}, but 5 tokens were issued within 1h, as many as the operator's mint budget allows; will issue the next at ${at(65 * MINUTE)}`,
          until: ISSUED + 65 * MINUTE,
        },
      ],
      [
        'but not where one exchange serves all, and nothing runs out',
        { token: { status: { ...due, ...budgetSpent } }, wanted: aWanted({ issue: 'exchanged' }) },
        mint('RenewalDue'),
      ],
      [
        'while all that people may ask for within an hour is used up',
        { token: { metadata: { annotations: { [ROTATE]: 'leak' } }, status: askedSpent } },
        {
          action: 'hold',
          reason: 'MintBudgetExceeded',
          message: `annotation pullsecrets.dev/rotate has a new value, but 20 tokens were issued within 1h, as many as the operator's mint budget allows; will issue the next at ${at(61 * MINUTE)}`,
          until: ISSUED + 61 * MINUTE,
        },
      ],
      [
        'but not a rotation that people ask for while the schedule has used up its budget',
        { token: { metadata: { annotations: { [ROTATE]: 'leak' } }, status: budgetSpent } },
        mint('RotationRequested'),
      ],
      [
        'but not what the schedule needs while people have used up theirs',
        {
          token: {
            metadata: { annotations: { [ROTATE]: 'leak' } },
            status: { ...due, ...askedSpent },
          },
        },
        mint('RenewalDue'),
      ],
      [
        'and names the first of these',
        { token: { status: { ...due, ...failing() } }, accountProblem: 'no key' },
        { reason: 'AccountNotReady' },
      ],
      [
        'the first one too, and writes no Secret without a token',
        { token: { status: { token: undefined } }, secret: ABSENT, accountProblem: 'no key' },
        { action: 'hold', reason: 'AccountNotReady' },
      ],
      [
        'but not while the budget is off',
        { token: { status: { ...due, ...budgetSpent } }, mintBudget: 0 },
        mint('RenewalDue'),
      ],
    ]);
  });

  describe('ends the wait after a failure', () => {
    const held = { ...due, ...failing() };
    decisions([
      ['when its time has come', { now: RETRY, token: { status: held } }, mint('RenewalDue')],
      [
        'but not before, not even within the second of the failure',
        { now: NOW - 10 * SECOND, token: { status: held } },
        { action: 'hold' },
      ],
      [
        'when the place has answered since',
        { token: { status: held }, place: backAt(NOW - 10 * SECOND) },
        mint('RenewalDue'),
      ],
      [
        'but not when the place answered before it',
        { token: { status: held }, place: backAt(NOW - 10 * SECOND - 1) },
        { action: 'hold', until: RETRY },
      ],
      [
        'nor when it is to answer in the future',
        { token: { status: held }, place: backAt(NOW + 1) },
        { action: 'hold', until: RETRY },
      ],
      [
        'nor when the place has answered since, and it was an answer that failed',
        {
          token: { status: { ...due, ...failing('RegistryForbidden', 'no') } },
          place: backAt(NOW - SECOND),
        },
        { action: 'hold', until: RETRY },
      ],
      [
        'when the spec was changed',
        { token: { metadata: { generation: 2 }, status: held } },
        mint('RenewalDue'),
      ],
      [
        'when the account was changed after it',
        { token: { status: held }, accountChangedAt: NOW - 9 * SECOND },
        mint('RenewalDue'),
      ],
      [
        'when the account was changed just now',
        { token: { status: held }, accountChangedAt: NOW },
        mint('RenewalDue'),
      ],
      [
        'but not when the account was changed before it',
        { token: { status: held }, accountChangedAt: NOW - MINUTE },
        { action: 'hold' },
      ],
      [
        'but not when the account was changed within the second of the failure',
        { token: { status: held }, accountChangedAt: NOW - 9_001 },
        { action: 'hold' },
      ],
      [
        'but not for a change seen before the clock was set back',
        { token: { status: held }, accountChangedAt: NOW + DAY },
        { action: 'hold' },
      ],
      [
        'when a rotation is asked for now',
        { token: { metadata: { annotations: { [ROTATE]: 'now' } }, status: held } },
        mint('RotationRequested'),
      ],
      [
        'when another is asked for than was tried last',
        {
          token: {
            metadata: { annotations: { [ROTATE]: 'again' } },
            status: { ...held, lastTriedRotate: 'now' },
          },
        },
        mint('RotationRequested'),
      ],
      [
        'but not again and again for the one that was tried last',
        {
          token: {
            metadata: { annotations: { [ROTATE]: 'now' } },
            status: { ...held, lastTriedRotate: 'now' },
          },
        },
        { action: 'hold' },
      ],
      [
        'but not for one that was carried out before',
        {
          token: {
            metadata: { annotations: { [ROTATE]: 'now' } },
            status: { ...held, lastHandledRotate: 'now' },
          },
        },
        { action: 'hold' },
      ],
      [
        'when the failure lies ahead, because the clock was set back',
        {
          token: {
            status: {
              ...held,
              lastFailure: { ...held.lastFailure, time: at(90 * DAY) },
              nextRetryTime: at(91 * DAY),
            },
          },
        },
        mint('RenewalDue'),
      ],
    ]);

    it('and hangs on no condition: whatever they say, the decision is the same', () => {
      const type = fc.constantFrom('Ready', 'Reconciling', 'Stalled', 'RevocationPending', 'Other');
      const condition = fc.record({
        type,
        status: fc.constantFrom('True' as const, 'False' as const),
        reason: fc.constantFrom('Verifying', 'MintUnconfirmed', 'SecretConflict', 'RegistryForbidden'),
        message: fc.string(),
        lastTransitionTime: fc.constant(at(0)),
      });
      fc.assert(
        fc.property(fc.array(condition, { maxLength: 5 }), (conditions) => {
          const status = { ...held, conditions };
          expect(decide(aSituation({ token: { status } }))).to.deep.equal(
            decide(aSituation({ token: { status: held } })),
          );
        }),
      );
    });
  });

  describe('keeps a wanted write waiting', () => {
    decisions([
      [
        'while the Secret is immutable',
        { secret: ours({ locked: true, holds: undefined }) },
        { action: 'hold', reason: 'SecretConflict', until: NOW + MINUTE },
      ],
      [
        'while somebody else keeps changing it',
        { secret: ours({ holds: undefined, editor: 'argocd' }), contestedUntil: NOW + 90 * SECOND },
        {
          action: 'hold',
          reason: 'SecretContested',
          message:
            'argocd keeps changing Secret app, so it is repaired ever more rarely; stop the other writer, or choose another spec.secret.name',
          until: NOW + 90 * SECOND,
        },
      ],
      [
        'after the API server refused it',
        { secret: ABSENT, token: { status: failing('SecretNotWritten', 'quota exceeded') } },
        {
          action: 'hold',
          reason: 'SecretNotWritten',
          message: `quota exceeded; will retry at ${at(HOUR + 50 * SECOND)}`,
          until: RETRY,
        },
      ],
      [
        'after the registry failed, when it must be asked for the value',
        { secret: ABSENT, valueIsKnown: false, token: { status: failing() } },
        { action: 'hold', reason: 'RegistryUnavailable', until: RETRY },
      ],
    ]);

    it('and wakes for the mint or the write, whichever may go first', () => {
      const secret = ours({ holds: undefined });
      const token = { status: { ...due, ...failing() } };
      for (const [contestedUntil, until] of [
        [NOW + HOUR, RETRY],
        [NOW + SECOND, NOW + SECOND],
      ]) {
        const decision = decide(aSituation({ secret, token, contestedUntil }));
        expect(decision).to.deep.include({ action: 'hold', reason: 'RegistryUnavailable', until });
      }
      const decision = decide(
        aSituation({
          secret,
          token: { status: due },
          accountProblem: 'no key',
          contestedUntil: NOW + SECOND,
        }),
      );
      expect(decision).to.deep.include({ reason: 'AccountNotReady', until: NOW + SECOND });
    });
  });
});
