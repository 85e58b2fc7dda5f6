import { expect } from 'chai';
import { tokenReasons } from '../../../src/api/reasons.ts';
import { OBSTACLES } from '../../../src/cli/obstacles.ts';
import { documentedReasons } from '../../support/documented-reasons.ts';

describe('what the plugin says of reasons', () => {
  it('is what the tables of docs/registrytokens.md say of each', async () => {
    const rows = await documentedReasons();
    const documented = Object.fromEntries(
      rows.map(({ reason, matter, remedy }) => [reason, { matter, remedy }]),
    );
    expect(OBSTACLES).to.deep.equal(documented);
    expect(Object.keys(OBSTACLES)).to.have.members(tokenReasons);
  });
});
