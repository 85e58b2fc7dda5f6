import { stringify } from 'yaml';
import type { KubeObject } from '../../common/objects.ts';
import { plain, table, type Column } from './table.ts';

/** What `-o` takes. */
export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
/** Markdown is for reports. */
export type Format = (typeof FORMATS)[number] | 'markdown';

/** Rows, and how each format shows them. */
export interface Listing<T> {
  columns: readonly Column<T>[];
  rows: readonly T[];
  /** The object that JSON and YAML show of a row. */
  object: (row: T) => object;
  /** As `-o name` has it, such as `registrytoken.pullsecrets.dev/app-pull`. */
  name: (row: T) => string;
}

/** A listing in a format, with a newline at the end; empty text where a table or names have no row. */
export function renderListing<T>({ columns, rows, object, name }: Listing<T>, format: Format): string {
  if (format === 'json' || format === 'yaml')
    return renderObject({ apiVersion: 'v1', kind: 'List', metadata: {}, items: rows.map(object) }, format);
  if (format === 'name') return rows.map((row) => `${plain(name(row))}\n`).join('');
  if (rows.length === 0) return '';
  return table(
    columns.filter(({ wide }) => format === 'wide' || wide !== true),
    rows,
  );
}

/** Terminals take these for commands (ECMA-48, 8-bit controls). They are in quotes in YAML too, but as they are. */
const CONTROLS = /[\u007f-\u009f]/g;

/** An object as text, with a newline at the end. */
export function renderObject(object: object, format: 'json' | 'yaml'): string {
  const text =
    format === 'json'
      ? `${JSON.stringify(object, undefined, 4)}\n`
      : stringify(object, { lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false });
  return text.replaceAll(CONTROLS, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** An object without what `kubectl get` leaves out too. */
export function shown<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
