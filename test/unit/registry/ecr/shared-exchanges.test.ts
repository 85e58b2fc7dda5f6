import { expect } from 'chai';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { IssuedToken } from '../../../../src/registry/port.ts';
import { SharedExchanges } from '../../../../src/registry/ecr/shared-exchanges.ts';
import { RegistryError, type RegistryErrorCode } from '../../../../src/registry/errors.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const { signal } = new AbortController();
const HOUR = 3_600_000;

describe('exchanges that RegistryTokens share', () => {
  let clock: VirtualClock;
  let exchanges: SharedExchanges;
  let count: number;
  /** What the next exchange throws. */
  let failure: Error | undefined;

  beforeEach(() => {
    clock = new VirtualClock();
    exchanges = new SharedExchanges(clock);
    count = 0;
    failure = undefined;
  });

  const exchange = (): Promise<{ token: IssuedToken; life: number }> => {
    count++;
    if (failure) return Promise.reject(failure);
    const token = {
      id: `token-${count}`,
      username: 'AWS',
      value: new Redacted('x'),
      expiresAt: clock.now() + HOUR,
    };
    return Promise.resolve({ token, life: HOUR });
  };
  const give = async (uid = 'a', revision = 1, key = 'key'): Promise<string> =>
    (await exchanges.give(key, { uid, revision }, exchange, signal)).id;
  const failureOf = (promise: Promise<unknown>): Promise<RegistryError> =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error: unknown) => error as RegistryError,
    );

  it('are given for half of their life, and not a moment longer', async () => {
    await give();
    await clock.advance(HOUR / 2 - 1);
    expect(await give('b')).to.equal('token-1');
    await clock.advance(1);
    expect(await give('b')).to.equal('token-2');
  });

  it('are given to who asks for a successor while they are younger than a minute', async () => {
    await give('a', 3);
    await clock.advance(59_999);
    expect(await give('a', 4)).to.equal('token-1');
    await clock.advance(1);
    expect(await give('a', 5)).to.equal('token-2');
  });

  it('are not given any more to who asked for a successor too early, and asks again for the same', async () => {
    await give('a', 1);
    expect(await give('a', 2)).to.equal('token-1');
    await clock.advance(60_000);
    expect(await give('a', 2)).to.equal('token-2');
    expect(await give('a', 2)).to.equal('token-2');
  });

  it('are given again to who has them, for the same revision or an earlier one', async () => {
    await give('a', 3);
    await clock.advance(120_000);
    expect(await give('a', 3)).to.equal('token-1');
    expect(await give('a', 2)).to.equal('token-1');
  });

  it('are apart by what is asked for', async () => {
    expect(await give('a', 1, 'one')).to.equal('token-1');
    expect(await give('a', 1, 'other')).to.equal('token-2');
    expect(await give('b', 1, 'one')).to.equal('token-1');
  });

  it('leave what there is to those who have none, while an exchange for a successor fails', async () => {
    await give('a', 1);
    await clock.advance(120_000);
    failure = new RegistryError('Unavailable', 'down');
    expect(await failureOf(give('a', 2))).to.have.property('code', 'Unavailable');
    expect(await give('b', 1)).to.equal('token-1');
    expect(count).to.equal(2);
  });

  const pauses: [code: RegistryErrorCode, retryAfter: number | undefined, pause: number][] = [
    ['Unavailable', undefined, 5_000],
    ['RateLimited', undefined, 5_000],
    ['RateLimited', 1_000, 5_000],
    ['RateLimited', 20_000, 20_000],
    ['RateLimited', HOUR, 600_000],
    ['Unauthorized', undefined, 60_000],
    ['Forbidden', 1_000, 60_000],
    ['InvalidRequest', undefined, 60_000],
  ];
  for (const [code, retryAfter, pause] of pauses) {
    it(`are not tried again for ${pause / 1000} s after ${code}${retryAfter === undefined ? '' : ` with a pause of ${retryAfter / 1000} s`}`, async () => {
      failure = new RegistryError(code, 'no', { retryAfter });
      expect(await failureOf(give())).to.include({ code, unsent: false });
      await clock.advance(pause - 1);
      expect(await failureOf(give('b'))).to.include({ code, unsent: true, retryAfter: 1 });
      expect(count).to.equal(1);
      await clock.advance(1);
      failure = undefined;
      expect(await give()).to.equal('token-2');
      expect(await give('b')).to.equal('token-2');
    });
  }

  it('are tried again at once after what says nothing about the registry', async () => {
    failure = new Error('not the leader any more');
    expect(await failureOf(give())).to.equal(failure);
    failure = new RegistryError('Unavailable', 'down').asUnsent(60_000);
    expect(await failureOf(give())).to.equal(failure);
    failure = undefined;
    expect(await give()).to.equal('token-3');
  });

  it('are forgotten when nobody can use them any more, and the oldest when there are too many', async () => {
    for (let n = 0; n < 1_000; n++) await give('a', 1, `key-${n}`);
    expect(await give('b', 1, 'key-0')).to.equal('token-1');
    await give('a', 1, 'key-1000');
    expect(await give('b', 1, 'key-0')).to.equal('token-1');
    expect(await give('b', 1, 'key-1')).to.equal('token-1002');
  });
});
