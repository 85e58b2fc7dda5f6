import { expect } from 'chai';
import type { ConditionUpdate } from '../../../src/api/conditions.ts';
import type { Reason } from '../../../src/api/reasons.ts';
import { conditionsOf, type Outcome } from '../../../src/token/lifecycle/conditions.ts';
import {
  aPrevious,
  aRecord,
  aTokenSpec,
  aWanted,
  at,
  DAY,
  HOST,
  HOUR,
  ISSUED,
  MINUTE,
} from '../../support/builders.ts';

type Facts = Parameters<typeof conditionsOf>[0];

const DONE: Outcome = { kind: 'done' };
const status = { host: HOST, token: aRecord() };
const held = (reason: Reason): Outcome => ({ kind: 'held', reason, message: 'not now' });
const refused = (reason: Reason): Outcome => ({ kind: 'refused', refusal: { reason, message: 'not so' } });
const failed = (retryable: boolean): Outcome => ({
  kind: 'failed',
  failure: { reason: retryable ? 'RegistryUnavailable' : 'RegistryForbidden', message: 'no', retryable },
});

const conditions = (part: Partial<Facts> = {}): ConditionUpdate[] =>
  conditionsOf({
    status,
    spec: aTokenSpec(),
    wanted: aWanted(),
    secretHolds: true,
    outcome: DONE,
    now: ISSUED + HOUR,
    registryNow: part.now ?? ISSUED + HOUR,
    ...part,
  });
const types = (part: Partial<Facts>): string[] => conditions(part).map(({ type }) => type);
const ready = (part: Partial<Facts> = {}): ConditionUpdate | undefined => conditions(part)[0];

const pending = (...previousTokens: ReturnType<typeof aPrevious>[]) =>
  conditions({ status: { ...status, previousTokens } }).at(-1);

describe('the conditions of a RegistryToken', () => {
  it('are Ready alone while all is well', () => {
    expect(conditions()).to.deep.equal([
      {
        type: 'Ready',
        status: 'True',
        reason: 'Issued',
        message: `Secret app holds a ReadOnly token for us.icr.io that expires at ${at(DAY)}`,
      },
    ]);
  });
  it('say so of a token that nobody knows the registry accepts', () => {
    const token = aRecord({ unverified: 'us.icr.io could not be asked' });
    expect(ready({ status: { ...status, token } })).to.deep.include({
      status: 'True',
      reason: 'Unverified',
      message: `Secret app holds a ReadOnly token for us.icr.io that expires at ${at(DAY)}, but whether the registry accepts it is not known: us.icr.io could not be asked`,
    });
  });
  it('say so of such a token before they say that clocks differ', () => {
    const token = aRecord({ unverified: 'us.icr.io could not be asked' });
    const skewed = { now: ISSUED + HOUR, registryNow: ISSUED + 2 * HOUR };
    expect(ready({ status: { ...status, token }, ...skewed })).to.include({ reason: 'Unverified' });
    expect(ready(skewed)).to.include({ reason: 'ClocksDiffer' });
  });
  it('say so of a token that never expires', () => {
    const token = aRecord({ expiresAt: undefined, access: 'ReadWrite' });
    expect(ready({ status: { ...status, token } })).to.include({
      message: 'Secret app holds a ReadWrite token for us.icr.io that never expires',
    });
  });

  describe('stay Ready while the token lives and the Secret holds it', () => {
    const outcomes: [string, Outcome][] = [
      ['though its rotation failed for a while', failed(true)],
      ['though its rotation failed for good', failed(false)],
      ['though its rotation waits', held('AccountNotReady')],
      ['though the Secret is contested', held('SecretContested')],
      ['though the budget is used up', held('MintBudgetExceeded')],
      ['while it is rotated', held('Rotating')],
    ];
    for (const [name, outcome] of outcomes) {
      it(name, () => expect(ready({ outcome })).to.include({ status: 'True', reason: 'Issued' }));
    }
    it('and is suspended, which it then says', () => {
      expect(conditions({ outcome: held('Suspended') })).to.have.length(1);
      expect(ready({ outcome: held('Suspended') })).to.include({ status: 'True', reason: 'Suspended' });
    });
  });

  it('name what keeps a host out of the Secret also while the token is rotated', () => {
    const pendingHost = { host: 'new.icr.io', since: at(0), refused: true, message: 'no such token' };
    const facts = {
      status: { ...status, pendingHost, reason: 'HostNotAccepted' },
      outcome: held('Rotating'),
    };
    expect(conditions(facts).map(({ type, reason }) => [type, reason])).to.deep.include([
      'Reconciling',
      'HostNotAccepted',
    ]);
    expect(
      conditions({ ...facts, status: { ...status, pendingHost } }).map(({ reason }) => reason),
    ).to.not.include('HostNotAccepted');
  });

  describe('are not Ready', () => {
    const rows: [string, Partial<Facts>, Partial<ConditionUpdate>][] = [
      [
        'without a token',
        { status: {}, outcome: held('Issuing') },
        { reason: 'Issuing', message: 'not now' },
      ],
      [
        'without a token, though nothing stands in the way',
        { status: {} },
        { reason: 'Issuing', message: 'a token is being issued' },
      ],
      [
        'when the token has expired',
        { now: ISSUED + DAY, outcome: failed(true) },
        { reason: 'RegistryUnavailable', message: `the token expired at ${at(DAY)}; no` },
      ],
      [
        'when the token has expired and the next try is to come',
        {
          now: ISSUED + DAY,
          status: { ...status, nextRetryTime: at(DAY + MINUTE) },
          outcome: failed(true),
        },
        {
          reason: 'RegistryUnavailable',
          message: `the token expired at ${at(DAY)}; no; will retry at ${at(DAY + MINUTE)}`,
        },
      ],
      [
        'when the token has expired for good',
        { now: ISSUED + DAY, outcome: held('TokenExpired') },
        { reason: 'TokenExpired', message: 'not now' },
      ],
      [
        'when the token has expired while suspended',
        { now: ISSUED + DAY, outcome: held('Suspended') },
        { reason: 'Suspended' },
      ],
      [
        'when the Secret does not hold the token',
        { secretHolds: false, outcome: held('SecretConflict') },
        { reason: 'SecretConflict' },
      ],
      [
        'when another token is wanted',
        { wanted: aWanted({ specHash: 'other' }), outcome: failed(false) },
        { reason: 'RegistryForbidden' },
      ],
      [
        'when what is asked for is refused',
        { wanted: undefined, outcome: refused('AccessNotAllowed') },
        { reason: 'AccessNotAllowed', message: 'not so' },
      ],
    ];
    for (const [name, part, expected] of rows) {
      it(name, () => expect(ready(part)).to.include({ status: 'False', ...expected }));
    }
  });

  describe('beside Ready, say either that work goes on or that it stands still', () => {
    const rows: [string, Outcome][] = [
      ['Reconciling', failed(true)],
      ['Reconciling', failed(false)],
      ['Reconciling', refused('NamespaceTerminating')],
      ['Reconciling', refused('AccountNotFound')],
      ['Reconciling', refused('NamespaceNotAllowed')],
      ['Reconciling', held('Issuing')],
      ['Reconciling', held('AccountNotReady')],
      ['Reconciling', held('RegistryUnauthorized')],
      ['Reconciling', held('SecretConflict')],
      ['Reconciling', held('SecretContested')],
      ['Stalled', refused('InvalidSpec')],
      ['Stalled', refused('LifetimeNotOffered')],
      ['Stalled', held('MintBudgetExceeded')],
      ['Stalled', held('TokenExpired')],
    ];
    for (const [type, outcome] of rows) {
      const { reason } =
        outcome.kind === 'refused'
          ? outcome.refusal
          : outcome.kind === 'failed'
            ? outcome.failure
            : (outcome as { reason: Reason });
      it(`${type} when ${outcome.kind} for ${reason}`, () => {
        const [, second, ...rest] = conditions({ outcome });
        expect(second).to.include({ type, status: 'True', reason });
        expect(rest).to.be.empty;
      });
    }
  });

  describe('keep saying what a try failed at while it is tried again', () => {
    const failing = (reason: Reason) => ({
      ...status,
      reason,
      lastFailure: { time: at(0), reason, message: 'it failed' },
    });
    const reason = (part: Partial<Facts>) => conditions(part)[1]?.reason;
    it('since that is not over before one succeeds', () => {
      const [, obstacle] = conditions({ status: failing('RegistryUnavailable'), outcome: held('Rotating') });
      expect(obstacle).to.include({ reason: 'RegistryUnavailable', message: 'it failed' });
    });
    it('until its token is there, unless that is what was refused before', () => {
      expect(reason({ status: failing('RegistryUnavailable'), outcome: held('Verifying') })).to.equal(
        'Verifying',
      );
      expect(reason({ status: failing('TokenRefused'), outcome: held('Verifying') })).to.equal(
        'TokenRefused',
      );
    });
    it('but not what something else came after', () => {
      const after = { ...failing('RegistryUnavailable'), reason: 'AccountNotFound' };
      expect(reason({ status: after, outcome: held('Rotating') })).to.equal('Rotating');
    });
    it('nor in place of what stands in the way now', () => {
      const outcome = held('AccountNotReady');
      expect(reason({ status: failing('RegistryUnavailable'), outcome })).to.equal('AccountNotReady');
    });
  });

  describe('tell of tokens that are still to be revoked', () => {
    it('and nothing where there are none', () => {
      expect(types({ status: { ...status, previousTokens: [] } })).to.deep.equal(['Ready']);
    });
    it('when the next one is', () => {
      const times = [3 * HOUR, HOUR, 2 * HOUR];
      expect(pending(...times.map((time) => aPrevious({ revokeAt: at(time) })))).to.deep.equal({
        type: 'RevocationPending',
        status: 'True',
        reason: 'GracePeriod',
        message: `3 earlier tokens to revoke, the next at ${at(HOUR)}`,
      });
    });
    it('why one could not be', () => {
      const failing = aPrevious({
        attempts: 2,
        lastError: 'us.icr.io does not answer',
        nextAttemptTime: at(MINUTE),
      });
      expect(pending(failing)).to.deep.equal({
        type: 'RevocationPending',
        status: 'True',
        reason: 'RevocationFailed',
        message: '1 earlier token to revoke; token token-0: us.icr.io does not answer',
      });
    });
    it('whatever else is the matter', () => {
      const facts = { status: { ...status, previousTokens: [aPrevious()] } };
      expect(types({ ...facts, outcome: failed(true) })).to.deep.equal([
        'Ready',
        'Reconciling',
        'RevocationPending',
      ]);
      expect(types({ ...facts, outcome: held('Suspended') })).to.deep.equal(['Ready', 'RevocationPending']);
    });
  });
});
