import { glob } from 'node:fs/promises';
import { posix } from 'node:path';
import { expect } from 'chai';
import { readPage } from '../support/pages.ts';

/** Each section of a page by its heading. */
function sectionsOf(page: string): Map<string, string> {
  const [, ...sections] = page.split(/^## /m);
  return new Map(
    sections.map((section) => [section.slice(0, section.indexOf('\n')), section] as [string, string]),
  );
}

/** Files that a page names, from the repository's root; a bare name is in the folder of the file named before it. */
function filesIn(page: string): string[] {
  const files: string[] = [];
  for (const [, name = ''] of page.matchAll(/`([\w./{},-]+\.ts)`/g)) {
    if (name.startsWith('test/')) files.push(name);
    else if (name.includes('/')) files.push(`src/${name}`);
    else files.push(posix.join(posix.dirname(files.at(-1) ?? ''), name));
  }
  return files;
}

describe('docs/development/evidence.md', () => {
  it('has code and tests for each promise of docs/guarantees.md', async () => {
    const evidence = sectionsOf(await readPage('development/evidence.md'));
    const promises = [...sectionsOf(await readPage('guarantees.md')).keys()];
    expect(promises).to.have.length.above(15).and.to.include('What is not promised');
    for (const promise of promises.filter((title) => title !== 'What is not promised'))
      expect(evidence.get(promise) ?? '', promise)
        .to.match(/^\*\*Kept by\.\*\* /m)
        .and.to.match(/^\*\*Shown by\.\*\* /m);
  });

  it('names only files that are there', async () => {
    const files = filesIn(await readPage('development/evidence.md'));
    expect(files).to.have.length.above(100);
    for (const file of files) {
      const found: string[] = [];
      for await (const path of glob(file)) found.push(path);
      expect(found, file).to.have.length.above(0);
    }
  });
});
