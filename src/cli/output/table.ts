import { prefix } from '../../api/syntax/text.ts';

/** A column of a table of `T`. */
export interface Column<T> {
  header: string;
  /** What its cell says of a row; empty text where there is nothing to say. */
  cell: (row: T) => string;
  /** What an empty cell shows: `<none>`, as kubectl has it of built-in kinds, unless told otherwise. */
  empty?: string;
  /** Whether only `-o wide` shows it. */
  wide?: boolean;
}

/** Blanks between two columns, and the least width of a column with them: those of kubectl (cli-runtime, printers/tabwriter.go). */
const GAP = 3;
const MIN_WIDTH = 6;
/** Characters of a cell: a tenant can write long names of anything. */
const MAX_CELL = 300;

/** Characters that move the cursor, break a line, colour what follows, or change the direction in which it is written. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;

/** Text with a blank in place of such characters. */
export function plain(text: string): string {
  return text.replaceAll(CONTROLS, ' ');
}

/** Rows with a header, aligned as kubectl aligns them; each line ends with a newline. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) =>
    columns.map(({ cell, empty = '<none>' }) => prefix(plain(cell(row)), MAX_CELL) || empty),
  );
  return aligned([columns.map(({ header }) => header), ...cells]);
}

/** Characters as tabwriter counts them: code points. */
const widthOf = (cell: string): number => Array.from(cell).length;

/** Lines of cells under each other. The last cell of a line is not padded. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines)
    line.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? MIN_WIDTH, widthOf(cell) + GAP)));
  const padded = (cell: string, at: number): string =>
    cell + ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell)));
  return lines
    .map((line) => `${line.map((cell, at) => (at < line.length - 1 ? padded(cell, at) : cell)).join('')}\n`)
    .join('');
}
