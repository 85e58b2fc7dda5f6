import { expect } from 'chai';
import {
  describePlace,
  isSamePlace,
  reachOf,
  type Leads,
  type Reach,
} from '../../../src/token/lifecycle/place.ts';
import { PLACE } from '../../support/builders.ts';

const { endpoint, identity } = PLACE;
const OTHER = 'https://other.example';
const LEADS: Leads = {
  regions: [
    { name: 'us-south', endpoint },
    { name: 'lab', endpoint: OTHER },
  ],
  provider: PLACE.provider,
  identity,
  isChosen: false,
  abandoned: [],
};

describe('the place of a token', () => {
  const rows: [what: string, leads: Partial<Leads>, reach: Reach][] = [
    ['is got at through the region that leads there', {}, { region: 'us-south' }],
    [
      'is got at through a region of another name, too',
      { regions: [{ name: 'before', endpoint }] },
      { region: 'before' },
    ],
    [
      'is got at through the region it was issued in, if several lead there',
      { regions: ['a', 'us-south', 'z'].map((name) => ({ name, endpoint })) },
      { region: 'us-south' },
    ],
    [
      'is elsewhere where its region has another endpoint',
      { regions: [{ name: 'us-south', endpoint: OTHER }] },
      'elsewhere',
    ],
    ['is elsewhere where no region is left', { regions: [] }, 'elsewhere'],
    ['is elsewhere where its account became one of another registry', { provider: 'harbor' }, 'elsewhere'],
    ['is elsewhere where its account names no registry', { provider: undefined, regions: [] }, 'elsewhere'],
    ['is elsewhere for credentials of another account', { identity: 'account-2' }, 'elsewhere'],
    ['is given up where that account was chosen', { identity: 'account-2', isChosen: true }, 'given up'],
    ['is given up where its endpoint is gone for good', { regions: [], abandoned: [endpoint] }, 'given up'],
    ['is not given up where another endpoint is', { regions: [], abandoned: [OTHER] }, 'elsewhere'],
    ['is not given up while a region leads there', { abandoned: [endpoint] }, { region: 'us-south' }],
    [
      'is not known to be anything before the account of the credentials is',
      { identity: undefined },
      'unknown',
    ],
    [
      'is elsewhere without that where no region leads there',
      { identity: undefined, regions: [] },
      'elsewhere',
    ],
  ];
  for (const [what, leads, reach] of rows)
    it(what, () => expect(reachOf(PLACE, { ...LEADS, ...leads }, 'us-south')).to.deep.equal(reach));

  it('is the same with the same endpoint, account and back end only', () => {
    expect(isSamePlace(PLACE, { ...PLACE })).to.equal(true);
    expect(isSamePlace(PLACE, { ...PLACE, endpoint: OTHER })).to.equal(false);
    expect(isSamePlace(PLACE, { ...PLACE, identity: 'account-2' })).to.equal(false);
    expect(isSamePlace(PLACE, { ...PLACE, provider: 'harbor' })).to.equal(false);
  });

  it('is the same where it was recorded before places said their back end', () => {
    expect(isSamePlace(PLACE, { endpoint, identity })).to.equal(true);
    expect(isSamePlace({ endpoint, identity }, PLACE)).to.equal(true);
    expect(reachOf({ endpoint, identity }, LEADS, 'us-south')).to.deep.equal({ region: 'us-south' });
  });

  it('is called by both, and by its endpoint alone where that is all there is to tell whose it is', () => {
    expect(describePlace(PLACE)).to.equal('https://us.icr.io in account account-1');
    expect(describePlace({ endpoint, identity: endpoint })).to.equal('https://us.icr.io');
  });
});
