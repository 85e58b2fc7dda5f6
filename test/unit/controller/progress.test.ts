import { expect } from 'chai';
import { done, failed, holdsLive, waitingForHost } from '../../../src/controller/token/progress.ts';
import { ROTATE_ANNOTATION } from '../../../src/api/names.ts';
import { ABSENT, aRecord, at, HOST, HOUR, ISSUED, MINUTE, ours, SECOND } from '../../support/builders.ts';
import { situationTask } from '../../support/tasks.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const NOW = ISSUED + HOUR;
const surroundings = { clock: new VirtualClock(NOW), random: () => 0 };
const DOWN = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true } as const;

describe('a Secret is good to pull with', () => {
  const cases: [what: string, task: Parameters<typeof situationTask>[0], good: boolean][] = [
    ['where it holds the token in force', {}, true],
    ['not where it holds another', { secret: ours({ holds: 'another' }) }, false],
    ['not where it is missing', { secret: ABSENT }, false],
    ['not where the registry no longer has the token', { tokenIsGone: true }, false],
    [
      'not where there is no token',
      { secret: ours({ holds: undefined }), token: { status: { token: undefined } } },
      false,
    ],
  ];
  for (const [what, situation, good] of cases)
    it(what, () => {
      const task = situationTask(situation);
      expect(holdsLive(task, task.status)).to.equal(good);
    });

  it('by the status as it is to become', () => {
    const task = situationTask({ secret: ours({ holds: 'token-2' }) });
    expect(holdsLive(task, { ...task.status, token: aRecord({ id: 'token-2' }) })).to.equal(true);
  });

  it('where nothing is left to do', () => {
    const { token, status } = situationTask();
    expect(done(token, status)).to.deep.equal({
      token,
      status,
      outcome: { kind: 'done' },
      secretHolds: true,
    });
  });
});

describe('what did not work', () => {
  it('is recorded, counted and tried again, with the rotation that was asked for', () => {
    const task = situationTask({ token: { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } } });
    const { status, outcome, secretHolds } = failed(
      task,
      { ...task.status, failedAttempts: 1 },
      DOWN,
      surroundings,
    );
    expect(status).to.deep.include({
      failedAttempts: 2,
      lastFailure: { time: at(HOUR), reason: 'RegistryUnavailable', message: 'no answer' },
      nextRetryTime: at(HOUR + 4 * SECOND),
      lastTriedRotate: 'now',
    });
    expect([outcome, secretHolds]).to.deep.equal([{ kind: 'failed', failure: DOWN }, true]);
  });

  const unsent: [what: string, reason: 'RegistryUnavailable' | 'RegistryRateLimited', message: string][] = [
    ['goes on when that answers', 'RegistryUnavailable', 'no answer; will retry as soon as it answers'],
    ['goes on in its time where it asked to wait', 'RegistryRateLimited', 'no answer'],
  ];
  for (const [what, reason, message] of unsent)
    it(`since its place is not asked now counts for nothing, and ${what}`, () => {
      const task = situationTask();
      const failure = { ...DOWN, reason, unsent: true, retryAfter: MINUTE };
      expect(failed(task, task.status, failure, surroundings)).to.deep.equal({
        token: task.token,
        status: task.status,
        outcome: { kind: 'held', reason, message },
        secretHolds: true,
        until: NOW + MINUTE,
      });
    });

  it('since its place is not asked now is tried at once where nobody says when', () => {
    const task = situationTask();
    const { until } = failed(task, task.status, { ...DOWN, unsent: true }, surroundings);
    expect(until).to.equal(NOW);
  });

  it('at a host keeps that out of the Secret until it is tried again', () => {
    const task = situationTask();
    const pending = { host: 'new.example', refused: true, message: 'no such token' };
    const waits = waitingForHost(task, task.status, pending, NOW + MINUTE, surroundings.clock);
    expect(waits.status.pendingHost).to.deep.equal({ ...pending, since: at(HOUR) });
    expect(waits.status.host).to.equal(HOST);
    expect(waits.outcome).to.include({ kind: 'held', reason: 'HostNotAccepted' });
    expect(waits).to.include({ secretHolds: true, until: NOW + MINUTE });
  });
});
