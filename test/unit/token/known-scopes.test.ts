import { expect } from 'chai';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import { withLostIntent } from '../../../src/token/lifecycle/mint-steps.ts';
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
  it('are those too of requests that were given up: what comes of them late is in the list of their scope', () => {
    const intent = anIntent({ revision: 2, scope: ['f'] });
    const given = withLostIntent({ mintIntent: intent });
    expect(given.lostIntents).to.deep.equal([{ revision: 2, account: 'default', scope: ['f'] }]);
    expect([...scopesInUse('default', [aToken({ status: given })])]).to.deep.equal(['f']);
    expect([...scopesInUse('other', [aToken({ status: given })])]).to.deep.equal([]);
    expect(withLostIntent({ mintIntent: anIntent({ scope: ['f', 'g'] }) }).lostIntents).to.deep.equal([
      { revision: 2 },
    ]);
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
