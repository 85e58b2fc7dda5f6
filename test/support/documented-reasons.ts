/** The tables of reasons of docs/registrytokens.md. */
import type { ConditionType } from '../../src/api/conditions.ts';
import { readPage } from './pages.ts';

export interface DocumentedReason {
  reason: string;
  /** That the heading above the table names, if it names one. */
  condition: ConditionType | undefined;
  /** What is the matter, without markup. */
  matter: string;
  /** What to do, without markup. */
  remedy: string;
}

const plain = (markdown: string): string =>
  markdown
    .trim()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '');

export async function documentedReasons(): Promise<DocumentedReason[]> {
  const [, ...sections] = (await readPage('registrytokens.md')).split(/^### Reasons /m);
  return sections.flatMap((section) => {
    const [, condition] = /^.*\(`(\w+)`\)\n/.exec(section) ?? [];
    return [...section.matchAll(/^\| `([A-Z]\w+)` *\|([^|]*)\|([^|]*)\|$/gm)].map(
      ([, reason = '', matter = '', remedy = '']) => ({
        reason,
        condition: condition as ConditionType | undefined,
        matter: plain(matter),
        remedy: plain(remedy),
      }),
    );
  });
}
