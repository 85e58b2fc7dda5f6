import { expect } from 'chai';
import {
  aliveAt,
  certainAt,
  isClean,
  NOTHING_FOUND,
  takeIn,
  without,
  type Findings,
} from '../../../src/token/sweep/findings.ts';
import type { TaggedToken } from '../../../src/token/sweep/tag.ts';
import { usersOf } from '../../../src/token/sweep/users.ts';
import { anIntent, aToken, DAY, HOUR, ISSUED, MINUTE, PLACE } from '../../support/builders.ts';

const CLUSTER = 'this-cluster';
const DELAY = 10 * MINUTE;
const UID = aToken().metadata.uid;
const here = aToken({ status: { mintIntent: anIntent({ revision: 7, nonce: 'openopen' }) } });
const USERS = usersOf({ tokens: [here], secrets: [], retained: [], known: undefined });

const aRow = (id: string, uid: string, expiresAt: number | null = ISSUED + DAY): TaggedToken => ({
  id,
  tag: { clusterId: CLUSTER, uid, revision: 1 },
  expiresAt,
});

const LIST = {
  tokens: [aRow('orphan', 'gone'), aRow('unknown', UID), aRow('old', 'gone', ISSUED - 2 * HOUR)],
  identities: [{ id: 'identity', clusterId: CLUSTER, uid: 'gone', specHash: 'hash' }],
};
const look = (before: Findings, askedAt: number) =>
  takeIn(before, { ...LIST, askedAt }, USERS, {
    clusterId: CLUSTER,
    place: PLACE,
    now: ISSUED,
    delay: DELAY,
  });
const ids = (found: readonly { id: string }[]): string[] => found.map(({ id }) => id);

describe('what a list shows', () => {
  it('is suspected at first, save for what is dead anyhow', () => {
    const { findings, certain } = look(NOTHING_FOUND, 0);
    expect([...findings.orphans.keys(), ...findings.unknown.keys()]).to.deep.equal(['orphan', 'unknown']);
    expect([...findings.identities.keys()]).to.deep.equal(['identity']);
    expect([certain.orphans, certain.unknown, certain.identities]).to.deep.equal([[], [], []]);
    expect(ids(certain.expired)).to.deep.equal(['old']);
    expect(isClean(findings)).to.equal(false);
  });

  it('is certain where a list at least the delay before showed it too', () => {
    const { findings } = look(NOTHING_FOUND, 0);
    const { certain } = look(findings, DELAY);
    expect(ids(certain.orphans)).to.deep.equal(['orphan']);
    expect(ids(certain.unknown)).to.deep.equal(['unknown']);
    expect(ids(certain.identities)).to.deep.equal(['identity']);
  });

  it('is looked at again when the first of it can be certain', () => {
    const delays = { unused: DELAY, absent: MINUTE };
    const { findings } = look(NOTHING_FOUND, 5);
    expect(certainAt(findings, delays)).to.equal(5 + DELAY);
    const absent = { ...findings, absent: new Map([['token-1', 5]]) };
    expect(certainAt(absent, delays)).to.equal(5 + MINUTE);
    expect(certainAt(NOTHING_FOUND, delays)).to.equal(undefined);
  });

  it('is nothing any more once it was deleted, save for what is unknown here', () => {
    const { findings } = look(NOTHING_FOUND, 0);
    const rest = without(without(findings, 'orphan'), 'identity');
    expect([rest.orphans.size, rest.identities.size, rest.unknown.size]).to.deep.equal([0, 0, 1]);
    expect(isClean(rest)).to.equal(false);
    expect(isClean({ ...rest, unknown: new Map() })).to.equal(true);
  });

  it('is alive until it expires, or for ever', () => {
    const rows = [aRow('a', 'x', ISSUED), aRow('b', 'x', ISSUED + 1), aRow('c', 'x', null)];
    expect(ids(aliveAt(rows, ISSUED))).to.deep.equal(['b', 'c']);
  });
});
