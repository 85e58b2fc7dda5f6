import { expect } from 'chai';
import * as fc from 'fast-check';
import { isScopeName } from '../../../src/api/syntax/metadata.ts';
import { forbiddenName, listOf, scopeOfList } from '../../../src/token/decide/scope.ts';

/** Names as `spec.scope` takes them. */
const names = fc.stringMatching(/^[a-z0-9]{1,3}([._-][a-z0-9]{1,3}){0,2}(\/[a-z0-9]{1,3}){0,2}$/);

describe('a scope', () => {
  const rows: [pattern: string, allowed: string[], forbidden: string[]][] = [
    ['team-a', ['team-a'], ['team', 'team-ab', 'xteam-a', 'team-a/app', 'team_a']],
    ['team-*', ['team-a', 'team-a-b', 'team-a.b'], ['team', 'ateam-a', 'team-a/app']],
    ['*', ['a', 'team-a'], ['a/b']],
    ['*/*', ['a/b'], ['a', 'a/b/c']],
    ['team/*/app', ['team/a/app', 'team/b-c/app'], ['team/app', 'team/a/b/app', 'team/a/apps']],
    ['*-a', ['team-a', 'b-a'], ['team-ab']],
    ['a*b*c', ['abc', 'axbxc', 'abbcc', 'abcbc'], ['ac', 'acb', 'a/b/c']],
    ['ab*ba', ['abba', 'ab-ba'], ['aba']],
    ['a**c', ['ac', 'abc'], ['ab']],
    ['a.b', ['a.b'], ['a-b', 'axb']],
    ['$(namespace)', ['team'], ['team-a', 'tea', '$(namespace)']],
    ['$(namespace)-*', ['team-a'], ['team', 'other-a']],
    ['$(namespace)/$(namespace)', ['team/team'], ['team/a']],
    ['Dev', [], ['xev', 'dev']],
  ];
  for (const [pattern, allowed, forbidden] of rows) {
    it(`under ${pattern} allows ${allowed.join(', ') || 'nothing'}, but not ${forbidden.join(', ')}`, () => {
      for (const name of allowed) expect(forbiddenName([name], [pattern], 'team'), name).to.equal(undefined);
      for (const name of forbidden) expect(forbiddenName([name], [pattern], 'team')).to.equal(name);
    });
  }

  it('is allowed where each of its names is under some pattern; else the first that is not is told', () => {
    expect(forbiddenName(['a', 'b-1'], ['b-*', 'a'], 'team')).to.equal(undefined);
    expect(forbiddenName(['a', 'c', 'd'], ['b-*', 'a'], 'team')).to.equal('c');
    expect(forbiddenName([], ['a'], 'team')).to.equal(undefined);
    expect(forbiddenName(['a'], [], 'team')).to.equal('a');
  });

  it('under a pattern without wildcard allows that very name only', () => {
    fc.assert(
      fc.property(names, names, (pattern, name) => {
        expect(forbiddenName([pattern], [pattern], 'team')).to.equal(undefined);
        expect(forbiddenName([name], [pattern], 'team') === undefined).to.equal(name === pattern);
      }),
    );
  });

  it('under a pattern with wildcards allows what an expression that means the same does', () => {
    const patterns = fc.stringMatching(/^[ab*/.-]{1,8}$/);
    const expressionOf = (pattern: string): RegExp =>
      new RegExp(`^${pattern.replaceAll(/[.-]/g, '\\$&').replaceAll('*', '[^/]*')}$`);
    fc.assert(
      fc.property(patterns, fc.stringMatching(/^[ab/.-]{1,8}$/), (pattern, name) => {
        const allowed = forbiddenName([name], [pattern], 'team') === undefined;
        expect(allowed).to.equal(expressionOf(pattern).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  it('under the namespace allows nothing of another', () => {
    const namespaces = fc.stringMatching(/^[a-z0-9]{1,9}$/);
    fc.assert(
      fc.property(namespaces, names, (namespace, name) => {
        const allowed = forbiddenName([name], ['$(namespace)'], namespace) === undefined;
        expect(allowed).to.equal(name === namespace);
      }),
    );
  });

  it('of names made to be slow is decided at once: there is no backtracking', () => {
    const name = 'a'.repeat(255);
    expect(forbiddenName([name], [`${'*a'.repeat(120)}*b`], 'team')).to.equal(name);
  });

  it('of one name has a list of its own, and those of several names or none share one', () => {
    const scopes = fc.uniqueArray(names);
    fc.assert(
      fc.property(scopes, (scope) => {
        expect(scope.every(isScopeName)).to.equal(true);
        expect(scopeOfList(listOf(scope))).to.deep.equal(scope.length === 1 ? scope : []);
      }),
    );
    expect(listOf(undefined)).to.equal('');
  });
});
