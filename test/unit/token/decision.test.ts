import { expect } from 'chai';
import { decide, rotateValue, type Decision } from '../../../src/token/decision.ts';
import {
  ABSENT,
  aRecord,
  aSituation,
  aToken,
  anIntent,
  at,
  DAY,
  FOREIGN,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  SECOND,
} from '../../support/builders.ts';

type Parts = Parameters<typeof aSituation>[0];
type Row = [name: string, situation: Parts, decision: Partial<Record<string, unknown>>];

const NOW = ISSUED + HOUR;
const ROTATE = 'pullsecrets.dev/rotate';

/** A failure 10 s ago, to be tried again in 50 s. */
const failing = (reason = 'RegistryUnavailable', message = 'us.icr.io does not answer') => ({
  failedAttempts: 3,
  lastFailureTime: at(HOUR - 10 * SECOND),
  nextRetryTime: at(HOUR + 50 * SECOND),
  conditions: [{ type: 'Reconciling', status: 'True' as const, lastTransitionTime: at(0), reason, message }],
});
const RETRY = NOW + 50 * SECOND;
const due = { token: aRecord({ expiresAt: at(80 * MINUTE) }) };
const expired = { token: aRecord({ expiresAt: at(30 * MINUTE) }) };
const forEver = { token: aRecord({ expiresAt: undefined, specHash: neverHash() }) };
const open = (status: object = {}) => ({ token: { status: { mintIntent: anIntent(), ...status } } });
const budgetSpent = { mintTimes: [5, 10, 15, 20, 25].map((minute) => at(minute * MINUTE)) };

function neverHash(): string {
  return aSituation({ token: { spec: { lifetime: 'Never' } } }).wanted.specHash;
}

function table(rows: readonly Row[]): void {
  for (const [name, situation, decision] of rows) {
    it(name, () => expect(decide(aSituation(situation))).to.deep.include(decision));
  }
}

describe('decide', () => {
  describe('when all is as it should be', () => {
    it('rests until the token is due', () => {
      const decision = decide(aSituation());
      expect(decision.action).to.equal('rest');
      const { until } = decision as Extract<Decision, { action: 'rest' }>;
      expect(until).to.be.within(ISSUED + 15 * HOUR, ISSUED + 16 * HOUR);
    });
    table([
      [
        'rests for ever with a token that never expires',
        { token: { spec: { lifetime: 'Never' }, status: forEver } },
        { action: 'rest', until: undefined },
      ],
      [
        'rests with rotation by hand only',
        { token: { spec: { rotation: { policy: 'Manual' } }, status: due } },
        { action: 'rest', until: undefined },
      ],
      [
        'rests when the rotation asked for was done',
        {
          token: { metadata: { annotations: { [ROTATE]: '7' } }, status: { lastHandledRotate: '7' } },
        },
        { action: 'rest' },
      ],
      [
        'does not mind another writer that has done no harm',
        { contestedUntil: NOW + HOUR, secret: ours({ editor: 'kubectl' }) },
        { action: 'rest' },
      ],
      [
        'does not mind an immutable Secret until it must write it',
        { secret: ours({ locked: true }) },
        { action: 'rest' },
      ],
      [
        'does not mind an account that is not ready until it must mint',
        { accountProblem: 'no key' },
        { action: 'rest' },
      ],
    ]);
  });

  describe('while one of these holds, nothing is done at all', () => {
    const urgent = { secret: ABSENT, token: { status: { ...expired, mintIntent: anIntent() } } };
    table([
      [
        'the RegistryToken is suspended',
        { ...urgent, token: { ...urgent.token, spec: { suspend: true } } },
        {
          action: 'hold',
          reason: 'Suspended',
          message: 'spec.suspend is true: nothing is touched until it is false',
          until: undefined,
        },
      ],
      [
        'an older RegistryToken writes the Secret',
        { ...urgent, olderClaimant: 'elder' },
        {
          action: 'hold',
          reason: 'SecretConflict',
          message: 'RegistryToken elder is older and writes Secret app; choose another spec.secret.name',
          until: undefined,
        },
      ],
      [
        'the Secret is not ours: looks again in a minute',
        { ...urgent, secret: FOREIGN },
        {
          action: 'hold',
          reason: 'SecretConflict',
          message: 'Secret app is not ours',
          until: NOW + MINUTE,
        },
      ],
      [
        'the first of them is named',
        { ...urgent, olderClaimant: 'elder', token: { spec: { suspend: true } } },
        { reason: 'Suspended' },
      ],
    ]);
  });

  describe('mints', () => {
    table([
      ['the first token', { token: { status: { token: undefined } }, secret: ABSENT }, mint('FirstIssue')],
      [
        'when the access asked for changes',
        { token: { spec: { access: 'ReadWrite' } } },
        mint('SpecChanged'),
      ],
      [
        'when the lifetime asked for changes',
        { token: { spec: { lifetime: 'Never' } } },
        mint('SpecChanged'),
      ],
      ['when the region asked for changes', { token: { spec: { region: 'eu-de' } } }, mint('SpecChanged')],
      [
        'when the account asked for changes',
        { token: { spec: { accountRef: { name: 'b' } } } },
        mint('SpecChanged'),
      ],
      [
        'when asked to rotate',
        { token: { metadata: { annotations: { [ROTATE]: 'now' } } } },
        mint('RotationRequested'),
      ],
      [
        'when asked to rotate with an empty value',
        { token: { metadata: { annotations: { [ROTATE]: '' } } } },
        mint('RotationRequested'),
      ],
      [
        'when asked to rotate again',
        { token: { metadata: { annotations: { [ROTATE]: '8' } }, status: { lastHandledRotate: '7' } } },
        mint('RotationRequested'),
      ],
      ['when the registry lost the token', { tokenIsGone: true }, mint('TokenLost')],
      ['when the token has expired', { token: { status: expired } }, mint('TokenExpired')],
      ['when the token is about to expire', { token: { status: due } }, mint('RenewalDue')],
      [
        'when a token that never expires is old enough',
        {
          token: { spec: { lifetime: 'Never', rotation: { rotateEvery: '30m' } }, status: forEver },
        },
        { ...mint('RotationDue'), message: 'it is replaced every 30m' },
      ],
      [
        'when a registry set an end to a token that should have none',
        {
          token: {
            spec: { lifetime: 'Never' },
            status: { token: aRecord({ specHash: neverHash(), expiresAt: at(80 * MINUTE) }) },
          },
        },
        { ...mint('RenewalDue'), message: `the token expires at ${at(80 * MINUTE)}` },
      ],
      [
        'and names the most telling reason',
        { tokenIsGone: true, token: { spec: { access: 'ReadWrite' }, status: due } },
        mint('SpecChanged'),
      ],
      [
        'rather than write the token there is',
        { secret: ABSENT, token: { status: due } },
        mint('RenewalDue'),
      ],
      [
        'over a Secret that others fight about',
        { contestedUntil: NOW + HOUR, token: { status: due } },
        mint('RenewalDue'),
      ],
    ]);

    describe('with rotation by hand only', () => {
      const manual = { rotation: { policy: 'Manual' as const } };
      table([
        [
          'when asked to rotate',
          { token: { spec: manual, metadata: { annotations: { [ROTATE]: 'x' } } } },
          mint('RotationRequested'),
        ],
        [
          'when another token is wanted',
          { token: { spec: { ...manual, access: 'ReadWrite' } } },
          mint('SpecChanged'),
        ],
        [
          'when the registry lost the token',
          { tokenIsGone: true, token: { spec: manual } },
          mint('TokenLost'),
        ],
        [
          'but not when the token has expired',
          { token: { spec: manual, status: expired } },
          { action: 'hold', reason: 'TokenExpired', until: undefined },
        ],
      ]);
    });
  });

  describe('keeps a wanted mint waiting', () => {
    table([
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
        'after a failure, with what it said',
        { token: { status: { ...due, ...failing() } } },
        { action: 'hold', reason: 'RegistryUnavailable', message: 'us.icr.io does not answer', until: RETRY },
      ],
      [
        'while the mint budget is used up',
        { token: { status: { ...due, ...budgetSpent } } },
        {
          action: 'hold',
          reason: 'MintBudgetExceeded',
          message: `the budget of tokens to create within an hour (5) is used up; the next is created at ${at(65 * MINUTE)}`,
          until: ISSUED + 65 * MINUTE,
        },
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
    table([
      ['when its time has come', { now: RETRY, token: { status: held } }, mint('RenewalDue')],
      [
        'when the spec was changed',
        { token: { metadata: { generation: 2 }, status: held } },
        mint('RenewalDue'),
      ],
      [
        'when the account was changed after it',
        { token: { status: held }, accountChangedAt: NOW - SECOND },
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
        'when the failure lies ahead, because the clock was set back',
        {
          token: { status: { ...held, lastFailureTime: at(90 * DAY), nextRetryTime: at(91 * DAY) } },
        },
        mint('RenewalDue'),
      ],
    ]);

    it('does not pass off what another condition says as the failure', () => {
      const status = { ...due, ...failing('SecretConflict', 'Secret app is not ours') };
      expect(decide(aSituation({ token: { status } }))).to.deep.include({
        action: 'hold',
        reason: 'Rotating',
        message: `the last try failed; the next is at ${at(HOUR + 50 * SECOND)}`,
      });
    });
  });

  describe('an open intent', () => {
    table([
      ['is settled before anything is minted', open(due), { action: 'settle', intent: anIntent() }],
      ['is settled before the Secret is written', { ...open(), secret: ABSENT }, { action: 'settle' }],
      ['is settled though the budget is used up', open(budgetSpent), { action: 'settle' }],
      [
        'waits after a failure',
        open(failing()),
        { action: 'hold', reason: 'RegistryUnavailable', until: RETRY },
      ],
      [
        'leaves the Secret to be repaired while it waits',
        { ...open(failing('MintUnconfirmed')), secret: ABSENT },
        { action: 'write', reason: 'SecretMissing' },
      ],
    ]);
  });

  describe('writes the Secret again', () => {
    table([
      [
        'when it is missing',
        { secret: ABSENT },
        { action: 'write', reason: 'SecretMissing', message: 'Secret app is not there', held: undefined },
      ],
      [
        'when its payload was changed',
        { secret: ours({ holds: undefined, current: false, editor: 'kubectl-edit' }) },
        { action: 'write', reason: 'SecretAltered', message: 'Secret app was changed by kubectl-edit' },
      ],
      [
        'when it says it holds another token',
        { secret: ours({ holds: 'token-9' }) },
        { action: 'write', reason: 'SecretAltered', message: 'Secret app was changed by somebody' },
      ],
      [
        'when hosts, labels, annotations or owner are not as wanted',
        { secret: ours({ current: false }) },
        {
          action: 'write',
          reason: 'SecretOutdated',
          message: 'hosts, labels, annotations or owner of Secret app are not as wanted',
        },
      ],
      ['though the account is not ready', { secret: ABSENT, accountProblem: 'no key' }, { action: 'write' }],
      [
        'though the budget is used up',
        { secret: ABSENT, token: { status: budgetSpent } },
        { action: 'write' },
      ],
      ['after others fought about it', { secret: ABSENT, contestedUntil: NOW }, { action: 'write' }],
    ]);

    it('while a renewal is held back, and tells what still is', () => {
      const decision = decide(aSituation({ secret: ABSENT, token: { status: { ...due, ...failing() } } }));
      expect(decision).to.deep.include({ action: 'write', reason: 'SecretMissing' });
      expect(decision)
        .to.have.property('held')
        .that.includes({ reason: 'RegistryUnavailable', until: RETRY });
    });
  });

  describe('keeps a wanted write waiting', () => {
    table([
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
        { action: 'hold', reason: 'SecretNotWritten', message: 'quota exceeded', until: RETRY },
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

  describe('leaves the Secret as it is while its next token is held back', () => {
    const waiting = { secret: ours({ current: false }), accountProblem: 'no key' };
    const rows: [string, Parts][] = [
      [
        'and the one there is belongs to another region',
        { ...waiting, token: { spec: { region: 'eu-de' } } },
      ],
      [
        'and the one there is belongs to another account',
        { ...waiting, token: { spec: { accountRef: { name: 'b' } } } },
      ],
      ['and the registry lost the one there is', { ...waiting, tokenIsGone: true }],
      ['and the one there is has expired', { ...waiting, token: { status: expired } }],
      ['and there is none', { ...waiting, secret: ABSENT, token: { status: { token: undefined } } }],
    ];
    table(rows.map(([name, situation]) => [name, situation, { action: 'hold', reason: 'AccountNotReady' }]));
  });
});

const value = (text?: string) => rotateValue(aToken({ metadata: { annotations: { [ROTATE]: text } } }));

describe('the value of the rotate annotation', () => {
  it('is undefined without one', () => expect(value()).to.be.undefined);
  it('is empty when it is', () => expect(value('')).to.equal(''));
  it('is cut to what is echoed', () => expect(value('x'.repeat(1000))).to.equal('x'.repeat(256)));
  it('is never cut within a character, which no API server would echo', () => {
    expect(value(`x${'😀'.repeat(200)}`)).to.equal(`x${'😀'.repeat(127)}`);
  });
});

function mint(reason: string): { action: string; reason: string } {
  return { action: 'mint', reason };
}
