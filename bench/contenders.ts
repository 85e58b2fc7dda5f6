import { systemClock as clock } from '../src/common/clock.ts';
import type { Measurement } from './measure/measurement.ts';
import { FloorProcess } from './floor/floor-process.ts';
import type { Bench } from './scenario.ts';
import type { Trial } from './stage.ts';
import type { RunningOperator } from './operator.ts';

/** Who is measured. */
export type Side = 'floor' | 'operator';

/** Both, in the order of a round: each goes first in every other one. */
function sidesOf(round: number): readonly Side[] {
  return round % 2 === 0 ? ['floor', 'operator'] : ['operator', 'floor'];
}

/** Measures both in all rounds, in turn. */
export async function inTurn<T>(
  { rounds, tell }: Bench,
  title: string,
  act: (side: Side) => Promise<Measurement<T>>,
): Promise<Record<Side, Measurement<T>>[]> {
  const results: Record<Side, Measurement<T>>[] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = new Map<Side, Measurement<T>>();
    for (const side of sidesOf(round)) {
      const started = clock.monotonic();
      measured.set(side, await act(side));
      tell(`${title}, round ${round + 1}, ${side}: ${((clock.monotonic() - started) / 1000).toFixed(1)} s`);
    }
    results.push(Object.fromEntries(measured) as Record<Side, Measurement<T>>);
  }
  return results;
}

/** Measures the operator alone in all rounds. */
export async function alone<T>({ rounds, tell }: Bench, title: string, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = clock.monotonic();
    results.push(await act());
    tell(`${title}, round ${round + 1}: ${((clock.monotonic() - started) / 1000).toFixed(1)} s`);
  }
  return results;
}

/** Starts the floor on a trial. */
export function startFloor({ workers }: Bench, { cluster, registry }: Trial): Promise<FloorProcess> {
  return FloorProcess.start({ kubeconfig: cluster.kubeconfig, registry: registry.url, workers });
}

/** Starts the operator on a trial. */
export function startOperator(
  { operator }: Bench,
  { cluster }: Trial,
  flags: readonly string[] = [],
): Promise<RunningOperator> {
  return operator.start(cluster.kubeconfig, flags);
}
