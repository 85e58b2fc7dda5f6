import { expect } from 'chai';
import { CircuitBreaker } from '../../../src/registry/http/circuit-breaker.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, aRecord, HOUR, MINUTE, PLACE } from '../../support/builders.ts';
import { DELAY, elsewhere, orphanTag, SweepStage } from './support/sweep-stage.ts';

const scoped = (scope: string) => ({
  account: 'default',
  region: 'us-south',
  place: PLACE,
  scope: [scope],
});

for (const code of ['Unavailable', 'NotFound', 'Unauthorized', 'RateLimited'] satisfies RegistryErrorCode[])
  describe(`an orphan that the registry never deletes (${code})`, () => {
    let stage: SweepStage;
    beforeEach(() => {
      stage = new SweepStage();
      stage.refusals.set('stuck', new RegistryError(code, 'not this one'));
      stage.add('us-south', 'stuck');
    });

    const vanish = (id: string): void => {
      const rows = stage.regions.get('us-south') ?? [];
      stage.regions.set(
        'us-south',
        rows.filter((row) => row.id !== id),
      );
    };

    it('does not keep a token in force from being told gone', async () => {
      stage.tokens = [anIssuedToken({ status: { token: aRecord({ id: 'token-1' }) } })];
      stage.add('us-south', 'token-1');
      await stage.run(2 * DELAY);
      vanish('token-1');
      await stage.run(3 * HOUR);
      expect(stage.gone).to.include('token-1');
    });

    it('does not keep a retained token that is gone from being struck off', async () => {
      const retainedTokens = [{ id: 'a', region: 'us-south', place: PLACE, namespace: 'team', name: 'app' }];
      stage.account = anAccount({ spec: elsewhere('us-south'), status: { retainedTokens } });
      stage.add('us-south', 'a');
      await stage.run(2 * DELAY);
      vanish('a');
      await stage.run(3 * HOUR);
      expect(stage.status).to.not.have.property('retainedTokens');
    });

    it('does not keep what other RegistryTokens left from being settled: nothing of it is remembered for good', async () => {
      await stage.run(2 * DELAY);
      for (let n = 0; n < 20; n++) {
        stage.sweeper.leftBehind(`uid-${n}`, scoped(`team-${n}`));
        await stage.run(MINUTE);
      }
      expect([...stage.sweeper.owedScopes('default')]).to.deep.equal([]);
    });

    it('does not keep scopes of which nothing here tells from being searched once a day', async () => {
      stage.listsApart = true;
      stage.visible = ['team-a'];
      stage.scopeOf.set('stuck', 'team-a');
      await stage.run(2 * DELAY);
      stage.visible.push('team-b');
      await stage.run(25 * HOUR);
      expect(stage.searched).to.deep.include(['team-b']);
    });

    it('is tried again at growing intervals, and the account does not count as swept meanwhile', async () => {
      await stage.run(2 * DELAY);
      const { lastSweepTime } = stage.status;
      expect(stage.status.orphans).to.equal(1);
      stage.listed.length = 0;
      await stage.run(2 * HOUR);
      expect(stage.status.lastSweepTime).to.equal(lastSweepTime);
      expect(stage.listed.length).to.be.within(2, 30);
      stage.refusals.clear();
      await stage.run(HOUR);
      expect(stage.revoked).to.deep.equal(['stuck']);
      expect(stage.status.lastSweepTime).to.not.equal(lastSweepTime);
    });

    it('is tried at once after its account changed', async () => {
      await stage.run(2 * DELAY);
      stage.refusals.clear();
      stage.sweeper.accountChanged('default');
      await stage.look();
      expect(stage.revoked).to.deep.equal(['stuck']);
    });
  });

describe('orphans that the registry fails to delete, many of them', () => {
  const MANY = 12;
  let stage: SweepStage;
  /** Deletions that failed in each look. */
  const tries: string[][] = [];
  beforeEach(async () => {
    stage = new SweepStage();
    tries.length = 0;
    for (let n = 0; n < MANY; n++) {
      stage.refusals.set(`stuck-${n}`, new RegistryError('Unavailable', 'answered 500', { status: 500 }));
      stage.add('us-south', `stuck-${n}`);
    }
    await stage.look();
    await stage.clock.advance(DELAY);
  });

  async function lookFor(milliseconds: number): Promise<void> {
    const end = stage.clock.monotonic() + milliseconds;
    while (stage.clock.monotonic() < end) {
      const before = stage.tried.length;
      const { requeueAfter = 0 } = (await stage.look()) ?? {};
      tries.push(stage.tried.slice(before));
      await stage.clock.advance(requeueAfter);
    }
  }

  it('never make the circuit breaker take the registry for down: a look ends after a few in a row', async () => {
    await lookFor(HOUR);
    const breaker = new CircuitBreaker({ clock: stage.clock, subject: 'registry' });
    for (const each of tries) {
      await breaker.run(async () => 'a list');
      for (const id of each)
        await breaker.run(() => Promise.reject(stage.refusals.get(id) as Error)).catch(() => undefined);
      expect(breaker.outage).to.equal(undefined);
    }
  });

  it('are all tried in turn, and deleted once the registry does it', async () => {
    await lookFor(HOUR);
    expect(new Set(tries.flat())).to.have.length(MANY);
    stage.refusals.delete(`stuck-${MANY - 1}`);
    await lookFor(HOUR);
    expect(stage.revoked).to.deep.equal([`stuck-${MANY - 1}`]);
  });

  it('hold up no others: expired tokens and what tokens hung on are deleted', async () => {
    await lookFor(HOUR);
    stage.add('us-south', 'left');
    stage.add('us-south', 'expired', orphanTag(), 0);
    stage.addIdentity('us-south', 'identity');
    await lookFor(HOUR);
    expect(stage.revoked).to.have.members(['left', 'expired', 'identity']);
  });
});
