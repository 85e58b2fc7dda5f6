import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alone, startOperator } from '../contenders.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import { foreignTokens } from '../objects.ts';
import { callsOfOperator } from '../report/calls.ts';
import { summary } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';
import type { Trial } from '../stage.ts';

const FIGURES = ['seconds', 'processor, s', 'peak memory, MiB'];

/** The registry's list holds many tokens that are none of this cluster's. */
export const sweep: Scenario = {
  name: 'sweep',
  title: "a sweep over a registry's list with as many rows",
  count: 100_000,
  run: async (bench) => {
    const rounds = await alone(bench, 'sweep', () => begin(bench));
    const figures = rounds.map(({ result, cpu, peak }) => ({
      seconds: result / 1000,
      'processor, s': cpu / 1000,
      'peak memory, MiB': peak / 2 ** 20,
    }));
    return [summary(`sweep: over ${bench.count} rows`, FIGURES, figures), callsOfOperator(rounds)];
  },
};

/** @returns milliseconds from when it began to work until it had swept */
async function begin(bench: Bench): Promise<Measurement<number>> {
  await using trial = await trialAmongRows(bench);
  await using stack = new AsyncDisposableStack();
  return await measure(trial, async () => {
    const process = stack.use(await startOperator(bench, trial));
    const began = await process.whenWorking();
    return { process, result: (await trial.whenSwept()) - began };
  });
}

async function trialAmongRows({ stage, count }: Bench): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  try {
    const file = join(folder, 'tokens.json');
    await writeFile(file, JSON.stringify(foreignTokens(count)));
    return await stage.trial(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
