import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { LEASES } from '../../src/kube/resources.ts';
import { whenInOrder } from '../support/audit.ts';
import { MintLedger } from '../support/mint-ledger.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { runSeed, seededRandom } from '../support/random.ts';
import { Workload } from '../support/workload.ts';
import { OPERATOR_NAMESPACE, World } from '../support/world.ts';

/** The default lease duration, in milliseconds. */
const LEASE = 15_000;
const SHORT_LEASE = [
  '--leader-elect-lease-duration=4s',
  '--leader-elect-renew-deadline=3s',
  '--leader-elect-retry-period=1s',
];
/** What a busy machine may add. */
const SLACK = 1_500;
const ROUNDS = 3;
/** What an operator logs when it has changed anything. */
const ACTS = /^(minting|token issued|token rotated|Secret written|revoked|adopting)/;

describe('two operators with leader election', function () {
  this.timeout(180_000);
  let world: World;
  let processes: OperatorProcess[];

  before(async () => {
    world = await World.start();
  });
  beforeEach(() => {
    processes = [];
  });
  afterEach(() => Promise.all(processes.map((each) => each.kill())));
  after(() => world.close());

  const begin = async (flags: readonly string[] = []): Promise<OperatorProcess> => {
    const { kubeconfig } = world.apiServer;
    const operator = await OperatorProcess.start({ kubeconfig, flags });
    processes.push(operator);
    return operator;
  };
  const works = ({ log }: OperatorProcess): boolean => log.some(({ msg }) => msg === 'working');
  const whenWorking = (operator: OperatorProcess): Promise<true> =>
    world.eventually(
      'the operator works',
      () => Promise.resolve(works(operator) ? { value: true } : { seen: `${operator.log.length} lines` }),
      60_000,
    );
  /** A leader at work, and another that has seen its lease. */
  const beginBoth = async (flags?: readonly string[]): Promise<[OperatorProcess, OperatorProcess]> => {
    const leader = await begin(flags);
    await whenWorking(leader);
    const standby = await begin(flags);
    await world.eventually('the other is ready', async () =>
      (await standby.readiness())?.status === 200 ? { value: true } : { seen: 'not yet' },
    );
    await sleep(clock, 3_000);
    expect(works(standby)).to.equal(false);
    return [leader, standby];
  };
  const tell = (line: string): void => void process.stdout.write(`      ${line}\n`);

  it('the leader is killed: the other works within the lease and two seconds', async () => {
    const [leader, standby] = await beginBoth();
    const began = clock.monotonic();
    await leader.kill();
    await whenWorking(standby);
    const took = clock.monotonic() - began;
    tell(`failover after kill -9: ${(took / 1000).toFixed(2)} s`);
    expect(took).to.be.lessThan(LEASE + 2_000 + SLACK);
  });

  it('the leader is asked to stop: the other works within two seconds', async () => {
    await world.client.delete(LEASES, { namespace: OPERATOR_NAMESPACE, name: 'registry-token-operator' });
    const [leader, standby] = await beginBoth();
    const began = clock.monotonic();
    leader.signal('SIGTERM');
    await whenWorking(standby);
    const took = clock.monotonic() - began;
    tell(`failover after a clean stop: ${(took / 1000).toFixed(2)} s`);
    expect(await leader.exited).to.equal(0);
    expect(took).to.be.lessThan(2_000 + SLACK);
  });

  const seed = runSeed();
  it(`a leader that was frozen past its lease never acts again (${ROUNDS} times, seed ${seed})`, async () => {
    const random = seededRandom(seed);
    await world.client.delete(LEASES, { namespace: OPERATOR_NAMESPACE, name: 'registry-token-operator' });
    const mints = new MintLedger(world.service);
    const workload = new Workload(world, { namespace: await world.createNamespace(), size: 20, random });
    const stop = new AbortController();
    const users = (async () => {
      while (!stop.signal.aborted) {
        await workload.step();
        await sleep(clock, 20 + random() * 30);
      }
    })();
    let [leader, standby] = await beginBoth(SHORT_LEASE);
    for (let round = 0; round < ROUNDS; round++) {
      const issued = Promise.withResolvers<void>();
      world.service.once('issued', () => issued.resolve());
      await issued.promise;
      await sleep(clock, random() * 25);
      leader.signal('SIGSTOP');
      await whenWorking(standby);
      await sleep(clock, 1_000);
      const lines = leader.log.length;
      leader.signal('SIGCONT');
      expect(await leader.exited, 'exit code of the one that lost its lease').to.equal(1);
      const acts = leader.log.slice(lines).filter(({ msg }) => ACTS.test(String(msg)));
      expect(acts, 'what it did after the other led').to.deep.equal([]);
      leader = standby;
      standby = await begin(SHORT_LEASE);
      await world.eventually('the other is ready', async () =>
        (await standby.readiness())?.status === 200 ? { value: true } : { seen: 'not yet' },
      );
    }
    stop.abort();
    await users;
    const { orphans } = await whenInOrder(world, 60_000);
    tell(`${ROUNDS} freezes, ${mints.total} mints, ${orphans.length} orphans`);
    expect(mints.repeated()).to.deep.equal([]);
    expect(workload.complaints(mints)).to.deep.equal([]);
  });
});
