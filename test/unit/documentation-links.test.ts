import { glob, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = new URL('../../', import.meta.url);
const PAGES = ['README.md', 'docs/**/*.md', 'charts/*/README.md'];

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/\]\([^)]*\)/g, '')
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('documentation', () => {
  it('links to files that are there, and to headings that they have', async () => {
    let links = 0;
    for await (const name of glob(PAGES, { cwd: fileURLToPath(ROOT) })) {
      const page = new URL(name, ROOT);
      const text = await readFile(page, 'utf8');
      for (const [link, path = '', anchor] of text.matchAll(/\]\(([^()\s#:]*)(?:#([^()\s]+))?\)/g)) {
        const target = path === '' ? page : new URL(path, page);
        await stat(target).catch(() => expect.fail(`${name} links to ${link.slice(1)}, which is not there`));
        if (anchor !== undefined)
          expect(anchorsOf(await readFile(target, 'utf8')), `${name}: ${link.slice(1)}`).to.include(anchor);
        links++;
      }
    }
    expect(links).to.be.above(100);
  });

  it('leads from README.md to every page', async () => {
    const seen = new Set(['README.md']);
    for (const name of seen) {
      const page = new URL(name, ROOT);
      for (const [, path = ''] of (await readFile(page, 'utf8')).matchAll(/\]\(([^()\s#:]+\.md)/g))
        seen.add(new URL(path, page).href.slice(ROOT.href.length));
    }
    for await (const name of glob(PAGES, { cwd: fileURLToPath(ROOT) })) expect([...seen]).to.include(name);
  });
});
