import { expect } from 'chai';
import * as fc from 'fast-check';
import { fits, isPattern, isSimple } from '../../../src/api/syntax/pattern.ts';

describe('a pattern of names', () => {
  for (const [pattern, fitting, others] of [
    ['*', ['a', 'ci-1', ''], []],
    ['ci-*', ['ci-1', 'ci-'], ['ci', 'my-ci-1']],
    ['*-ci', ['my-ci', '-ci'], ['ci', 'my-ci-1']],
    ['a*b*c', ['abc', 'a1b2c'], ['ab', 'acb']],
    ['ab*ba', ['abba', 'ab-ba'], ['aba']],
    ['default', ['default'], ['default-1', '']],
  ] as const)
    it(`${pattern} stands for ${fitting.join(', ')}${others.length > 0 ? `, and not for ${others.join(', ')}` : ''}`, () => {
      expect(fitting.filter((name) => !fits(pattern, name))).to.deep.equal([]);
      expect(others.filter((name) => fits(pattern, name))).to.deep.equal([]);
    });

  it('stands for what an expression that means the same does', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab*]{1,8}$/), fc.stringMatching(/^[ab]{0,8}$/), (pattern, name) => {
        expect(fits(pattern, name)).to.equal(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name));
      }),
    );
  });

  it('is simple with up to two asterisks', () => {
    const patterns = ['default', '*', 'a*b*', 'a**', '***', 'a*'.repeat(100)];
    expect(patterns.map(isSimple)).to.deep.equal([true, true, true, true, false, false]);
  });

  it('is told from a name by its asterisk', () => {
    expect(['*', 'ci-*', 'default'].map(isPattern)).to.deep.equal([true, true, false]);
  });
});
