import { expect } from 'chai';
import { samplesText, withSamples } from './support/samples.ts';
import { readPage } from '../../support/pages.ts';

describe('the samples in docs/kubectl-plugin.md', () => {
  it('are what the plugin prints (npm run generate)', async () => {
    const page = await readPage('kubectl-plugin.md');
    expect(page).to.equal(withSamples(page, await samplesText()));
  });
});
