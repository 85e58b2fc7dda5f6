import { expect } from 'chai';
import * as fc from 'fast-check';
import { prefix, shorten } from '../../../src/api/syntax/text.ts';

describe('shortened text', () => {
  it('stays as it is where it is short enough', () => expect(shorten('12345', 5)).to.equal('12345'));
  it('ends in an ellipsis where it is not', () => expect(shorten('123456', 5)).to.equal('1234…'));
  it('never ends in half a character', () => {
    expect(prefix('ab😀', 3)).to.equal('ab');
    expect(shorten('ab😀cd', 4)).to.equal('ab…');
  });
  it('is a text that any API server stores as it is, and no longer than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, longest) => {
        for (const cut of [prefix(text, longest), shorten(text, longest)]) {
          expect(cut.isWellFormed()).to.be.true;
          expect(cut.length).to.be.at.most(longest);
        }
      }),
    );
  });
});
