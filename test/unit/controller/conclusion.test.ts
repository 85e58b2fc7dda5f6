import { expect } from 'chai';
import { lockedMessage } from '../../../src/token/decide/holds.ts';
import { rotationTime } from '../../../src/token/lifecycle/schedule.ts';
import {
  aKey,
  anIssuedToken,
  ANOTHER_PLACE,
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
const NEW_HOST = 'new.example';
const pendingHost = { host: NEW_HOST, since: at(0), refused: true, message: 'it is another registry' };
/** The account names another host, at which the token was tried a moment ago. */
const waitingForHost = (now: number): Finding => ({
  wanted: aWanted({ host: NEW_HOST }),
  token: { status: { pendingHost } },
  hostTryAt: now + MINUTE,
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

  it('says how many pods depend on its Secret, and nothing of them where they are not counted', async () => {
    stage.findings = [{ token: {} }];
    stage.podCounts = { using: 3, waiting: 1 };
    await stage.reconcile();
    expect(stage.status.pods).to.deep.equal({ using: 3, waiting: 1 });
    stage.findings = [{ token: { status: { pods: { using: 3, waiting: 1 } } } }];
    stage.podCounts = 'off';
    await stage.reconcile();
    expect(stage.status).to.not.have.property('pods');
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
    stage.waiting = [{ token: aKey('token-0'), until: stage.clock.now() + 7 * SECOND }];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 7 * SECOND });
    // Something else is to be looked at later.
    stage.findings = [{ ...stage.findings[0], secret: FOREIGN }];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 7 * SECOND });
  });

  it('bring it back in their turn where one of another registry that waits has the same identifier', async () => {
    const stage = new ControllerStage();
    const revokeAt = at(stage.clock.now() - ISSUED + 3 * SECOND);
    stage.findings = [{ token: { status: { previousTokens: [aPrevious({ revokeAt })] } } }];
    stage.waiting = [{ token: aKey('token-0', ANOTHER_PLACE), until: stage.clock.now() + 7 * SECOND }];
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 3 * SECOND });
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
