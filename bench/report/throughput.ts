import type { Side } from '../contenders.ts';
import type { Measurement } from '../measure/measurement.ts';
import { callsOf } from './calls.ts';
import { comparison, type Figures, type Table } from './table.ts';

const FIGURES = ['a second', 'processor, ms each', 'all of the machine, ms each', 'peak memory, MiB'];

/** How fast both did the same to so many RegistryTokens, and by which calls. @param rounds with milliseconds as their result */
export function throughput(
  title: string,
  rounds: readonly Record<Side, Measurement<number>>[],
  count: number,
): Table[] {
  const figuresOf = ({ result, cpu, machineCpu, peak }: Measurement<number>): Figures => ({
    'a second': (count * 1000) / result,
    'processor, ms each': cpu / count,
    'all of the machine, ms each': machineCpu / count,
    'peak memory, MiB': peak / 2 ** 20,
  });
  const figures = rounds.map(({ floor, operator }) => ({
    floor: figuresOf(floor),
    operator: figuresOf(operator),
  }));
  return [comparison(title, FIGURES, figures), callsOf(rounds, count)];
}
