import { expect } from 'chai';
import { withTrueEnding } from '../../../src/token/lifecycle/ending.ts';
import { aRecord } from '../../support/builders.ts';

describe('a token that nobody can revoke, by its status,', () => {
  const claimed = { token: aRecord({ revocable: false }), failedAttempts: 1 };

  it('can be revoked where its registry mints tokens', () => {
    expect(withTrueEnding(claimed, () => 'minted')).to.deep.equal({ token: aRecord(), failedAttempts: 1 });
  });

  it('ends by itself where credentials are exchanged for it, or where nobody knows better', () => {
    expect(withTrueEnding(claimed, () => 'exchanged')).to.equal(claimed);
    expect(withTrueEnding(claimed, () => undefined)).to.equal(claimed);
  });

  it('is asked for where it was issued', () => {
    const asked: object[] = [];
    withTrueEnding(claimed, ({ account, place }) => void asked.push({ account, place }));
    expect(asked).to.deep.equal([{ account: claimed.token.account, place: claimed.token.place }]);
    withTrueEnding({ token: aRecord() }, () => expect.fail('it can be revoked anyhow'));
  });
});
