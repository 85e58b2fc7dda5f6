import { expect } from 'chai';
import { isOlder, winnerOf } from '../../../src/token/secret/claimants.ts';
import { aToken } from '../../support/builders.ts';

const claimant = (name: string, second: number, part: object = {}) =>
  aToken({ metadata: { name, creationTimestamp: `2026-01-01T00:00:0${second}Z`, ...part } });

describe('of RegistryTokens that name one Secret', () => {
  const first = claimant('b', 1);
  const twin = claimant('a', 2);
  const other = claimant('c', 2);

  it('the oldest gets it, and of two of the same second the first by name', () => {
    expect(winnerOf([other, first, twin])).to.equal(first);
    expect(winnerOf([other, twin])).to.equal(twin);
    expect(isOlder(twin, other)).to.equal(true);
    expect(isOlder(other, twin)).to.equal(false);
  });

  it('none that is being deleted gets it', () => {
    const going = claimant('0', 0, { deletionTimestamp: '2026-01-02T00:00:00Z' });
    expect(winnerOf([going, other])).to.equal(other);
    expect(winnerOf([going])).to.equal(undefined);
  });
});
