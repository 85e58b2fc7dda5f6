import { expect } from 'chai';
import {
  describePlace,
  isSamePlace,
  reachOf,
  type Leads,
  type Reach,
} from '../../../src/token/lifecycle/place.ts';
import { PLACE } from '../../support/builders.ts';

const { endpoint, accountId } = PLACE;
const OTHER = 'https://other.example';
const LEADS: Leads = {
  regions: [
    { name: 'us-south', endpoint },
    { name: 'lab', endpoint: OTHER },
  ],
  accountId,
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
    ['is elsewhere for credentials of another account', { accountId: 'account-2' }, 'elsewhere'],
    ['is given up where that account was chosen', { accountId: 'account-2', isChosen: true }, 'given up'],
    ['is given up where its endpoint is gone for good', { regions: [], abandoned: [endpoint] }, 'given up'],
    ['is not given up where another endpoint is', { regions: [], abandoned: [OTHER] }, 'elsewhere'],
    ['is not given up while a region leads there', { abandoned: [endpoint] }, { region: 'us-south' }],
    [
      'is not known to be anything before the account of the credentials is',
      { accountId: undefined },
      'unknown',
    ],
    [
      'is elsewhere without that where no region leads there',
      { accountId: undefined, regions: [] },
      'elsewhere',
    ],
  ];
  for (const [what, leads, reach] of rows)
    it(what, () => expect(reachOf(PLACE, { ...LEADS, ...leads }, 'us-south')).to.deep.equal(reach));

  it('is the same with the same endpoint and account only', () => {
    expect(isSamePlace(PLACE, { ...PLACE })).to.equal(true);
    expect(isSamePlace(PLACE, { ...PLACE, endpoint: OTHER })).to.equal(false);
    expect(isSamePlace(PLACE, { ...PLACE, accountId: 'account-2' })).to.equal(false);
  });

  it('is called by both', () => {
    expect(describePlace(PLACE)).to.equal('https://us.icr.io in account account-1');
  });
});
