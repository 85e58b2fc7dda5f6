import { expect } from 'chai';
import { FINALIZER, ROTATE_ANNOTATION } from '../../../src/api/names.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { lockedMessage } from '../../../src/token/decide/holds.ts';
import { rotationTime } from '../../../src/token/lifecycle/schedule.ts';
import {
  ABSENT,
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  at,
  aTokenSpec,
  aWanted,
  DAY,
  FOREIGN,
  HOST,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  SECOND,
} from '../../support/builders.ts';
import { ControllerStage, type Finding } from './support/controller-stage.ts';

const { uid } = anIssuedToken().metadata;
const RENEWAL = 23 * HOUR;
const ASKED = { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } };
const OPEN: Finding = { token: { status: { mintIntent: anIntent() } } };
const NEW_HOST = 'new.example';
const pendingHost = { host: NEW_HOST, since: at(0), refused: true, message: 'it is another registry' };
/** The account names another host, at which the token was tried a moment ago. */
const waitingForHost = (now: number): Finding => ({
  wanted: aWanted({ host: NEW_HOST }),
  token: { status: { pendingHost } },
  hostTryAt: now + MINUTE,
});

describe('what a reconcile does', () => {
  it('where all is as wanted: it asks the API server nothing more, and comes back for the rotation', async () => {
    const stage = new ControllerStage();
    const result = await stage.reconcile();
    expect(stage.did).to.deep.equal(['look', 'remove all Secrets but app', 'revoke']);
    const planned = rotationTime(aRecord(), aTokenSpec().rotation, uid) ?? 0;
    expect(stage.status.nextRotationTime).to.equal(at(planned - ISSUED));
    expect(result).to.deep.equal({ requeueAfter: planned - stage.clock.now() });
    expect(stage.ready).to.include({ status: 'True', reason: 'Issued' });
  });

  it('where nothing is planned: it does not come back by itself', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ token: { status: { token: { expiresAt: undefined } } } }];
    expect(await stage.reconcile()).to.equal(undefined);
    expect(stage.status).to.not.have.property('nextRotationTime');
  });

  it('where a token is due: it looks at what is there now before it has one issued', async () => {
    const stage = new ControllerStage(RENEWAL);
    await stage.reconcile();
    expect(stage.did.slice(0, 4)).to.deep.equal(['look', 'read', 'look at all', 'mint for RenewalDue']);
  });

  it('where its RegistryToken is gone by then: it waits for the watch to tell', async () => {
    const stage = new ControllerStage(RENEWAL);
    stage.live = 'gone';
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 5_000 });
    expect(stage.did).to.deep.equal(['look', 'read']);
  });

  it('where the RegistryToken is to go by then: its finalizer’s work', async () => {
    const stage = new ControllerStage(RENEWAL);
    stage.live = anIssuedToken({ metadata: { deletionTimestamp: at(0) } });
    await stage.reconcile();
    expect(stage.did).to.deep.equal(['look', 'read', 'finalize']);
  });

  it('where its RegistryToken is gone and something else went wrong: it fails', async () => {
    const stage = new ControllerStage();
    stage.live = 'gone';
    stage.failure = new KubeError('down', { status: 503 });
    const error: unknown = await stage.reconcile().catch((each: unknown) => each);
    expect(error).to.equal(stage.failure);
  });

  it('where the RegistryToken is to go: its finalizer’s work, and nothing else', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ token: { metadata: { deletionTimestamp: at(0) } } }];
    expect(await stage.reconcile()).to.equal(undefined);
    expect(stage.did).to.deep.equal(['finalize']);
  });

  it('where the Secret is missing: it has that repaired', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ secret: ABSENT }];
    await stage.reconcile();
    expect(stage.did).to.include('repair').and.not.include('move');
  });

  it('where the account names another host: it has the Secret moved', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ wanted: aWanted({ host: NEW_HOST }) }];
    await stage.reconcile();
    expect(stage.did).to.include('move').and.not.include('repair');
  });

  const gone: [what: string, finding: Finding][] = [
    ['repair', { secret: ABSENT }],
    ['move', { wanted: aWanted({ host: NEW_HOST }) }],
  ];
  for (const [what, finding] of gone)
    it(`where a ${what} finds the token gone from the registry: it looks again and has another issued`, async () => {
      const stage = new ControllerStage();
      stage.isGone = true;
      stage.findings = [finding, finding, { ...finding, tokenIsGone: true }];
      await stage.reconcile();
      expect(stage.did.slice(2, 6)).to.deep.equal(['look at all', what, 'look at all', 'mint for TokenLost']);
    });

  it('where the spec is refused: it says why, touches no Secret and has revoked what none holds', async () => {
    const stage = new ControllerStage();
    stage.refusal = { reason: 'InvalidSpec', message: 'no such region' };
    stage.formerlyHeld = ['held'];
    stage.findings = [{ token: { status: { nextRotationTime: at(HOUR), previousTokens: [aPrevious()] } } }];
    await stage.reconcile();
    expect(stage.did).to.deep.equal(['look', 'revoke']);
    expect(stage.held).to.deep.equal(['held']);
    expect(stage.status.previousTokens).to.deep.equal([aPrevious()]);
    expect(stage.status).to.not.have.property('nextRotationTime');
    expect(stage.ready).to.include({ status: 'False', reason: 'InvalidSpec', message: 'no such region' });
  });

  it('while it is suspended: nothing is removed, revoked or planned, nor does a revocation bring it back', async () => {
    const stage = new ControllerStage();
    const status = { nextRotationTime: at(HOUR), previousTokens: [aPrevious({ revokeAt: at(0) })] };
    stage.findings = [{ token: { spec: { suspend: true }, status } }];
    expect((await stage.reconcile())?.requeueAfter).to.be.greaterThan(HOUR);
    expect(stage.did).to.deep.equal(['look']);
    expect(stage.status.previousTokens).to.deep.equal(status.previousTokens);
    expect(stage.status).to.not.have.property('nextRotationTime');
    expect(stage.ready).to.include({ status: 'True', reason: 'Suspended' });
  });

  it('while something holds it back: it says so, and comes back when that may be over', async () => {
    const stage = new ControllerStage();
    const failure = {
      failedAttempts: 2,
      lastFailure: { time: at(0), reason: 'SecretNotWritten', message: 'no' },
    };
    stage.findings = [{ secret: FOREIGN, token: { status: failure } }];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: MINUTE });
    expect(stage.did).to.deep.equal(['look', 'revoke']);
    expect(stage.ready).to.include({ status: 'False', reason: 'SecretConflict' });
    expect(stage.status, 'failures are not over').to.deep.include(failure);
  });
});

describe('a reconcile of a RegistryToken that never had a token', () => {
  const BARE = { metadata: { finalizers: undefined }, status: { token: undefined, host: undefined } };
  const first = (finding: Finding = {}): ControllerStage => {
    const stage = new ControllerStage();
    stage.findings = [{ token: BARE, secret: ABSENT, ...finding }];
    return stage;
  };
  const READ_AGAIN = ['look', 'read', 'look at all', 'mint for FirstIssue'];

  it('reads nothing twice where no Secret is in the way: its finalizer proves that nothing has changed', async () => {
    const stage = first();
    await stage.reconcile();
    expect(stage.did.slice(0, 3)).to.deep.equal(['look', 'add finalizer', 'mint for FirstIssue']);
    expect(stage.tasks[0]?.token.metadata.finalizers).to.deep.equal([FINALIZER]);
  });

  it('decides again from what is there now where that has changed', async () => {
    const stage = first();
    stage.refusesFinalizer = new KubeError('changed', { status: 409, reason: 'Conflict' });
    await stage.reconcile();
    expect(stage.did.slice(0, 5)).to.deep.equal(['look', 'add finalizer', ...READ_AGAIN.slice(1)]);
  });

  it('fails where the API server fails', async () => {
    const stage = first();
    stage.refusesFinalizer = new KubeError('down', { status: 503 });
    const error: unknown = await stage.reconcile().catch((each: unknown) => each);
    expect(error).to.equal(stage.refusesFinalizer);
  });

  it('reads it again where others have finalizers on it, which have to be kept', async () => {
    const stage = first({ token: { ...BARE, metadata: { finalizers: ['others'] } } });
    await stage.reconcile();
    expect(stage.did.slice(0, 4)).to.deep.equal(READ_AGAIN);
  });

  it('reads it again where the Secret is there: what the watch knows of that may be old', async () => {
    const stage = first({ secret: ours({ holds: undefined }) });
    await stage.reconcile();
    expect(stage.did.slice(0, 4)).to.deep.equal(READ_AGAIN);
  });

  it('adds no finalizer where there is no token to get', async () => {
    const stage = first({ accountProblem: 'no key' });
    await stage.reconcile();
    expect(stage.did).to.not.include('add finalizer');
  });
});

describe('a reconcile of an open mint', () => {
  it('has it settled, with what an earlier process found out of its token', async () => {
    const stage = new ControllerStage();
    stage.findings = [OPEN];
    await stage.reconcile();
    expect(stage.did.slice(2, 5)).to.deep.equal(['look at all', 'recall', 'settle']);
  });

  it('which may still give a token comes back when that is known', async () => {
    const stage = new ControllerStage();
    stage.findings = [OPEN];
    const held = { kind: 'held', reason: 'MintUnconfirmed', message: 'not yet' } as const;
    stage.ends = { outcome: held, until: stage.clock.now() + 10 * SECOND };
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 10 * SECOND });
  });

  const after: [what: string, now: number, finding: Finding, isOpen: boolean, next: string][] = [
    ['nothing to do records that its revision is used', HOUR, {}, false, 'remove all Secrets but app'],
    ['another to issue keeps it until that takes its place', RENEWAL, {}, true, 'mint for RenewalDue'],
    [
      'another to wait for keeps it',
      RENEWAL,
      { accountProblem: 'no key' },
      true,
      'remove all Secrets but app',
    ],
    ['a Secret to repair records that its revision is used', HOUR, { secret: ABSENT }, false, 'repair'],
  ];
  for (const [what, now, finding, isOpen, next] of after)
    it(`which left no token and ${what}`, async () => {
      const stage = new ControllerStage(now);
      const stray = aPrevious({ id: 'stray', revision: 2 });
      stage.findings = [{ ...OPEN, ...finding }];
      stage.lost = { ...stage.token.status, previousTokens: [stray] };
      await stage.reconcile();
      const { mintIntent, lastRevision, previousTokens } = stage.status;
      expect(mintIntent?.revision).to.equal(isOpen ? 2 : undefined);
      expect(lastRevision).to.equal(isOpen ? undefined : 2);
      expect(previousTokens?.map(({ id }) => id)).to.deep.equal(['stray']);
      expect(stage.did[stage.did.indexOf('settle') + 1]).to.equal(next);
    });
});

describe('a rotation that people ask for now', () => {
  const cases: [what: string, finding: Finding, tries: string[]][] = [
    ['has the place tried where it is wanted', { token: ASKED }, ['try default/us-south']],
    [
      'has the place tried where an earlier one was begun',
      { token: { ...ASKED, status: { mintIntent: anIntent({ account: 'other', region: 'eu-de' }) } } },
      ['try other/eu-de'],
    ],
    ['has its account tried that does not work', { token: ASKED, accountProblem: 'no key' }, ['try default']],
    ['has nothing tried where something else holds it back', { token: ASKED, secret: FOREIGN }, []],
    [
      'that was tried already does not have it tried again',
      { token: { ...ASKED, status: { lastTriedRotate: 'now' } } },
      [],
    ],
  ];
  for (const [what, finding, tries] of cases)
    it(what, async () => {
      const stage = new ControllerStage();
      stage.findings = [finding];
      await stage.reconcile();
      expect(stage.did.filter((each) => each.startsWith('try'))).to.deep.equal(tries);
    });

  it('is something else than one that is due: for that no place is tried before its time', async () => {
    const stage = new ControllerStage(RENEWAL);
    await stage.reconcile();
    expect(stage.did.filter((each) => each.startsWith('try'))).to.deep.equal([]);
  });
});

describe('the status that a reconcile leaves', () => {
  let stage: ControllerStage;
  beforeEach(() => {
    stage = new ControllerStage();
  });

  it('names the Secret and the host that stand, also where a crash kept them out of it; failures are over', async () => {
    const failure = {
      failedAttempts: 2,
      lastFailure: { time: at(0), reason: 'SecretNotWritten', message: 'no' },
    };
    stage.findings = [
      { token: { status: { ...failure, host: undefined, secretRef: { name: 'old', uid: 'old' } } } },
    ];
    await stage.reconcile();
    expect(stage.status).to.deep.include({ host: HOST, secretRef: { name: 'app', uid: 'secret-uid' } });
    expect(stage.status).to.not.have.any.keys('failedAttempts', 'lastFailure');
  });

  it('keeps its host where the Secret holds another token', async () => {
    stage.findings = [{ secret: ours({ holds: 'another', host: 'another.example', locked: true }) }];
    await stage.reconcile();
    expect(stage.status.host).to.equal(HOST);
  });

  it('keeps the host that is waited for while it is', async () => {
    stage.findings = [waitingForHost(stage.clock.now())];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: MINUTE });
    expect(stage.status).to.deep.include({ pendingHost, host: HOST });
    expect(stage.ready).to.include({ status: 'True' });
    expect(stage.ready.message).to.include(pendingHost.message);
  });

  it('drops the host that was waited for once it is in force', async () => {
    stage.findings = [
      {
        wanted: aWanted({ host: NEW_HOST }),
        secret: ours({ host: NEW_HOST }),
        token: { status: { host: NEW_HOST, pendingHost } },
      },
    ];
    await stage.reconcile();
    expect(stage.status).to.not.have.property('pendingHost');
  });

  it('drops the host that was waited for once the account names another', async () => {
    const wanted = aWanted({ host: 'newest.example' });
    stage.findings = [{ wanted, secret: ours({ locked: true }), token: { status: { pendingHost } } }];
    await stage.reconcile();
    expect(stage.status).to.not.have.property('pendingHost');
  });

  it('names the ServiceAccounts that are asked for, and those that still have something of it', async () => {
    stage.findings = [
      {
        token: { spec: { serviceAccounts: ['builder'] }, status: { serviceAccounts: ['former', 'let-go'] } },
      },
    ];
    stage.linked = ['former'];
    await stage.reconcile();
    expect(stage.status.serviceAccounts).to.deep.equal(['former', 'builder']);
  });

  it('names no ServiceAccounts where there are none', async () => {
    stage.findings = [{ token: { status: { serviceAccounts: ['let-go'] } } }];
    await stage.reconcile();
    expect(stage.status).to.not.have.property('serviceAccounts');
  });

  it('says in Ready what will stand in the way of the next rotation', async () => {
    stage.problems = ['waits for ServiceAccount builder to be created'];
    stage.findings = [
      {
        secret: ours({ locked: true }),
        token: { metadata: { annotations: { 'pullsecrets.dev/rotat': '' } } },
      },
    ];
    await stage.reconcile();
    expect(stage.ready.status).to.equal('True');
    for (const remark of [
      ...stage.problems,
      lockedMessage('app'),
      'annotation pullsecrets.dev/rotat means nothing',
    ])
      expect(stage.ready.message).to.include(remark);
  });

  it('says that the clocks differ, and plans by the registry’s', async () => {
    stage.skew = 2 * HOUR;
    const result = await stage.reconcile();
    expect(stage.ready).to.include({ status: 'True', reason: 'ClocksDiffer' });
    const planned = rotationTime(aRecord(), aTokenSpec().rotation, uid) ?? 0;
    expect(result).to.deep.equal({ requeueAfter: planned - 2 * HOUR - stage.clock.now() });
  });
});

describe('previous tokens of a RegistryToken', () => {
  const previousTokens = [aPrevious({ revokeAt: at(DAY) })];

  const graces: [what: string, gracePeriod: string | undefined, revokeAt: string][] = [
    ['the grace period that is asked for, once that is shortened', '10m', at(HOUR + 10 * MINUTE)],
    ['the operator’s grace period, where none is asked for', undefined, at(3 * HOUR)],
    ['their time, where the grace period is longer', '48h', at(DAY)],
  ];
  for (const [what, gracePeriod, revokeAt] of graces)
    it(`live no longer than ${what}`, async () => {
      const stage = new ControllerStage();
      stage.findings = [{ token: { spec: { rotation: { gracePeriod } }, status: { previousTokens } } }];
      await stage.reconcile();
      expect(stage.revoking.previousTokens?.[0]?.revokeAt).to.equal(revokeAt);
    });

  it('bring the RegistryToken back when they are due', async () => {
    const stage = new ControllerStage();
    const due = [aPrevious({ revokeAt: at(HOUR + MINUTE) })];
    stage.findings = [{ token: { status: { previousTokens: due } } }];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: MINUTE });
  });

  it('that could not be asked for bring it back when their place is to be tried', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ token: { status: { previousTokens: [aPrevious({ revokeAt: at(0) })] } } }];
    stage.waiting.set('token-0', stage.clock.now() + 7 * SECOND);
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 7 * SECOND });
    // Something else is to be looked at later.
    stage.findings = [{ ...stage.findings[0], secret: FOREIGN }];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 7 * SECOND });
  });
});

describe('of RegistryTokens that wait for a place that is down', () => {
  let stage: ControllerStage;
  const named = (name: string, finding: Finding = {}): void => {
    stage.findings = [{ ...finding, token: { metadata: { name, ...finding.token?.metadata } } }];
  };
  const wait = (name: string): ReturnType<ControllerStage['reconcile']> => {
    const outage = {
      kind: 'Down',
      message: 'down',
      retryAt: stage.clock.now() + 2 * MINUTE,
      isTried: false,
    } as const;
    named(name, { place: { outage, backAt: undefined } });
    return stage.reconcile();
  };
  beforeEach(async () => {
    stage = new ControllerStage(RENEWAL);
    expect(await wait('first')).to.deep.equal({ requeueAfter: 2 * MINUTE });
    expect(await wait('second')).to.deep.equal({ requeueAfter: 5 * MINUTE });
  });
  const enqueued = (): string[] => stage.did.filter((each) => each.startsWith('enqueue'));

  it('the first tries it when its time comes, and goes on doing so', async () => {
    expect(await wait('first')).to.deep.equal({ requeueAfter: 2 * MINUTE });
    expect(enqueued()).to.deep.equal([]);
  });

  it('the next takes over once the first got its token', async () => {
    named('first');
    await stage.reconcile();
    expect(enqueued()).to.deep.equal(['enqueue team/second']);
  });

  it('the next takes over once the first is to go', async () => {
    named('first', { token: { metadata: { deletionTimestamp: at(0) } } });
    await stage.reconcile();
    expect(enqueued()).to.deep.equal(['enqueue team/second']);
  });

  it('the next takes over once the first is gone', async () => {
    named('first');
    stage.isWatched = false;
    expect(await stage.reconcile()).to.equal(undefined);
    expect(enqueued()).to.deep.equal(['enqueue team/second']);
  });
});

describe('what is remembered of a RegistryToken', () => {
  let stage: ControllerStage;
  const forgotten = (): string[] => stage.did.filter((each) => each.includes('forget'));
  const ALL = ['memories', 'Secrets', 'writes'].map((what) => `${what} forget ${uid}`);
  beforeEach(async () => {
    stage = new ControllerStage();
    await stage.reconcile();
    await stage.reconcile();
    expect(forgotten()).to.deep.equal([]);
  });

  it('is dropped when it is gone, once', async () => {
    stage.isWatched = false;
    await stage.reconcile();
    await stage.reconcile();
    expect(forgotten()).to.deep.equal(ALL);
  });

  it('is dropped when another has its name', async () => {
    stage.findings = [{ token: { metadata: { uid: 'another' } } }];
    await stage.reconcile();
    expect(forgotten()).to.deep.equal(ALL);
  });
});
