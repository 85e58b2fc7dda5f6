import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { alone, startOperator } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { whenAtRest } from '../measure/process-usage.ts';
import { callsOfOperator } from '../report/calls.ts';
import { summary } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';

const MINUTE = 60_000;
const FIGURES = ['processor, ms', 'memory, MiB'];

/** Nothing happens to RegistryTokens that have their tokens. */
export const idle: Scenario = {
  name: 'idle',
  title: 'a minute in which nothing happens',
  count: 10_000,
  run: async (bench) => {
    const rounds = await alone(bench, 'idle', () => rest(bench));
    const figures = rounds.map(({ cpu, rss }) => ({ 'processor, ms': cpu, 'memory, MiB': rss / 2 ** 20 }));
    return [
      summary(`idle: ${bench.count} RegistryTokens, a minute`, FIGURES, figures),
      callsOfOperator(rounds),
    ];
  },
};

async function rest(bench: Bench): Promise<Measurement<undefined>> {
  await using trial = await trialAmongIssued(bench);
  await using process = await startOperator(bench, trial);
  await process.whenWorking();
  await whenAtRest(process.pid);
  const act = async () => {
    await sleep(clock, MINUTE);
    return { process, result: undefined };
  };
  return await measure(trial, act, process);
}
