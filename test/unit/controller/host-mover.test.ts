import { expect } from 'chai';
import { HostMover, type HostMoverOptions } from '../../../src/controller/token/host-mover.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import type { Progress } from '../../../src/controller/token/progress.ts';
import type { Verdict } from '../../../src/common/verdict.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { TokenKey } from '../../../src/token/lifecycle/place.ts';
import type { Credential } from '../../../src/token/secret/secret.ts';
import { ABSENT, aCredential, at, aWanted, HOST, HOUR, ISSUED, ours } from '../../support/builders.ts';
import { situationTask } from '../../support/tasks.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const NEW_HOST = 'new.example';
const NOW = ISSUED + HOUR;
const FAILURE = { reason: 'SecretContested', message: 'changed on its way', retryable: false } as const;

/** A Secret that is to get another host, and what stands in its way. */
class Stage {
  credential: Credential | Error | undefined = aCredential();
  verdict: Verdict = { answer: 'accepted' };
  placed: unknown = { secretRef: { name: 'app', uid: 'written-uid' } };
  readonly memory = new Memory();
  readonly did: string[] = [];
  /** Its failures so far, and another host that it waited for. */
  readonly task = situationTask({
    now: NOW,
    wanted: aWanted({ host: NEW_HOST }),
    secret: ours(),
    token: {
      status: {
        failedAttempts: 1,
        pendingHost: { host: NEW_HOST, since: at(0), refused: false, message: 'ENOTFOUND' },
      },
    },
  });

  move(): Promise<Progress | 'token is gone'> {
    const { did } = this;
    const options = {
      secrets: {
        write: (_: unknown, host: string, { tokenId }: Credential) => {
          did.push(`Secret with ${tokenId} and ${host}`);
          return Promise.resolve(this.placed);
        },
      },
      credentials: {
        find: (_: unknown, { id }: TokenKey) => {
          did.push(`find ${id}`);
          const { credential } = this;
          return credential instanceof Error ? Promise.reject(credential) : Promise.resolve(credential);
        },
      },
      verifier: {
        try: ({ account, region }: { account: string; region: string }, host: string) => {
          did.push(`try at ${host} of ${account}/${region}`);
          return Promise.resolve(this.verdict);
        },
      },
      memory: this.memory,
      events: { event: (_: unknown, type: string, reason: string) => void did.push(`${type} ${reason}`) },
      logger: new Logs(),
      clock: new VirtualClock(NOW),
      random: () => 0,
    };
    const mover = new HostMover(options as unknown as HostMoverOptions);
    return mover.move(this.task, new AbortController().signal);
  }

  async ends(): Promise<Progress> {
    const ended = await this.move();
    return ended === 'token is gone' ? expect.fail(ended) : ended;
  }
}

describe('a Secret whose account names another host', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('gets it once the registry there was seen to accept its token', async () => {
    const { status, outcome, secretHolds } = await stage.ends();
    expect(stage.did).to.deep.equal([
      'find token-1',
      `try at ${NEW_HOST} of default/us-south`,
      `Secret with token-1 and ${NEW_HOST}`,
      'Normal HostChanged',
    ]);
    expect(status).to.deep.include({
      host: NEW_HOST,
      secretRef: { name: 'app', uid: 'written-uid' },
      token: stage.task.status.token,
    });
    expect(status).to.not.have.any.keys('pendingHost', 'failedAttempts');
    expect([outcome, secretHolds]).to.deep.equal([{ kind: 'done' }, true]);
  });

  const answers: [verdict: Verdict, refused: boolean, message: string][] = [
    [{ answer: 'refused', message: 'no such token' }, true, 'no such token'],
    [{ answer: 'unknown', message: 'no answer' }, false, 'ENOTFOUND'],
  ];
  for (const [verdict, refused, message] of answers)
    it(`keeps its own where the answer there is ${verdict.answer}, and the next try comes ever later`, async () => {
      stage.verdict = verdict;
      const { status, outcome, secretHolds, until } = await stage.ends();
      expect(status.pendingHost).to.deep.equal({ host: NEW_HOST, since: at(0), refused, message });
      expect(status.host).to.equal(HOST);
      expect(outcome).to.include({ kind: 'held', reason: 'HostNotAccepted' });
      expect([secretHolds, until]).to.deep.equal([true, NOW + 2_000]);
      expect((await stage.ends()).until).to.equal(NOW + 4_000);
      expect(stage.did.some((what) => what.startsWith('Secret'))).to.equal(false);
    });

  it('keeps its own where nobody can say what its token’s value is, which is not tried anywhere', async () => {
    stage.credential = new RegistryError('Unavailable', 'down');
    const { status, outcome, until } = await stage.ends();
    expect(stage.did).to.deep.equal(['find token-1']);
    expect(status.pendingHost).to.include({ host: NEW_HOST, refused: false });
    expect(outcome).to.include({ kind: 'held', reason: 'HostNotAccepted' });
    expect(until).to.equal(NOW + 2_000);
  });

  it('is looked at anew where the registry no longer has its token', async () => {
    stage.credential = undefined;
    expect(await stage.move()).to.equal('token is gone');
  });

  it('is told of as it is where it can not be written', async () => {
    stage.placed = { failure: FAILURE, secret: ABSENT };
    const { outcome, secretHolds, status } = await stage.ends();
    expect(outcome).to.deep.equal({ kind: 'failed', failure: FAILURE });
    expect(secretHolds).to.equal(false);
    expect(status).to.include({ host: HOST, failedAttempts: 2 });
  });

  it('is tried again where the API server fails', async () => {
    stage.credential = new KubeError('down', { status: 503 });
    const error: unknown = await stage.move().catch((each: unknown) => each);
    expect(error).to.equal(stage.credential);
  });
});
