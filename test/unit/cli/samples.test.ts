import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { samplesText, withSamples } from './support/samples.ts';

describe('the samples in docs/kubectl-plugin.md', () => {
  it('are what the plugin prints (npm run generate)', async () => {
    const page = await readFile('docs/kubectl-plugin.md', 'utf8');
    expect(page).to.equal(withSamples(page, await samplesText()));
  });
});
