import { expect } from 'chai';
import { findAbsent, recordedAt } from '../../../src/token/sweep/absence.ts';
import {
  anIssuedToken,
  aPrevious,
  aRecord,
  aToken,
  DAY,
  ISSUED,
  MINUTE,
  PLACE,
} from '../../support/builders.ts';

const AT = { account: 'default', place: PLACE };
const elsewhere = { ...PLACE, endpoint: 'https://other.example' };
const ids = (...tokens: Parameters<typeof recordedAt>[0][]): string[] =>
  tokens.flatMap((each) => recordedAt(each, AT).map(({ id }) => id));

describe('the tokens that are to be at a place', () => {
  it('are those in force and those still to be revoked, with their RegistryTokens', () => {
    const token = anIssuedToken({ status: { previousTokens: [aPrevious({ expiresAt: undefined })] } });
    const { uid, namespace, name } = token.metadata;
    const whose = { place: PLACE, uid, name: { namespace, name }, scope: [] };
    expect(recordedAt([token, aToken()], AT)).to.deep.equal([
      { id: 'token-1', ...whose, expiresAt: ISSUED + DAY },
      { id: 'token-0', ...whose, expiresAt: Infinity },
    ]);
  });
  it('are none of another account or another place', () => {
    const records = [
      aRecord({ account: 'other' }),
      aRecord({ place: elsewhere }),
      aRecord({ place: { ...PLACE, identity: 'account-2' } }),
    ];
    expect(ids(records.map((token) => aToken({ status: { token } })))).to.deep.equal([]);
    const moved = anIssuedToken({ status: { previousTokens: [aPrevious({ place: elsewhere })] } });
    expect(ids([moved])).to.deep.equal(['token-1']);
  });
  it('are there whatever a status says of how they end: what can be listed was minted', () => {
    const token = aRecord({ revocable: false });
    const tokens = [aToken({ status: { token, previousTokens: [aPrevious()] } })];
    expect(ids(tokens)).to.deep.equal(['token-1', 'token-0']);
  });
});

describe('a token that is missing in a list', () => {
  const recorded = recordedAt([anIssuedToken()], AT);
  const absent = (listed: string[], now: number): number => findAbsent(recorded, new Set(listed), now).length;

  it('is gone', () => expect(absent(['token-2'], ISSUED)).to.equal(1));
  it('is not, when it stands there', () => expect(absent(['token-1'], ISSUED)).to.equal(0));
  it('may have expired, within a minute of its end', () => {
    expect(absent([], ISSUED + DAY - MINUTE - 1)).to.equal(1);
    expect(absent([], ISSUED + DAY - MINUTE)).to.equal(0);
    expect(absent([], ISSUED + 2 * DAY)).to.equal(0);
  });
});
