import { spreadOf } from '../measure/statistics.ts';

/** A table for people: a heading over each column, rows under it. */
export interface Table {
  title: string;
  headings: readonly string[];
  rows: readonly (readonly string[])[];
}

/** Figures of one round, by name. */
export type Figures = Readonly<Record<string, number>>;

/** The figures of all rounds beside the floor's, and their ratio in each round. @param names in the order of rows */
export function comparison(
  title: string,
  names: readonly string[],
  rounds: readonly { floor: Figures; operator: Figures }[],
): Table {
  const rows = names.map((name) => {
    const floor = rounds.map((round) => round.floor[name] ?? NaN);
    const operator = rounds.map((round) => round.operator[name] ?? NaN);
    const ratios = operator.map((value, n) => value / (floor[n] ?? NaN));
    return [name, ...[floor, operator, ratios].map(spread)];
  });
  return { title, headings: ['', 'floor', 'operator', 'operator / floor'], rows };
}

/** The figures of all rounds. @param names in the order of rows */
export function summary(title: string, names: readonly string[], rounds: readonly Figures[]): Table {
  const rows = names.map((name) => [name, spread(rounds.map((round) => round[name] ?? NaN))]);
  return { title, headings: ['', 'operator'], rows };
}

/** Means of counts over so many things, one column for each side. */
export function counts(
  title: string,
  sides: Readonly<Record<string, readonly ReadonlyMap<string, number>[]>>,
  each: number,
): Table {
  const columns = Object.values(sides);
  const names = [...new Set(columns.flat().flatMap((round) => [...round.keys()]))].sort();
  const mean = (rounds: readonly ReadonlyMap<string, number>[], name: string): string => {
    const sum = rounds.reduce((total, round) => total + (round.get(name) ?? 0), 0);
    return sum === 0 ? '-' : figure(sum / rounds.length / each);
  };
  const rows = names.map((name) => [name, ...columns.map((rounds) => mean(rounds, name))]);
  return { title, headings: ['', ...Object.keys(sides)], rows };
}

/** As text, in columns. */
export function render({ title, headings, rows }: Table): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** `1.5 (1.2 to 1.7)`, the middle and how far apart they are; one figure alone where there is one. */
export function spread(figures: readonly number[]): string {
  if (figures.length === 1 || figures.some(Number.isNaN)) return figure(figures[0] ?? NaN);
  const { median, least, most } = spreadOf(figures);
  return `${figure(median)} (${figure(least)} to ${figure(most)})`;
}

/** Three digits that count, more only before the point. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '-';
  const digits = Math.floor(Math.log10(Math.abs(value) || 1)) + 1;
  return value.toFixed(Math.min(3, Math.max(0, 3 - Math.max(digits, 0))));
}
