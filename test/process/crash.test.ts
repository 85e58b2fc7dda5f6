import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { whenInOrder } from '../support/audit.ts';
import { MintLedger } from '../support/mint-ledger.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { runSeed, seededRandom } from '../support/random.ts';
import { Workload } from '../support/workload.ts';
import { World } from '../support/world.ts';

/** How long it is killed again and again. */
const SECONDS = Number(process.env.CRASH_SECONDS ?? 60);
const SIZE = 30;
/** A mint in doubt is looked for ten seconds later; RegistryTokens that failed wait for their backoff. */
const RECOVERY = 90_000;

describe('the operator is killed again and again', function () {
  this.timeout(SECONDS * 1000 + RECOVERY + 60_000);
  const seed = runSeed();
  const random = seededRandom(seed);
  let world: World;
  let operator: OperatorProcess | undefined;

  before(async () => {
    world = await World.start();
  });
  after(async () => {
    await operator?.kill();
    await world.close();
  });

  const start = async (): Promise<OperatorProcess> => {
    const { kubeconfig } = world.apiServer;
    operator = await OperatorProcess.start({ kubeconfig, flags: ['--leader-elect=false'] });
    return operator;
  };

  /** Waits for a random moment of its work: some time, or right after the registry did something. */
  async function fatalMoment(until: number): Promise<void> {
    const patience = Math.min(until - clock.monotonic(), 1_500 + random() * 2_000);
    const [event, count, delay] = [
      random() < 0.7 ? 'issued' : 'revoked',
      random() * 30,
      random() * 25,
    ] as const;
    if (random() < 0.3) return sleep(clock, patience);
    let seen = 0;
    const struck = Promise.withResolvers<void>();
    const strike = (): void => void (++seen > count && struck.resolve());
    world.service.on(event, strike);
    await Promise.race([struck.promise.then(() => sleep(clock, delay)), sleep(clock, patience)]);
    world.service.off(event, strike);
  }

  it(`every RegistryToken ends as asked for, with no mint too many and no orphan (seed ${seed}, ${SECONDS} s)`, async () => {
    const mints = new MintLedger(world.service);
    const workload = new Workload(world, { namespace: await world.createNamespace(), size: SIZE, random });
    const until = clock.monotonic() + SECONDS * 1000;
    const users = (async () => {
      while (clock.monotonic() < until) {
        await workload.step();
        await sleep(clock, 20 + random() * 30);
      }
    })();
    let kills = 0;
    while (clock.monotonic() < until) {
      const victim = await start();
      await fatalMoment(until);
      expect(victim.running, 'it ended by itself').to.equal(true);
      await victim.kill();
      kills++;
    }
    await users;
    await start();
    const { orphans, tokens } = await whenInOrder(world, RECOVERY);

    const { created, rotated, changed, deleted } = workload.counts;
    process.stdout.write(
      `      ${kills} kills, ${created} created, ${deleted} deleted, ${rotated + changed} rotations, ` +
        `${mints.total} mints, ${tokens.length} RegistryTokens and ${world.service.tokens().length} tokens left, ${orphans.length} orphans\n`,
    );
    expect(mints.repeated()).to.deep.equal([]);
    expect(workload.complaints(mints)).to.deep.equal([]);
  });
});
