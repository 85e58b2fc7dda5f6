import { expect } from 'chai';
import { specHash, type Identity } from '../../../src/token/decide/spec-hash.ts';
import { DAY, HOUR } from '../../support/builders.ts';

describe('the fingerprint of a wanted token', () => {
  const identity: Identity = {
    account: 'default',
    region: 'us-south',
    access: 'ReadOnly',
    lifetime: DAY,
    scope: [],
  };

  it('never changes from one release to the next, which would replace every token', () => {
    expect(specHash(identity)).to.equal('b0aba3cf1bd0fd2b');
    expect(specHash({ ...identity, region: '', scope: ['team-a', 'team-b'] })).to.equal('ae9662c82469c5a7');
  });

  const changes = [
    { account: 'prod' },
    { region: 'eu-de' },
    { access: 'ReadWrite' as const },
    { lifetime: 12 * HOUR },
    { lifetime: 'Never' as const },
    { scope: ['team-a'] },
    { region: '' },
  ];
  for (const change of changes) {
    it(`is another with ${JSON.stringify(change)}`, () => {
      expect(specHash({ ...identity, ...change })).to.not.equal(specHash(identity));
    });
  }

  it('keeps its parts apart', () => {
    const one = { ...identity, account: 'a', region: 'b-c' };
    const other = { ...identity, account: 'a-b', region: 'c' };
    expect(specHash(one)).to.not.equal(specHash(other));
    const scopes = [['a,b'], ['a', 'b'], ['b', 'a', 'c'], ['a', 'b', 'c']];
    expect(new Set(scopes.map((scope) => specHash({ ...identity, scope }))).size).to.equal(scopes.length);
  });
});
