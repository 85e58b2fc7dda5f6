import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { inTurn, startFloor, startOperator, type Side } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { whenAtRest } from '../measure/process-usage.ts';
import { throughput } from '../report/throughput.ts';
import type { Bench, Scenario } from '../scenario.ts';

/** The account asks for all its tokens to be replaced. */
export const rotation: Scenario = {
  name: 'rotation',
  title: 'all tokens of an account are rotated',
  count: 1_000,
  run: async (bench) => {
    const rounds = await inTurn(bench, 'rotation', (side) => rotateAll(bench, side));
    return throughput(`rotation: of all ${bench.count} RegistryTokens`, rounds, bench.count);
  },
};

/** @returns milliseconds from when it was asked for until the last had its new token */
async function rotateAll(bench: Bench, side: Side): Promise<Measurement<number>> {
  const { count } = bench;
  await using trial = await trialAmongIssued(bench);
  const observer = await trial.observe();
  if (side === 'floor') {
    await using process = await startFloor(bench, trial);
    const act = async () => {
      const began = await process.order({ what: 'issue all' });
      return { process, result: (await observer.whenReady(count, 2)) - began };
    };
    return await measure(trial, act, process);
  }
  await using process = await startOperator(bench, trial);
  await process.whenWorking();
  await whenAtRest(process.pid);
  const act = async () => {
    const began = clock.now();
    const requestedAt = new Date(began).toISOString();
    await trial.client.mergePatch(
      REGISTRY_ACCOUNTS,
      { name: 'default' },
      { spec: { rotation: { requestedAt } } },
    );
    return { process, result: (await observer.whenReady(count, 2, () => process.check())) - began };
  };
  return await measure(trial, act, process);
}
