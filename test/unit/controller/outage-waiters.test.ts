import { expect } from 'chai';
import * as fc from 'fast-check';
import { OutageWaiters } from '../../../src/controller/shared/outage-waiters.ts';

describe('those who wait for a place that is down', () => {
  let firsts: string[];
  let waiters: OutageWaiters;
  beforeEach(() => {
    firsts = [];
    waiters = new OutageWaiters((key) => firsts.push(key));
  });

  /** Has one wait. @returns whether it is to try the place */
  const wait = (key: string, place: string): boolean => waiters.lookAt(key, place, 1_000, 0) === 1_000;

  it('leave it to the first to try the place', () => {
    expect(wait('a', 'us')).to.equal(true);
    expect(wait('b', 'us')).to.equal(false);
    expect(wait('a', 'us')).to.equal(true);
    expect(firsts).to.deep.equal([]);
  });

  it('look when the place is to be tried, if they are the first; else seldom, and never before that', () => {
    expect(waiters.lookAt('a', 'us', 2_000, 1_000)).to.equal(2_000);
    expect(waiters.lookAt('b', 'us', 2_000, 1_000)).to.equal(301_000);
    expect(waiters.lookAt('b', 'us', 900_000, 1_000)).to.equal(900_000);
  });

  it('are each the first at their own place', () => {
    expect(wait('a', 'us')).to.equal(true);
    expect(wait('b', 'eu')).to.equal(true);
  });

  it('take over when the first no longer waits', () => {
    for (const key of ['a', 'b', 'c']) wait(key, 'us');
    waiters.leave('b');
    expect(firsts).to.deep.equal([]);
    waiters.leave('a');
    expect(firsts).to.deep.equal(['c']);
    expect(wait('c', 'us')).to.equal(true);
    waiters.leave('c');
    expect(wait('d', 'us')).to.equal(true);
    expect(firsts).to.deep.equal(['c']);
  });

  it('take over when the first waits for another place', () => {
    wait('a', 'us');
    wait('b', 'us');
    expect(wait('a', 'eu')).to.equal(true);
    expect(firsts).to.deep.equal(['b']);
  });

  it('never wait without one of them knowing that it is to try, whatever comes and goes', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd');
    const steps = fc.array(fc.tuple(keys, fc.constantFrom('us', 'eu', undefined)), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (moves) => {
        const placeOf = new Map<string, string>();
        const trying = new Set<string>();
        const room = new OutageWaiters((key) => trying.add(key));
        for (const [key, place] of moves) {
          trying.delete(key);
          placeOf.delete(key);
          if (place === undefined) room.leave(key);
          else {
            placeOf.set(key, place);
            if (room.lookAt(key, place, 1_000, 0) === 1_000) trying.add(key);
          }
          for (const busy of new Set(placeOf.values()))
            expect([...trying].filter((each) => placeOf.get(each) === busy)).to.have.length(1);
        }
      }),
    );
  });
});
