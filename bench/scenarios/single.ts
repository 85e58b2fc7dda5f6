import { API_VERSION } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { inTurn, startFloor, startOperator, type Side } from '../contenders.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import type { Observer } from '../measure/observer.ts';
import { quantile } from '../measure/statistics.ts';
import { namespaceOf } from '../objects.ts';
import { callsOf } from '../report/calls.ts';
import { comparison, type Figures } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';
import type { Trial } from '../stage.ts';

const FIGURES = ['p50, ms', 'p99, ms'];

/** RegistryTokens that are created one after another, each when the one before has its token. */
export const single: Scenario = {
  name: 'single',
  title: 'one at a time: from its creation until it is Ready',
  count: 200,
  run: async (bench) => {
    const rounds = await inTurn(bench, 'single', (side) => oneByOne(bench, side));
    const figures = rounds.map(({ floor, operator }) => ({
      floor: figuresOf(floor),
      operator: figuresOf(operator),
    }));
    return [
      comparison(`single: ${bench.count} RegistryTokens, one at a time`, FIGURES, figures),
      callsOf(rounds, bench.count),
    ];
  },
};

/** @returns milliseconds that each took */
async function oneByOne(bench: Bench, side: Side): Promise<Measurement<number[]>> {
  await using trial = await bench.stage.trial();
  const observer = await trial.observe();
  if (side === 'floor') {
    await using process = await startFloor(bench, trial);
    const issue = (token: RegistryToken): Promise<unknown> => process.order({ what: 'issue', token });
    const act = async () => ({ process, result: await createAll(bench, trial, observer, issue) });
    return await measure(trial, act, process);
  }
  await using process = await startOperator(bench, trial);
  await process.whenWorking();
  const act = async () => {
    const check = (): Promise<void> => Promise.resolve(process.check());
    return { process, result: await createAll(bench, trial, observer, check) };
  };
  return await measure(trial, act, process);
}

async function createAll(
  { count }: Bench,
  { client }: Trial,
  observer: Observer,
  issue: (token: RegistryToken) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const began = clock.now();
    const token = await client.create<RegistryToken>(REGISTRY_TOKENS, {
      apiVersion: API_VERSION,
      kind: 'RegistryToken',
      metadata: { namespace: namespaceOf(n), name: `app-${n}` },
      spec: { lifetime: '24h' },
    });
    await issue(token);
    times.push((await observer.whenReady(n + 1, 1)) - began);
  }
  return times;
}

function figuresOf({ result }: Measurement<number[]>): Figures {
  return { 'p50, ms': quantile(result, 0.5), 'p99, ms': quantile(result, 0.99) };
}
