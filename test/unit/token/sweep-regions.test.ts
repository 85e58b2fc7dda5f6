import { expect } from 'chai';
import { namedRegions, placesOf } from '../../../src/token/sweep/sweep-regions.ts';
import { anAccount, anIntent, aPrevious, aRecord, aToken, type Part, PLACE } from '../../support/builders.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';

describe('regions of an account', () => {
  const regions = (tokens: Part<RegistryToken>[] = [], spec = {}, defaultRegion = 'us-south'): string[] =>
    [...namedRegions(anAccount({ spec }), defaultRegion, tokens.map(aToken))].sort();

  it('its default and those it lists are named', () => {
    expect(regions()).to.deep.equal(['us-south']);
    expect(regions([], { regions: [{ name: 'lab', host: 'lab.example' }] }, 'eu-de')).to.deep.equal([
      'eu-de',
      'lab',
    ]);
  });

  it('where the registry has none, it alone is named', () => {
    expect(regions([{ status: { token: aRecord({ region: '' }) } }], {}, '')).to.deep.equal(['']);
  });

  const named: [string, Part<RegistryToken>][] = [
    ['wants', { spec: { region: 'jp-tok' } }],
    ['wants, of this account by name,', { spec: { region: 'jp-tok', accountRef: { name: 'default' } } }],
    ['has', { status: { token: aRecord({ region: 'jp-tok' }) } }],
    ['had', { status: { previousTokens: [aPrevious({ region: 'jp-tok' })] } }],
    ['is about to have', { status: { mintIntent: anIntent({ region: 'jp-tok' }) } }],
    [
      'has, though it names another account now,',
      { spec: { accountRef: { name: 'other' } }, status: { token: aRecord({ region: 'jp-tok' }) } },
    ],
  ];
  for (const [what, token] of named) {
    it(`where a RegistryToken ${what} one is named`, () => {
      expect(regions([token])).to.deep.equal(['jp-tok', 'us-south']);
    });
  }

  const others: [string, Part<RegistryToken>][] = [
    ['wants', { spec: { region: 'jp-tok', accountRef: { name: 'other' } } }],
    ['has', { status: { token: aRecord({ region: 'jp-tok', account: 'other' }) } }],
  ];
  for (const [what, token] of others) {
    it(`where a RegistryToken ${what} one of another account is not`, () => {
      expect(regions([token])).to.deep.equal(['us-south']);
    });
  }
});

describe('where a RegistryToken may have tokens', () => {
  it('nowhere before it mints', () => expect(placesOf(aToken())).to.deep.equal([]));

  it('wherever its status says', () => {
    const status = {
      token: aRecord({ region: 'a' }),
      mintIntent: anIntent({ region: 'b', account: 'other' }),
      previousTokens: [aPrevious({ region: 'c', scope: ['team-a'] })],
    };
    expect(placesOf(aToken({ status }))).to.deep.equal([
      { account: 'default', region: 'a', place: PLACE },
      { account: 'other', region: 'b', place: PLACE },
      { account: 'default', region: 'c', place: PLACE, scope: ['team-a'] },
    ]);
  });

  it('not where its token is nothing to look after', () => {
    expect(placesOf(aToken({ status: { token: aRecord({ revocable: false }) } }))).to.deep.equal([]);
  });
});
