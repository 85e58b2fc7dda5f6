import { systemClock as clock } from '../../src/common/clock.ts';
import { inTurn, startFloor, startOperator, type Side } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { callsInAll } from '../report/calls.ts';
import { comparison, type Figures } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';

const FIGURES = ['seconds until /readyz', 'processor, s', 'memory, MiB', 'peak memory, MiB'];

/**
 * The operator begins anew among RegistryTokens that have their tokens: nothing is to be written. The floor reads the same lists, page
 * by page, and nothing else.
 */
export const restart: Scenario = {
  name: 'restart',
  title: 'a start among RegistryTokens that have their tokens',
  count: 10_000,
  run: async (bench) => {
    const rounds = await inTurn(bench, 'restart', (side) => begin(bench, side));
    const figuresOf = ({ result, cpu, rss, peak }: Measurement<number>): Figures => ({
      'seconds until /readyz': result / 1000,
      'processor, s': cpu / 1000,
      'memory, MiB': rss / 2 ** 20,
      'peak memory, MiB': peak / 2 ** 20,
    });
    const figures = rounds.map(({ floor, operator }) => ({
      floor: figuresOf(floor),
      operator: figuresOf(operator),
    }));
    return [comparison(`restart: with ${bench.count} RegistryTokens`, FIGURES, figures), callsInAll(rounds)];
  },
};

/** @returns milliseconds from the start of the operator's process until it says that it is ready, or until the floor has read all */
async function begin(bench: Bench, side: Side): Promise<Measurement<number>> {
  await using trial = await trialAmongIssued(bench);
  if (side === 'floor') {
    await using process = await startFloor(bench, trial);
    const act = async () => {
      const began = clock.monotonic();
      await process.order({ what: 'read all' });
      return { process, result: clock.monotonic() - began };
    };
    return await measure(trial, act, process);
  }
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
