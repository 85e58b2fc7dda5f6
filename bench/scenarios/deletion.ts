import { systemClock as clock } from '../../src/common/clock.ts';
import { inTurn, startFloor, startOperator, type Side } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { whenAtRest } from '../measure/process-usage.ts';
import { throughput } from '../report/throughput.ts';
import type { Bench, Scenario } from '../scenario.ts';

/** All RegistryTokens are deleted, namespace by namespace. */
export const deletion: Scenario = {
  name: 'deletion',
  title: 'all RegistryTokens are deleted',
  count: 1_000,
  run: async (bench) => {
    const rounds = await inTurn(bench, 'deletion', (side) => deleteAll(bench, side));
    return throughput(`deletion: of all ${bench.count} RegistryTokens`, rounds, bench.count);
  },
};

/** @returns milliseconds from the first request until the last RegistryToken was gone */
async function deleteAll(bench: Bench, side: Side): Promise<Measurement<number>> {
  await using trial = await trialAmongIssued(bench);
  const observer = await trial.observe();
  if (side === 'floor') {
    await using process = await startFloor(bench, trial);
    const act = async () => {
      const began = clock.now();
      await bench.stage.deleteTokens();
      await process.order({ what: 'remove deleted' });
      return { process, result: (await observer.whenLeft(0)) - began };
    };
    return await measure(trial, act, process);
  }
  await using process = await startOperator(bench, trial);
  await process.whenWorking();
  await whenAtRest(process.pid);
  const act = async () => {
    const began = clock.now();
    await bench.stage.deleteTokens();
    return { process, result: (await observer.whenLeft(0, () => process.check())) - began };
  };
  return await measure(trial, act, process);
}
