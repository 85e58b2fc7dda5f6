import { plain, type Column } from './table.ts';

/** What Markdown, or HTML within it, takes for anything but the character itself. */
const SPECIAL = /[\\`*_[\]|~#@<>&]/g;

const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' };

/** Text that Markdown shows as it is, in one line. */
export function markdownText(text: string): string {
  return plain(text).replaceAll(SPECIAL, (character) => ENTITIES[character] ?? `\\${character}`);
}

/** A table of Markdown (GitHub's), each line with a newline at its end. */
export function markdownTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [
    line(columns.map(({ header }) => markdownText(header))),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map(({ cell }) => markdownText(cell(row))))),
  ].join('');
}
