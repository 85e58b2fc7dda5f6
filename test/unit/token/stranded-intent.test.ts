import { expect } from 'chai';
import { isStranded } from '../../../src/token/decide/stranded-intent.ts';

describe('an open intent', () => {
  const rows: [string, Parameters<typeof isStranded>[0], boolean][] = [
    ['is not stranded where a region of its account leads to its place', { region: 'us-south' }, false],
    ['nor while it is not known whether one does', 'unknown', false],
    ['is stranded where its account is gone', undefined, true],
    ['is stranded where its account does not lead there any more', 'elsewhere', true],
    ['is stranded where an administrator gave the place up', 'given up', true],
  ];
  for (const [name, reach, stranded] of rows) {
    it(name, () => expect(isStranded(reach)).to.equal(stranded));
  }
});
