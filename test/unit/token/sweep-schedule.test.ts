import { expect } from 'chai';
import { debtsAt, type Debt } from '../../../src/token/sweep/debts.ts';
import {
  afterFailure,
  afterLook,
  afterLostRequest,
  type Looked,
} from '../../../src/token/sweep/sweep-schedule.ts';
import { HOUR, MINUTE, PLACE, SECOND } from '../../support/builders.ts';

const ELSEWHERE = { ...PLACE, identity: 'another-account' };
const NOW = HOUR;

const aDebt = (part: Partial<Debt> = {}): Debt => ({
  uid: 'gone',
  place: PLACE,
  scope: '',
  since: 0,
  ...part,
});

const aLook = (part: Partial<Looked> = {}): Looked => ({
  place: PLACE,
  looked: [],
  stillThere: [],
  askedAt: NOW,
  now: NOW,
  listLag: 0,
  firstAskedAt: 0,
  done: true,
  certainAt: undefined,
  interval: HOUR,
  ...part,
});

describe('what a RegistryToken left at a place', () => {
  it('is owed there and at no other place of the same endpoint', () => {
    const debts = [aDebt(), aDebt({ place: ELSEWHERE })];
    expect(debtsAt(debts, PLACE)).to.deep.equal([debts[0]]);
  });

  it('is not owed any more once a look that began after it saw the RegistryToken gone', () => {
    const debt = aDebt();
    expect(afterLook([debt], aLook({ looked: [debt] }))).to.deep.equal({ debts: [], dueAt: NOW + HOUR });
  });

  it('is owed while the RegistryToken is still there, and is looked for again in ten seconds', () => {
    const debt = aDebt();
    const look = aLook({ looked: [debt], stillThere: ['gone'] });
    expect(afterLook([debt], look)).to.deep.equal({ debts: [debt], dueAt: NOW + 10 * SECOND });
  });

  it('is owed while lists may lack it, and is looked for again once they can not', () => {
    const debt = aDebt({ since: NOW - SECOND });
    const look = aLook({ looked: [debt], listLag: MINUTE });
    expect(afterLook([debt], look)).to.deep.equal({ debts: [debt], dueAt: NOW + 59 * SECOND });
  });

  it('is looked for at once where it was reported while the look was under way', () => {
    const debt = aDebt({ since: NOW });
    expect(afterLook([debt], aLook())).to.deep.equal({ debts: [debt], dueAt: NOW });
  });

  it('stays owed where the endpoint led elsewhere, without any hurry', () => {
    const debt = aDebt({ place: ELSEWHERE });
    expect(afterLook([debt], aLook())).to.deep.equal({ debts: [debt], dueAt: NOW + HOUR });
  });
});

describe('a place is looked at next', () => {
  const cases: [when: string, part: Partial<Looked>, dueAt: number][] = [
    ['on the interval', {}, NOW + HOUR],
    ['at once where the time did not suffice', { done: false }, NOW],
    ['when the next suspect can be certain', { certainAt: NOW + MINUTE }, NOW + MINUTE],
    ['as soon as a suspect could be certain, where the look took longer', { certainAt: NOW - 1 }, NOW - 1],
    [
      'when lists show all that was there before this process worked',
      { firstAskedAt: NOW - SECOND, listLag: MINUTE },
      NOW + 59 * SECOND,
    ],
    ['on the interval once they showed it', { firstAskedAt: NOW - MINUTE, listLag: MINUTE }, NOW + HOUR],
  ];
  for (const [when, part, dueAt] of cases)
    it(when, () => expect(afterLook([], aLook(part)).dueAt).to.equal(dueAt));

  const failed = { failure: { retryable: true }, failures: 2, now: NOW, interval: HOUR, random: 0 };

  it('after a failure, with backoff, where something in the cluster points to it', () => {
    expect(afterFailure({ ...failed, isNamed: true })).to.equal(NOW + 4 * SECOND);
  });

  it('after a failure, on the interval, where nothing points to it', () => {
    expect(afterFailure({ ...failed, isNamed: false })).to.equal(NOW + HOUR);
  });

  it('after a failure on the interval at the latest, however long the registry asks to wait', () => {
    const failure = { retryable: true, retryAfter: 5 * HOUR };
    const interval = 10 * MINUTE;
    expect(afterFailure({ ...failed, failure, interval, isNamed: true })).to.equal(NOW + interval);
  });

  it('after a request was given up, once it had its effect and lists show that', () => {
    expect(afterLostRequest(NOW, 5 * SECOND)).to.equal(NOW + 65 * SECOND);
  });
});
