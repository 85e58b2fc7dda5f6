import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { sleep } from '../../../src/common/clock.ts';
import type { LeaderElectorOptions } from '../../../src/kube/election/leader-election.ts';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import type { Lease } from '../../../src/kube/election/lease-lock.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Candidate } from './support/candidate.ts';
import { ModelServer, refuse } from './support/model-server.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/ns/leases';

describe('LeaderElector', () => {
  let server: ModelServer;
  let clock: VirtualClock;
  const candidates: Candidate[] = [];

  beforeEach(() => {
    server = new ModelServer();
    clock = new VirtualClock(Date.parse('2026-03-01T12:00:00.678Z'));
  });
  afterEach(async () => {
    for (const candidate of candidates) candidate.stop.abort();
    await clock.advance(20_000);
    await Promise.all(candidates.splice(0).map(({ running }) => running));
    expect(clock.pending, 'timers left behind').to.equal(0);
  });

  async function join(identity: string, options?: Partial<LeaderElectorOptions>): Promise<Candidate> {
    const candidate = new Candidate(server, clock, identity, options);
    candidates.push(candidate);
    await settle();
    return candidate;
  }

  const spec = (): Lease['spec'] => server.objects<Lease>(LEASES)[0]?.spec;

  it('creates the lease with times of six fractional digits', async () => {
    await join('a');
    expect(spec()).to.deep.equal({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-03-01T12:00:00.678000Z',
      renewTime: '2026-03-01T12:00:00.678000Z',
      leaseTransitions: 0,
    });
  });

  it('lets one lead and the other wait, with one call per renewal', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await clock.advance(60_000);
    expect([a.elector.isLeader, b.elector.isLeader]).to.deep.equal([true, false]);
    expect([a.led, b.led]).to.deep.equal([['began'], []]);
    expect(spec()).to.include({
      holderIdentity: 'a',
      leaseTransitions: 0,
      renewTime: '2026-03-01T12:01:00.678000Z',
    });
    const renewals = server.calls.filter(({ method }) => method === 'PATCH');
    expect(renewals).to.have.length(30);
    expect(renewals[0]).to.have.property('timeout', 5_000);
  });

  it('hands over within a retry period after a clean stop', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await clock.advance(5_000);
    a.stop.abort();
    await settle();
    expect(a.result).to.equal('ended');
    expect(spec()).to.not.have.property('holderIdentity');
    await clock.advance(2_000);
    expect(b.elector.isLeader).to.equal(true);
    expect(spec()).to.include({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('keeps the lease while the leader cleans up, and releases it only then', async () => {
    const [a, b] = [await join('a'), await join('b')];
    const cleanup = Promise.withResolvers<void>();
    a.cleanup = cleanup.promise;
    a.stop.abort();
    await clock.advance(60_000);
    expect(a.led).to.deep.equal(['began', 'stopped']);
    expect([a.elector.isLeader, b.elector.isLeader]).to.deep.equal([true, false]);
    cleanup.resolve();
    await clock.advance(2_000);
    expect([a.elector.isLeader, b.elector.isLeader]).to.deep.equal([false, true]);
  });

  it('waits for the release, and gives it three seconds, so that a slow API server does not hold up the end', async () => {
    const a = await join('a', { leaseDuration: 60_000, renewDeadline: 40_000 });
    const limits: unknown[] = [];
    const slow = Promise.withResolvers<undefined>();
    server.fault = ({ body, timeout }) => {
      if ((body as { spec: Lease['spec'] }).spec?.holderIdentity !== null) return undefined;
      limits.push(timeout);
      return slow.promise;
    };
    a.stop.abort();
    await settle();
    expect([a.result, limits]).to.deep.equal([undefined, [3_000]]);
    slow.resolve(undefined);
    await settle();
    expect(a.result).to.equal('ended');
  });

  it('stops at once, and releases the lease, where it is told to stop while it is given the lease', async () => {
    const a = new Candidate(server, clock, 'a');
    candidates.push(a);
    server.fault = ({ method }) => {
      if (method === 'POST') a.stop.abort();
    };
    await settle();
    expect(a.led).to.deep.equal(['began', 'stopped']);
    expect(a.result).to.equal('ended');
    expect(spec()).to.not.have.property('holderIdentity');
  });

  it('leaves nothing on the signal of a process that goes on', async () => {
    const a = await join('a');
    a.cut = true;
    await clock.advance(10_000);
    expect(a.result).to.be.instanceOf(LeadershipLost);
    expect(getEventListeners(a.stop.signal, 'abort')).to.deep.equal([]);
  });

  it('takes the lease of a dead leader after its duration and a retry period at most', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await clock.advance(3_000);
    a.cut = true;
    a.stop.abort();
    const last = 2_000;
    await clock.advance(last + 15_000 - clock.monotonic() - 1);
    expect(b.elector.isLeader).to.equal(false);
    await clock.advance(2_001);
    expect(b.elector.isLeader).to.equal(true);
  });

  it('stops a leader that cannot renew before another can lead', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await clock.advance(4_000);
    a.cut = true;
    await clock.advance(9_999);
    expect(a.elector.isLeader).to.equal(true);
    await clock.advance(1);
    expect([a.elector.isLeader, b.elector.isLeader]).to.deep.equal([false, false]);
    expect(a.led).to.deep.equal(['began', 'lost']);
    expect(a.result).to.be.instanceOf(LeadershipLost);
    await clock.advance(7_000);
    expect(b.elector.isLeader).to.equal(true);
  });

  for (const [what, cleanup, milliseconds] of [
    ['as long as its work takes to end', 2_000, 2_000],
    ['no longer than until another can lead', 60_000, 5_000],
  ] as const)
    it(`that lost the lease waits ${what}`, async () => {
      const a = await join('a');
      a.cleanup = sleep(clock, cleanup + 10_000);
      a.cut = true;
      await clock.advance(10_000 + milliseconds - 1);
      expect([a.led, a.result]).to.deep.equal([['began', 'lost'], undefined]);
      await clock.advance(1);
      expect(a.result).to.be.instanceOf(LeadershipLost);
      await clock.advance(cleanup);
    });

  it('that lost the lease throws that, whatever its work throws on the way out', async () => {
    const a = await join('a');
    a.cleanup = sleep(clock, 11_000).then(() => {
      throw new Error('broken');
    });
    a.cut = true;
    await clock.advance(11_000);
    expect(a.result).to.be.instanceOf(LeadershipLost);
  });

  it('stops at the deadline though a renewal hangs', async () => {
    const a = await join('a');
    server.fault = ({ method }) => (method === 'PATCH' ? new Promise(() => undefined) : undefined);
    await clock.advance(10_000);
    expect(a.led).to.deep.equal(['began', 'lost']);
  });

  it('survives failures shorter than the deadline', async () => {
    const a = await join('a');
    await clock.advance(2_000);
    a.cut = true;
    await clock.advance(7_000);
    a.cut = false;
    await clock.advance(60_000);
    expect(a.led).to.deep.equal(['began']);
    expect(a.elector.isLeader).to.equal(true);
  });

  it('knows at once, before any timer has fired, that it was frozen for too long', async () => {
    let frozen = 0;
    const thawed = new Proxy(clock, {
      get(target, property) {
        if (property === 'monotonic') return () => target.monotonic() + frozen;
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const a = await join('a', { clock: thawed });
    a.elector.assertLeader();
    frozen = 60_000;
    expect(a.elector.isLeader).to.equal(false);
    expect(() => a.elector.assertLeader()).to.throw(LeadershipLost, 'ns/lease could not be kept');
    await clock.advance(2_000);
    expect(a.led).to.deep.equal(['began', 'lost']);
  });

  it('stops at once when it sees that another holds the lease', async () => {
    const a = await join('a');
    server.put(LEASES, 'lease', { spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 } });
    await clock.advance(2_000);
    expect(a.led).to.deep.equal(['began', 'lost']);
    expect(spec()).to.include({ holderIdentity: 'thief' });
  });

  it('renews a lease that somebody else touched without taking it', async () => {
    const a = await join('a');
    server.put(LEASES, 'lease', { spec: spec(), metadata: { labels: { touched: 'yes' } } });
    await clock.advance(30_000);
    expect(a.led).to.deep.equal(['began']);
  });

  it('judges by what it sees change, not by the clocks of others', async () => {
    const [past, future] = ['2001-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z'];
    for (const renewTime of [past, future]) {
      server = new ModelServer();
      server.put(LEASES, 'lease', { spec: { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime } });
      const a = await join('a');
      await clock.advance(13_999);
      expect(a.elector.isLeader, renewTime).to.equal(false);
      await clock.advance(2_001);
      expect(a.elector.isLeader, renewTime).to.equal(true);
    }
  });

  it('is not confused by jumps of the wall clock', async () => {
    const [a, b] = [await join('a'), await join('b')];
    for (const jump of [3_600_000, -7_200_000]) {
      clock.jump(jump);
      await clock.advance(30_000);
      expect([a.elector.isLeader, b.elector.isLeader]).to.deep.equal([true, false]);
    }
  });

  it('lets exactly one lead when two ask at the same moment', async () => {
    const [a, b] = [new Candidate(server, clock, 'a'), new Candidate(server, clock, 'b')];
    candidates.push(a, b);
    await clock.advance(10_000);
    expect([a, b].filter(({ elector }) => elector.isLeader)).to.have.length(1);
  });

  it('asks again after an answer it did not understand', async () => {
    server.fault = (call) => {
      throw refuse(call, 500, 'InternalError');
    };
    const a = await join('a');
    await clock.advance(2_000);
    server.fault = () => undefined;
    await clock.advance(2_000);
    expect(a.elector.isLeader).to.equal(true);
  });

  it('tells once, not at each attempt, that its namespace does not exist, and leads when it does', async () => {
    server.fault = (call) => {
      if (call.method === 'POST') throw refuse(call, 404, 'NotFound');
    };
    const a = await join('a');
    await clock.advance(60_000);
    expect(a.logs.lines).to.deep.equal([
      {
        level: 'warn',
        fields: {},
        message:
          "can't get lease ns/lease: namespace ns does not exist; create it, or give another --operator-namespace",
      },
    ]);
    server.fault = () => undefined;
    await clock.advance(2_000);
    expect(a.logs.messages('info')).to.deep.equal(['leading: got lease ns/lease']);
  });

  it('tells each cause that keeps it from the lease when it changes', async () => {
    let status = 403;
    server.fault = (call) => {
      throw refuse(call, status, 'Refused');
    };
    const a = await join('a');
    for (status of [403, 500, 500, 403]) await clock.advance(10_000);
    const cause = (code: number): string => `can't get lease ns/lease: GET ${LEASES}/lease: ${code} Refused`;
    expect(a.logs.messages('warn')).to.deep.equal([cause(403), cause(500), cause(403)]);
  });

  it('that stands by tells who holds the lease, once for each holder', async () => {
    const [a, , c] = [await join('a'), await join('b'), await join('c')];
    await clock.advance(60_000);
    a.stop.abort();
    await clock.advance(60_000);
    expect(c.logs.messages('info')).to.deep.equal([
      'standing by: a holds lease ns/lease',
      'standing by: b holds lease ns/lease',
    ]);
    expect(c.logs.messages('warn')).to.deep.equal([]);
  });

  it('throws what the leader throws, and releases the lease', async () => {
    const a = await join('a');
    a.cleanup = Promise.reject(new Error('broken'));
    a.stop.abort();
    await settle();
    expect(a.result).to.have.property('message', 'broken');
    expect(spec()).to.not.have.property('holderIdentity');
  });

  it('tells whether it leads', async () => {
    const told: string[] = [];
    const metrics = { leading: (lease: string, leads: boolean) => told.push(`${lease} ${leads}`) };
    const a = await join('a', { metrics });
    a.stop.abort();
    await settle();
    expect(told).to.deep.equal(['lease false', 'lease true', 'lease false']);
  });

  it('refuses times with which two could lead', () => {
    expect(
      () => new Candidate(server, clock, 'a', { leaseDuration: 10_000, renewDeadline: 10_000 }),
    ).to.throw(RangeError);
  });
});
