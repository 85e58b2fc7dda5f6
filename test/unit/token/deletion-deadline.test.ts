import { expect } from 'chai';
import { deletionDeadline, tryPatience } from '../../../src/token/lifecycle/deletion-deadline.ts';

const LIMIT = 15_000;

describe('how long a deletion waits for a registry', () => {
  const progress = (begunAt: number, failedTries = 0) => ({ noticedAt: 100_000, begunAt, failedTries });

  for (const [what, begunAt, limit, deadline] of [
    ['the limit, from when it was noticed', 100_000, LIMIT, 115_000],
    ['no longer where its turn came a little later', 103_500, LIMIT, 115_000],
    ['five seconds at least, however late its turn came', 160_000, LIMIT, 165_000],
    ['never longer than a limit of less, from its turn on', 160_000, 2_000, 162_000],
    ['not at all without a limit', 100_000, 0, 100_000],
  ] as const) {
    it(what, () => expect(deletionDeadline(progress(begunAt), limit)).to.equal(deadline));
  }

  for (const [what, failedTries, left, patience] of [
    ['three seconds for the first try', 0, LIMIT, 3_000],
    ['three seconds for the first try, however late', 0, -60_000, 3_000],
    ['all that is left for a later one', 1, 9_000, 9_000],
    ['three seconds for the last, past the deadline', 3, 0, 3_000],
  ] as const) {
    it(what, () => expect(tryPatience(progress(100_000, failedTries), left)).to.equal(patience));
  }
});
