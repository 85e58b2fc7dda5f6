import { expect } from 'chai';
import { FINALIZER, ROTATE_ANNOTATION } from '../../../src/api/names.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { rotationTime } from '../../../src/token/lifecycle/schedule.ts';
import {
  ABSENT,
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  at,
  aTokenSpec,
  FOREIGN,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
} from '../../support/builders.ts';
import { ControllerStage, type Finding } from './support/controller-stage.ts';

const { uid } = anIssuedToken().metadata;
const RENEWAL = 23 * HOUR;
const ASKED = { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } };

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

  it('where a token is due: it reads the RegistryToken before it has one issued, and not the Secret that has not changed', async () => {
    const stage = new ControllerStage(RENEWAL);
    await stage.reconcile();
    expect(stage.did.slice(0, 4)).to.deep.equal(['look', 'read', 'look', 'mint for RenewalDue']);
  });

  it('where a token is due and the Secret is not as it is to be: it reads that too', async () => {
    const stage = new ControllerStage(RENEWAL);
    stage.findings = [{ secret: ours({ current: false }) }];
    await stage.reconcile();
    expect(stage.did.slice(0, 4)).to.deep.equal(['look', 'read', 'look at all', 'mint for RenewalDue']);
  });

  it('where no token is due any more: it reads the Secret before it does anything else', async () => {
    const stage = new ControllerStage(RENEWAL);
    const rotated = {
      token: { status: { token: { expiresAt: at(99 * HOUR) } } },
      secret: ours({ current: false }),
    };
    stage.findings = [{}, rotated, rotated];
    await stage.reconcile();
    expect(stage.did.slice(0, 4)).to.deep.equal(['look', 'read', 'look', 'look at all']);
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
