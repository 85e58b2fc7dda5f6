import { expect } from 'chai';
import {
  afterSearch,
  isFree,
  NOT_SEARCHED,
  scopesToName,
  withNoted,
  type SearchedScopes,
} from '../../../src/token/sweep/searched-scopes.ts';
import { MINUTE } from '../../support/builders.ts';

const NONE: ReadonlySet<string> = new Set();

/** A place that was searched at those times, each time in all of the scopes. */
const searchedAt = (scopes: string[], ...times: number[]): SearchedScopes =>
  times.reduce(
    (before, askedAt) => afterSearch(before, { scopes: new Set(scopes), askedAt }, NONE, NONE),
    NOT_SEARCHED,
  );

describe('a scope was searched in vain', () => {
  it('by two lists that are a minute apart', () => {
    expect(isFree('a', [searchedAt(['a'], 0, MINUTE)])).to.equal(true);
    expect(isFree('a', [searchedAt(['a'], 0, MINUTE - 1)])).to.equal(false);
    expect(isFree('a', [searchedAt(['a'], 0)])).to.equal(false);
  });

  it('not before every place was searched', () => {
    const searched = searchedAt(['a'], 0, MINUTE);
    expect(isFree('a', [searched, NOT_SEARCHED])).to.equal(false);
    expect(isFree('a', [])).to.equal(false);
  });

  it('not where it was another that was searched', () => {
    expect(isFree('b', [searchedAt(['a'], 0, MINUTE)])).to.equal(false);
  });

  const breaks: [what: string, inUse: string[], unclean: string[], scopes: string[]][] = [
    ['a RegistryToken had it', ['a'], [], ['a']],
    ['something was left there', [], ['a'], ['a']],
    ['it was not searched', [], [], ['b']],
  ];
  for (const [what, inUse, unclean, scopes] of breaks)
    it(`not where in between ${what}`, () => {
      const first = searchedAt(['a'], 0);
      const list = { scopes: new Set(scopes), askedAt: MINUTE };
      const second = afterSearch(first, list, new Set(inUse), new Set(unclean));
      const third = afterSearch(second, { scopes: new Set(['a']), askedAt: MINUTE + 1 }, NONE, NONE);
      expect(isFree('a', [third])).to.equal(false);
    });

  it('though something was left in another', () => {
    const left = { scopes: new Set(['a', 'b']), askedAt: MINUTE };
    const searched = afterSearch(searchedAt(['a', 'b'], 0), left, NONE, new Set(['b']));
    expect([isFree('a', [searched]), isFree('b', [searched])]).to.deep.equal([true, false]);
  });

  it('not where a RegistryToken noted it since', () => {
    const noted = withNoted(searchedAt(['a', 'b'], 0, MINUTE), new Set(['a']));
    expect(isFree('a', [noted])).to.equal(false);
    expect(isFree('b', [noted])).to.equal(true);
  });
});

describe('the scopes that an account’s status names', () => {
  const places = [searchedAt(['a', 'b'], 0, MINUTE)];
  const search = { places, owed: NONE, unclean: NONE, inUse: NONE };

  it('lose those that were searched in vain', () => {
    expect(scopesToName(['a', 'c'], search)).to.deep.equal(['c']);
  });

  it('keep those that RegistryTokens have, and those in which one left something', () => {
    expect(scopesToName(['a'], { ...search, inUse: new Set(['a']) })).to.deep.equal(['a']);
    expect(scopesToName(['a'], { ...search, owed: new Set(['a']) })).to.deep.equal(['a']);
  });

  it('get those in which something was found, once each, unless a RegistryToken names them', () => {
    const unclean = new Set(['c', 'd', 'e']);
    const named = scopesToName(['c'], { ...search, unclean, inUse: new Set(['e']) });
    expect(named).to.deep.equal(['c', 'd']);
  });
});
