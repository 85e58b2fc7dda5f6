import { SECRETS } from '../../src/kube/client/resources.ts';
import { alone, startOperator } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { foreignSecrets } from '../objects.ts';
import { summary } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';

const FIGURES = ['memory, MiB', 'peak memory, MiB', 'processor, s'];

/** The operator begins among many RegistryTokens and Secrets that are none of its own, and sweeps. */
export const memory: Scenario = {
  name: 'memory',
  title: 'what it holds after a start and a sweep, among foreign Secrets',
  count: 10_000,
  run: async (bench) => {
    const rounds = await alone(bench, 'memory', () => begin(bench));
    const figures = rounds.map(({ rss, peak, cpu }) => ({
      'memory, MiB': rss / 2 ** 20,
      'peak memory, MiB': peak / 2 ** 20,
      'processor, s': cpu / 1000,
    }));
    const { count, foreign } = bench;
    return [summary(`memory: ${count} RegistryTokens beside ${foreign} foreign Secrets`, FIGURES, figures)];
  },
};

async function begin(bench: Bench): Promise<Measurement<undefined>> {
  await using trial = await trialAmongIssued(bench);
  await bench.stage.cluster.store(SECRETS, foreignSecrets(bench.foreign));
  await using stack = new AsyncDisposableStack();
  return await measure(trial, async () => {
    const process = stack.use(await startOperator(bench, trial));
    await process.whenWorking();
    await trial.whenSwept();
    return { process, result: undefined };
  });
}
