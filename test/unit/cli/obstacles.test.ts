import { expect } from 'chai';
import { tokenReasons } from '../../../src/api/reasons.ts';
import { OBSTACLES } from '../../../src/cli/obstacles.ts';
import { readPage } from '../../support/pages.ts';

const plain = (markdown: string): string =>
  markdown
    .trim()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '');

describe('what the plugin says of reasons', () => {
  it('is what the table of docs/registrytokens.md says of each', async () => {
    const text = await readPage('registrytokens.md');
    const rows = [
      ...text.matchAll(/^\| `([A-Z]\w+)` *\|[^|]*\| (?:-|Warning|Normal) *\|([^|]*)\|([^|]*)\|$/gm),
    ];
    const documented = Object.fromEntries(
      rows.map(([, reason = '', matter = '', remedy = '']) => [
        reason,
        { matter: plain(matter), remedy: plain(remedy) },
      ]),
    );
    expect(OBSTACLES).to.deep.equal(documented);
    expect(Object.keys(OBSTACLES)).to.have.members(tokenReasons);
  });
});
