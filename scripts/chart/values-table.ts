import { isMap, isScalar, type Document, type Node, type Pair } from 'yaml';

interface Row {
  key: string;
  value: string;
  description: string;
}

/** The values of a chart as a Markdown table, in their order: key, default, and the comment above the key. */
export function valuesTable(values: Document): string {
  if (!isMap(values.contents)) throw new Error('values.yaml is no map');
  const rows = values.contents.items.flatMap((pair, index) =>
    // The comment above the first key belongs to the document.
    rowsOf(pair as Pair<Node, Node>, '', index === 0 ? (values.commentBefore ?? '') : ''),
  );
  const lines = rows.map(({ key, value, description }) => `| \`${key}\` | \`${value}\` | ${description} |`);
  return ['| Key | Default | What it does |', '| --- | --- | --- |', ...lines].join('\n');
}

/** A map without a comment of its own is told by its keys. */
function rowsOf({ key, value }: Pair<Node, Node | null>, prefix: string, above = ''): Row[] {
  const name = isScalar(key) ? String(key.value) : '';
  const path = `${prefix}${name}`;
  const description = text(key.commentBefore ?? above);
  if (isMap(value) && value.items.length > 0 && !description) {
    return value.items.flatMap((pair, index) =>
      rowsOf(pair as Pair<Node, Node>, `${path}.`, index === 0 ? (value.commentBefore ?? '') : ''),
    );
  }
  if (!description) throw new Error(`values.yaml has no comment above ${path}`);
  return [{ key: path, value: JSON.stringify(value?.toJSON() ?? null), description }];
}

/** A comment in the form of helm-docs: `-- ` and the description. */
const text = (comment: string): string =>
  comment
    .split('\n')
    .map((line) => line.trim().replace(/^-- /, ''))
    .join(' ')
    .trim()
    .replaceAll('|', '\\|');
