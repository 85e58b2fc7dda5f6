/** A kind of change of keepachangelog.com, with what changed. */
export interface Changes {
  kind: string;
  entries: string[];
}

const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const HEADING = /^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/;

/**
 * What a changelog says of a version, as Markdown without its heading.
 * @throws Error when the version has no section with a date, or an empty one
 */
export function notesOf(changelog: string, version: string): string {
  const lines = changelog.split('\n');
  const start = lines.findIndex((line) => HEADING.exec(line)?.[1] === version);
  if (start < 0) throw new Error(`CHANGELOG.md has no section ## [${version}] - YYYY-MM-DD`);
  if (version !== 'Unreleased' && HEADING.exec(lines[start] ?? '')?.[2] === undefined)
    throw new Error(`CHANGELOG.md does not say when ${version} is released: ## [${version}] - YYYY-MM-DD`);
  const length = lines
    .slice(start + 1)
    .findIndex((line) => line.startsWith('## ') || /^\[[^\]]+\]: /.test(line));
  const end = length < 0 ? lines.length : start + 1 + length;
  const notes = lines
    .slice(start + 1, end)
    .join('\n')
    .trim();
  if (notes === '') throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return notes;
}

/**
 * The entries of a version by their kind; an entry is one line, without Markdown's backticks and links.
 * @throws Error for a kind that keepachangelog.com does not have
 */
export function changesOf(notes: string): Changes[] {
  return notes.split(/^### /m).flatMap((block) => {
    const [kind = '', ...rest] = block.split('\n');
    if (kind.trim() === '') return [];
    if (!KINDS.includes(kind)) throw new Error(`CHANGELOG.md: ${kind} is none of ${KINDS.join(', ')}`);
    const entries = rest
      .join('\n')
      .split(/^- /m)
      .map((entry) => plain(entry))
      .filter((entry) => entry !== '');
    return [{ kind, entries }];
  });
}

const plain = (markdown: string): string =>
  markdown
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
