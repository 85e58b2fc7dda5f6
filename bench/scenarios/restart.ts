import { systemClock as clock } from '../../src/common/clock.ts';
import { alone, startOperator } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { callsOfOperator } from '../report/calls.ts';
import { summary } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';

const FIGURES = ['seconds until /readyz', 'processor, s', 'memory, MiB', 'peak memory, MiB'];

/** The operator begins anew among RegistryTokens that have their tokens: nothing is to be written. */
export const restart: Scenario = {
  name: 'restart',
  title: 'a start among RegistryTokens that have their tokens',
  count: 10_000,
  run: async (bench) => {
    const rounds = await alone(bench, 'restart', () => begin(bench));
    const figures = rounds.map(({ result, cpu, rss, peak }) => ({
      'seconds until /readyz': result / 1000,
      'processor, s': cpu / 1000,
      'memory, MiB': rss / 2 ** 20,
      'peak memory, MiB': peak / 2 ** 20,
    }));
    return [
      summary(`restart: with ${bench.count} RegistryTokens`, FIGURES, figures),
      callsOfOperator(rounds),
    ];
  },
};

/** @returns milliseconds from the start of the process until it says that it is ready */
async function begin(bench: Bench): Promise<Measurement<number>> {
  await using trial = await trialAmongIssued(bench);
  await using stack = new AsyncDisposableStack();
  return await measure(trial, async () => {
    const began = clock.monotonic();
    const process = stack.use(await startOperator(bench, trial));
    await process.whenReady();
    const result = clock.monotonic() - began;
    await process.whenWorking();
    return { process, result };
  });
}
