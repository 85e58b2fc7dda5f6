import { expect } from 'chai';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { objectKey } from '../../src/kube/client/object-key.ts';
import { EVENTS, LEASES, SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import { whenInOrder } from '../support/audit.ts';
import { MintLedger } from '../support/mint-ledger.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { runSeed, seededRandom } from '../support/random.ts';
import { Workload } from '../support/workload.ts';
import { OPERATOR_NAMESPACE, World } from '../support/world.ts';

/** The default lease duration, in milliseconds. */
const LEASE = 15_000;
const SHORT_LEASE = [
  '--leader-elect-lease-duration=6s',
  '--leader-elect-renew-deadline=5s',
  '--leader-elect-retry-period=1s',
];
/** What a busy machine may add. */
const SLACK = 1_500;
const ROUNDS = 4;
/** How long the one that goes on is looked at, alone in the world, and how long what is on its way may take. Milliseconds. */
const WATCHED = 2_000;
const ON_THE_WAY = 500;
/** So few that at any moment mints and revocations wait for their turn. */
const REQUESTS_PER_SECOND = 5;
/** Everything an operator writes, but leases: those it may ask for. */
const WRITTEN = [REGISTRY_TOKENS, REGISTRY_ACCOUNTS, SECRETS, SERVICE_ACCOUNTS, EVENTS];

describe('two operators with leader election', function () {
  this.timeout(300_000);
  let world: World;
  let processes: OperatorProcess[];

  before(async () => {
    world = await World.start();
  });
  beforeEach(async () => {
    processes = [];
    const lease = { namespace: OPERATOR_NAMESPACE, name: 'registry-token-operator' };
    await world.client.delete(LEASES, lease).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
    });
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
  const whenReady = (operator: OperatorProcess): Promise<true> =>
    world.eventually(
      'the other is ready',
      async () => {
        const readiness = await operator.readiness();
        return readiness?.status === 200
          ? { value: true }
          : { seen: readiness?.failed.join() ?? 'no answer' };
      },
      60_000,
    );
  /** A leader at work, and another that has seen its lease. */
  const beginBoth = async (flags?: readonly string[]): Promise<[OperatorProcess, OperatorProcess]> => {
    const leader = await begin(flags);
    await whenWorking(leader);
    const standby = await begin(flags);
    await whenReady(standby);
    await sleep(clock, 3_000);
    expect(works(standby)).to.equal(false);
    return [leader, standby];
  };
  /** The version of everything that an operator may have written. */
  const versions = async (): Promise<Record<string, string>> => {
    const lists = await Promise.all(WRITTEN.map((resource) => world.client.listAll<KubeObject>(resource)));
    return Object.fromEntries(
      lists.flat().map(({ kind, metadata }) => [`${kind} ${objectKey(metadata)}`, metadata.resourceVersion]),
    );
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
    const [leader, standby] = await beginBoth();
    const began = clock.monotonic();
    leader.signal('SIGTERM');
    await whenWorking(standby);
    const took = clock.monotonic() - began;
    tell(`failover after a clean stop: ${(took / 1000).toFixed(2)} s`);
    expect(await leader.exited).to.equal(0);
    expect(took).to.be.lessThan(2_000 + SLACK);
  });

  for (const [flag, leads] of [
    ['--leader-elect=false', undefined],
    ['--leader-elect', '1'],
  ] as const)
    it(`with ${flag} the metrics say ${leads ? 'that it leads' : 'nothing of leaders, so that no alert misses one'}`, async () => {
      const address = `127.0.0.1:${await freePort()}`;
      await whenWorking(await begin([flag, `--metrics-bind-address=${address}`]));
      const text = await (await fetch(`http://${address}/metrics`)).text();
      expect(text)
        .to.contain('workqueue_depth{name="sweep"}')
        .and.contain('workqueue_depth{name="eviction"}');
      expect(/^leader_election_master_status\{.*\} (.*)$/m.exec(text)?.[1]).to.equal(leads);
    });

  const seed = runSeed();
  it(`a leader that was frozen past its lease never acts again (${ROUNDS} times, seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const mints = new MintLedger(world.registry);
    const effects: string[] = [];
    world.registry.on('answered', ({ operation, status }) => {
      if (operation === 'mint' || operation === 'revoke') effects.push(`${operation}: ${status}`);
    });
    await world.client.mergePatch(
      REGISTRY_ACCOUNTS,
      { name: 'default' },
      { spec: { requestsPerSecond: REQUESTS_PER_SECOND } },
    );
    const workload = new Workload(world, { namespace: await world.createNamespace(), size: 20, random });
    const stop = new AbortController();
    let atRest = false;
    const users = (async () => {
      while (!stop.signal.aborted) {
        if (!atRest) await workload.step();
        await sleep(clock, 20 + random() * 30);
      }
    })();
    let [leader, standby] = await beginBoth(SHORT_LEASE);
    for (let round = 0; round < ROUNDS; round++) {
      const issued = Promise.withResolvers<void>();
      world.registry.once('issued', () => issued.resolve());
      await issued.promise;
      await sleep(clock, random() * 2_000);
      leader.signal('SIGSTOP');
      await whenWorking(standby);
      // The other rests as well, and so do users: whatever happens now is done by the one that goes on.
      atRest = true;
      standby.signal('SIGSTOP');
      await sleep(clock, ON_THE_WAY);
      const before = await versions();
      effects.length = 0;
      leader.signal('SIGCONT');
      await Promise.race([leader.exited, sleep(clock, WATCHED)]);
      expect(effects, 'what it asked of the registry').to.deep.equal([]);
      expect(await versions(), 'what it wrote').to.deep.equal(before);
      standby.signal('SIGCONT');
      atRest = false;
      expect(await leader.exited, 'exit code of the one that lost its lease').to.equal(1);
      leader = standby;
      standby = await begin(SHORT_LEASE);
      await whenReady(standby);
    }
    stop.abort();
    await users;
    const { orphans } = await whenInOrder(world, 60_000);
    tell(`${ROUNDS} freezes, ${mints.total} mints, ${orphans.length} orphans`);
    expect(mints.repeated()).to.deep.equal([]);
    expect(workload.complaints(mints)).to.deep.equal([]);
  });
});
