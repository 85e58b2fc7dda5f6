import { expect } from 'chai';
import { decide, type Decision } from '../../../src/token/decide/decision.ts';
import { rotateValue } from '../../../src/token/decide/rotate-now.ts';
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
  PLACE,
  aWanted,
  SECOND,
} from '../../support/builders.ts';
import {
  budgetSpent,
  decisions,
  due,
  expired,
  failing,
  forEver,
  mint,
  NOW,
  open,
  RETRY,
  ROTATE,
} from '../../support/decisions.ts';

const value = (text?: string) => rotateValue(aToken({ metadata: { annotations: { [ROTATE]: text } } }));

describe('decide', () => {
  describe('when all is as it should be', () => {
    it('rests until the token is due', () => {
      const decision = decide(aSituation());
      expect(decision.action).to.equal('rest');
      const { until } = decision as Extract<Decision, { action: 'rest' }>;
      expect(until).to.be.within(ISSUED + 15 * HOUR, ISSUED + 16 * HOUR);
    });
    decisions([
      [
        'rests for ever with a token that never expires',
        { token: { spec: { lifetime: 'Never' }, status: forEver } },
        { action: 'rest', until: undefined },
      ],
      [
        'rests until a token that never expires is old enough',
        {
          now: ISSUED,
          token: { spec: { lifetime: 'Never', rotation: { rotateEvery: '30m' } }, status: forEver },
        },
        { action: 'rest' },
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

  it('goes from rest to the next token at the very instant it names', () => {
    for (const part of [
      {},
      { token: { spec: { lifetime: 'Never', rotation: { rotateEvery: '30m' } }, status: forEver } },
    ]) {
      const { until = 0 } = decide(aSituation({ ...part, now: ISSUED })) as Extract<
        Decision,
        { action: 'rest' }
      >;
      expect(decide(aSituation({ ...part, now: until - 1 }))).to.include({ action: 'rest', until });
      expect(decide(aSituation({ ...part, now: until }))).to.include({ action: 'mint' });
    }
    const atExpiry = decide(aSituation({ now: ISSUED + DAY }));
    expect(atExpiry).to.include(mint('TokenExpired'));
  });

  describe('while one of these holds, nothing is done at all', () => {
    const urgent = { secret: ABSENT, token: { status: { ...expired, mintIntent: anIntent() } } };
    decisions([
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
        'an older RegistryToken names the Secret, whether it writes it or not',
        { ...urgent, olderClaimant: 'elder' },
        {
          action: 'hold',
          reason: 'SecretConflict',
          message: 'RegistryToken elder is older and names Secret app too; choose another spec.secret.name',
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
    decisions([
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
            status: { token: aRecord({ specHash: forEver.token.specHash, expiresAt: at(80 * MINUTE) }) },
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
      decisions([
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

  describe('an open intent', () => {
    decisions([
      [
        'is settled before anything is minted',
        { token: { status: { ...open, ...due } } },
        { action: 'settle', intent: anIntent(), stranded: false },
      ],
      [
        'is settled without its registry where its account or region is gone',
        { token: { spec: { region: 'eu-de' }, status: open }, intentIsStranded: true },
        { action: 'settle', intent: anIntent(), stranded: true },
      ],
      [
        'is settled before the Secret is written',
        { token: { status: open }, secret: ABSENT },
        { action: 'settle' },
      ],
      [
        'is settled though the budget is used up',
        { token: { status: { ...open, ...budgetSpent } } },
        { action: 'settle' },
      ],
      [
        'waits after a failure',
        { token: { status: { ...open, ...failing() } } },
        { action: 'hold', reason: 'RegistryUnavailable', until: RETRY },
      ],
      [
        'leaves the Secret to be repaired while it waits',
        { token: { status: { ...open, ...failing('MintUnconfirmed') } }, secret: ABSENT },
        { action: 'write', reason: 'SecretMissing' },
      ],
    ]);
  });

  describe('writes the Secret again', () => {
    decisions([
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
      [
        'with the token of another region, while there is none for the one asked for',
        { secret: ABSENT, accountProblem: 'no key', token: { spec: { region: 'eu-de' } } },
        { action: 'write' },
      ],
      [
        'with the token of another account, while there is none for the one asked for',
        { secret: ABSENT, accountProblem: 'no key', token: { spec: { accountRef: { name: 'b' } } } },
        { action: 'write' },
      ],
    ]);

    it('while a renewal is held back, and tells what still is', () => {
      const decision = decide(aSituation({ secret: ABSENT, token: { status: { ...due, ...failing() } } }));
      expect(decision).to.deep.include({ action: 'write', reason: 'SecretMissing' });
      expect(decision)
        .to.have.property('held')
        .that.includes({ reason: 'RegistryUnavailable', until: RETRY });
    });
  });

  describe('leaves the Secret as it is while its next token is held back', () => {
    const waiting = { secret: ours({ current: false }), accountProblem: 'no key' };
    const rows: [string, Parameters<typeof aSituation>[0]][] = [
      ['and the registry lost the one there is', { ...waiting, tokenIsGone: true }],
      ['and the one there is has expired', { ...waiting, token: { status: expired } }],
      ['and there is none', { ...waiting, secret: ABSENT, token: { status: { token: undefined } } }],
    ];
    decisions(
      rows.map(([name, situation]) => [name, situation, { action: 'hold', reason: 'AccountNotReady' }]),
    );
  });
});

describe('decide, where the account', () => {
  const moved = { ...PLACE, endpoint: 'https://moved.example' };
  const other = { ...PLACE, identity: 'account-2' };
  const host = aWanted({ host: 'moved.example' });
  const tried = {
    pendingHost: { host: 'moved.example', since: at(0), refused: false, message: 'ENOTFOUND' },
  };
  decisions([
    [
      'names another endpoint for the region: issues a token there',
      { wanted: aWanted({ place: moved }) },
      {
        action: 'mint',
        reason: 'PlaceChanged',
        place: moved,
        message: 'RegistryAccount default issues tokens at https://moved.example in account account-1 now',
      },
    ],
    [
      'is one of another account at the registry: issues a token there',
      { wanted: aWanted({ place: other }) },
      { action: 'mint', reason: 'PlaceChanged', place: other },
    ],
    [
      'is not known to be one of any account: rests',
      { wanted: { ...aWanted(), place: undefined } },
      { action: 'rest' },
    ],
    [
      'is not known to be one of any account: issues nothing',
      { wanted: { ...aWanted(), place: undefined }, token: { status: { token: undefined } } },
      { action: 'hold', reason: 'AccountNotReady' },
    ],
    ['names another host for the region: tries the token there', { wanted: host }, { action: 'move' }],
    [
      'names another host: does not touch a locked Secret',
      { wanted: host, secret: ours({ locked: true }) },
      { action: 'hold', reason: 'SecretConflict' },
    ],
    [
      'names another host and does not work: waits',
      { wanted: host, accountProblem: 'no key' },
      { action: 'hold', reason: 'AccountNotReady' },
    ],
    [
      'names another host that was tried a moment ago: waits',
      { wanted: host, hostTryAt: NOW + SECOND, token: { status: tried } },
      { action: 'hold', reason: 'HostNotAccepted', until: NOW + SECOND },
    ],
    [
      'names another host that was tried a while ago: tries it again',
      { wanted: host, hostTryAt: NOW, token: { status: tried } },
      { action: 'move' },
    ],
    [
      'names another host, and the Secret is gone: restores it as it was first',
      { wanted: host, secret: ABSENT },
      { action: 'write', reason: 'SecretMissing' },
    ],
    [
      'names another host, and the token is to be renewed: renews it',
      { wanted: host, now: ISSUED + 20 * HOUR },
      { action: 'mint', reason: 'RenewalDue' },
    ],
  ]);
});

describe('the value of the rotate annotation', () => {
  it('is undefined without one', () => expect(value()).to.be.undefined);
  it('is empty when it is', () => expect(value('')).to.equal(''));
  it('is cut to what is echoed', () => expect(value('x'.repeat(1000))).to.equal('x'.repeat(256)));
  it('is never cut within a character, which no API server would echo', () => {
    expect(value(`x${'😀'.repeat(200)}`)).to.equal(`x${'😀'.repeat(127)}`);
  });
});
