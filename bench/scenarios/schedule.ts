import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { alone, startOperator } from '../contenders.ts';
import { trialAmongIssued } from '../issued.ts';
import { measure, type Measurement } from '../measure/measurement.ts';
import type { Observer } from '../measure/observer.ts';
import { callsOfOperator } from '../report/calls.ts';
import { summary } from '../report/table.ts';
import type { Bench, Scenario } from '../scenario.ts';

const HOUR = 3_600_000;
/** Over so many milliseconds rotations are due, evenly; tokens of 24 hours are rotated once in a little more. */
const SPAN = 14 * HOUR;
/** Milliseconds that are looked at. */
const LOOK = 120_000;
/** Milliseconds to make up for what was due before. */
const PATIENCE = 1_800_000;
const FIGURES = [
  'due a second',
  'rotated a second',
  'overdue in the end',
  'processor, ms each',
  'peak memory, MiB',
];

interface Rotations {
  due: number;
  rotated: number;
  overdue: number;
}

/** RegistryTokens whose rotations are spread over the day, as in a cluster that has run for long. */
export const schedule: Scenario = {
  name: 'schedule',
  title: 'two minutes of rotations that are spread over the day',
  count: 10_000,
  run: async (bench) => {
    const rounds = await alone(bench, 'schedule', () => watch(bench));
    const figures = rounds.map(({ result: { due, rotated, overdue }, cpu, peak }) => ({
      'due a second': (due * 1000) / LOOK,
      'rotated a second': (rotated * 1000) / LOOK,
      'overdue in the end': overdue,
      'processor, ms each': cpu / rotated,
      'peak memory, MiB': peak / 2 ** 20,
    }));
    return [summary(`schedule: ${bench.count} RegistryTokens`, FIGURES, figures), callsOfOperator(rounds)];
  },
};

/** What was due while the operator started is made up for first. */
async function watch(bench: Bench): Promise<Measurement<Rotations>> {
  const { count } = bench;
  const first = clock.now();
  await using trial = await trialAmongIssued(bench, (n) => first + (n * SPAN) / count);
  const due = (): number => Math.min(count, Math.floor(((clock.now() - first) * count) / SPAN) + 1);
  const observer = await trial.observe();
  await using process = await startOperator(bench, trial);
  await process.whenWorking();
  await whenMadeUpFor(observer, due, () => process.check());
  const act = async () => {
    const before = { due: due(), rotated: observer.countOf(2) };
    await sleep(clock, LOOK);
    const after = { due: due(), rotated: observer.countOf(2) };
    const result = {
      due: after.due - before.due,
      rotated: after.rotated - before.rotated,
      overdue: Math.max(0, after.due - after.rotated),
    };
    return { process, result };
  };
  return await measure(trial, act, process);
}

/** @throws Error when the operator's process has ended, or does not catch up within half an hour */
async function whenMadeUpFor(observer: Observer, due: () => number, check: () => void): Promise<void> {
  const end = clock.monotonic() + PATIENCE;
  while (observer.countOf(2) < due() - 1) {
    check();
    if (clock.monotonic() > end) throw new Error(`${observer.countOf(2)} of ${due()} rotations were made`);
    await sleep(clock, 50);
  }
}
