import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { whenInOrder } from '../support/audit.ts';
import { storm } from '../support/fault-storm.ts';
import { OperatorProcess, type Gauge } from '../support/operator-process.ts';
import { ProxiedWorld } from '../support/proxied-world.ts';
import { runSeed, seededRandom } from '../support/random.ts';
import { Workload } from '../support/workload.ts';

const MINUTES = Number(process.env.CHURN_MINUTES ?? 10);
const MINUTE = 60_000;
const SIZE = 200;
/** A dead watch is noticed within two minutes, a mint in doubt ten seconds later, and then there are backoffs. */
const RECOVERY = 4 * MINUTE;
/** What the heap may grow: what one collection leaves, and code compiled meanwhile; in bytes. */
const HEAP_SLACK = 8 * 2 ** 20;
/** Sockets, or timers, that may be there by chance beyond those of the first minute. */
const CHANCE = 5;
/** Idle connections are closed, and the last events sent, within this. */
const SETTLING = 30_000;

describe('random faults under a changing load', function () {
  this.timeout(MINUTES * MINUTE + RECOVERY + SETTLING + 3 * MINUTE);
  const seed = runSeed();
  let there: ProxiedWorld;
  let operator: OperatorProcess;

  before(async () => {
    there = await ProxiedWorld.start();
    const flags = ['--leader-elect=false'];
    operator = await OperatorProcess.start({ kubeconfig: there.kubeconfig, flags, gauged: true });
  });
  after(async () => {
    await operator?.kill();
    await there?.close();
  });

  const tell = (line: string): void => void process.stdout.write(`      ${line}\n`);
  const measure = async (when: string): Promise<Gauge> => {
    const gauge = await operator.gauge();
    const { heap, sockets, timers } = gauge;
    tell(`${when}: ${(heap / 2 ** 20).toFixed(1)} MiB heap, ${sockets} sockets, ${timers} timers`);
    return gauge;
  };

  it(`${SIZE} RegistryTokens end as asked for, with the mints asked for, and nothing grows (seed ${seed}, ${MINUTES} min)`, async () => {
    const { world, mints } = there;
    const namespace = await world.createNamespace();
    const workload = new Workload(world, { namespace, size: SIZE, random: seededRandom(seed) });
    for (let created = 0; created < SIZE; created++) await workload.step();
    await whenInOrder(world, 2 * MINUTE);

    const stop = new AbortController();
    const weather = storm(there, seededRandom(seed + 1), stop.signal);
    const users = (async () => {
      while (!stop.signal.aborted) {
        await workload.step();
        await sleep(clock, 50, stop.signal).catch(() => undefined);
      }
    })();
    const first: Gauge[] = [];
    for (let minute = 1; minute <= MINUTES; minute++) {
      await sleep(clock, MINUTE);
      const gauge = await measure(`minute ${minute}`);
      if (first.length === 0) first.push(gauge);
    }
    stop.abort();
    await users;
    const struck = await weather;
    const healed = clock.monotonic();
    const { orphans } = await whenInOrder(world, RECOVERY);
    tell(`in order ${((clock.monotonic() - healed) / 1000).toFixed(1)} s after the last fault`);
    const [{ heap, sockets, timers }] = first as [Gauge];
    const last = await world.eventually(
      'no more sockets and timers are open than in the first minute',
      async () => {
        const gauge = await operator.gauge();
        const grown = gauge.sockets > sockets + CHANCE || gauge.timers > timers + CHANCE;
        return grown ? { seen: JSON.stringify(gauge) } : { value: await measure('at the end') };
      },
      SETTLING,
    );

    tell(`faults: ${JSON.stringify(struck)}`);
    tell(`users: ${JSON.stringify(workload.counts)}`);
    tell(`${mints.total} mints, ${orphans.length} orphans, connections ${JSON.stringify(there.api.counts)}`);
    expect(operator.running, 'one process did it all').to.equal(true);
    expect(mints.repeated()).to.deep.equal([]);
    expect(workload.complaints(mints)).to.deep.equal([]);
    expect(last.heap, 'heap').to.be.lessThan(heap + HEAP_SLACK);
  });
});
