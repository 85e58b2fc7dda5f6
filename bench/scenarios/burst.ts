import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { inTurn, startFloor, startOperator, type Side } from '../contenders.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { newTokens } from '../objects.ts';
import { throughput } from '../report/throughput.ts';
import type { Bench, Scenario } from '../scenario.ts';

/** RegistryTokens that wait when it starts. */
export const burst: Scenario = {
  name: 'burst',
  title: 'all at once: RegistryTokens that wait when it starts',
  count: 1_000,
  run: async (bench) => {
    const rounds = await inTurn(bench, 'burst', (side) => issueAll(bench, side));
    return throughput(`burst: ${bench.count} RegistryTokens at once`, rounds, bench.count);
  },
};

/** @returns milliseconds from when it began to work until the last was Ready */
async function issueAll(bench: Bench, side: Side): Promise<Measurement<number>> {
  const { stage, count } = bench;
  await using trial = await stage.trial();
  await stage.cluster.store(REGISTRY_TOKENS, newTokens(count));
  const observer = await trial.observe();
  if (side === 'floor') {
    await using process = await startFloor(bench, trial);
    const act = async () => {
      const began = await process.order({ what: 'issue all' });
      return { process, result: (await observer.whenReady(count, 1)) - began };
    };
    return await measure(trial, act, process);
  }
  await using stack = new AsyncDisposableStack();
  return await measure(trial, async () => {
    const process = stack.use(await startOperator(bench, trial));
    const began = await process.whenWorking();
    return { process, result: (await observer.whenReady(count, 1, () => process.check())) - began };
  });
}
