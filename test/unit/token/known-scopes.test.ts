import { expect } from 'chai';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import { knownScopes, scopesInUse } from '../../../src/token/sweep/known-scopes.ts';
import { anIntent, anIssuedToken, aPrevious, aRecord, aToken, PLACE } from '../../support/builders.ts';

const status = {
  token: aRecord({ scope: ['a', 'b'] }),
  mintIntent: anIntent({ scope: ['c'] }),
  previousTokens: [aPrevious({ scope: ['d'] }), aPrevious({ account: 'other', scope: ['e'] })],
};

describe('the scopes of an account’s tokens', () => {
  it('are those of tokens in force, to be revoked and to come, each once', () => {
    const tokens = [aToken({ status }), aToken({ status: { token: aRecord({ scope: ['d'] }) } })];
    expect([...scopesInUse('default', tokens)]).to.deep.equal(['', 'c', 'd']);
  });
  it('have an empty one where a token is for all, or for several names', () => {
    expect([...scopesInUse('default', [anIssuedToken()])]).to.deep.equal(['']);
  });
  it('are none where nothing was issued yet', () => {
    expect([...scopesInUse('default', [aToken()])]).to.deep.equal([]);
  });
  it('are not those of another account', () => {
    expect([...scopesInUse('other', [aToken({ status })])]).to.deep.equal(['e']);
  });

  it('are also what the account’s status says of tokens that are left, or kept on purpose', () => {
    const kept = { id: 'kept', region: '', place: PLACE, namespace: 'team', name: 'app' };
    const account: Pick<RegistryAccount, 'status'> = {
      status: {
        scopes: ['left', ''],
        retainedTokens: [
          { ...kept, scope: ['x'] },
          { ...kept, id: 'all' },
        ],
      },
    };
    const known = knownScopes('default', account, [aToken({ status })]);
    expect([...known].sort()).to.deep.equal(['', 'c', 'd', 'left', 'x']);
  });
  it('are those in use alone where the account is not known', () => {
    expect([...knownScopes('other', undefined, [aToken({ status })])]).to.deep.equal(['e']);
  });
});
