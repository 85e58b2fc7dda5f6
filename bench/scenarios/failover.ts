import { systemClock as clock } from '../../src/common/clock.ts';
import { alone, startOperator } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { whenAtRest } from '../measure/process-usage.ts';
import { summary, type Figures } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';

const FIGURES = ['seconds after kill -9', 'seconds after a clean stop'];

/** A second replica takes over. */
export const failover: Scenario = {
  name: 'failover',
  title: 'how long until another replica works',
  count: 1_000,
  run: async (bench) => {
    const rounds = await alone(bench, 'failover', () => takeOver(bench));
    return [summary(`failover: with ${bench.count} RegistryTokens`, FIGURES, rounds)];
  },
};

async function takeOver(bench: Bench): Promise<Figures> {
  await using trial = await trialAmongIssued(bench);
  const begin = async (): ReturnType<typeof startOperator> => {
    const replica = await startOperator(bench, trial);
    await replica.whenReady();
    return replica;
  };
  await using killed = await begin();
  await killed.whenWorking();
  await using second = await begin();
  await whenAtRest(second.pid);
  const killedAt = clock.now();
  await killed.kill();
  const tookOver = (await second.whenWorking()) - killedAt;
  await using third = await begin();
  await whenAtRest(third.pid);
  const stoppedAt = clock.now();
  const stopped = second.stop();
  const followed = (await third.whenWorking()) - stoppedAt;
  await stopped;
  return { 'seconds after kill -9': tookOver / 1000, 'seconds after a clean stop': followed / 1000 };
}
