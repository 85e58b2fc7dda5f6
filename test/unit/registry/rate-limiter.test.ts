import { expect } from 'chai';
import * as fc from 'fast-check';
import { RateLimiter } from '../../../src/registry/http/rate-limiter.ts';
import { VirtualClock, settle } from '../../support/virtual-clock.ts';
import { errorOf } from './support/registry-world.ts';

const NEVER = new AbortController().signal;

describe('RateLimiter', () => {
  let clock: VirtualClock;
  let limiter: RateLimiter;
  let begun: { id: number; at: number }[];

  beforeEach(() => {
    clock = new VirtualClock();
    begun = [];
    limiter = limited(2);
  });

  function limited(requestsPerSecond: number): RateLimiter {
    return new RateLimiter({ clock, subject: 'account default in region us-south', requestsPerSecond });
  }

  /** A request that takes so many milliseconds. */
  function run(id: number, milliseconds = 0, signal = NEVER): Promise<void> {
    return limiter.run(async () => {
      begun.push({ id, at: clock.monotonic() });
      if (milliseconds > 0) await new Promise<void>((resolve) => clock.after(milliseconds, resolve));
    }, signal);
  }

  const ids = (): number[] => begun.map(({ id }) => id);

  it('begins as many as the rate at once and the rest a second later', async () => {
    const all = [1, 2, 3, 4, 5].map((id) => run(id));
    await clock.advance(0);
    expect(ids()).to.deep.equal([1, 2]);
    await clock.advance(999);
    expect(ids()).to.deep.equal([1, 2]);
    await clock.advance(1);
    expect(ids()).to.deep.equal([1, 2, 3, 4]);
    await clock.advance(1_000);
    expect(ids()).to.deep.equal([1, 2, 3, 4, 5]);
    await Promise.all(all);
    expect(clock.pending).to.equal(0);
  });

  it('lets no more than 16 be under way', async () => {
    limiter = limited(1_000);
    const all = Array.from({ length: 20 }, (_, id) => run(id, 5_000));
    await clock.advance(4_999);
    expect(begun).to.have.length(16);
    await clock.advance(1);
    expect(begun).to.have.length(20);
    await clock.advance(5_000);
    await Promise.all(all);
  });

  it('passes on what a request throws, and goes on', async () => {
    const error = new Error('broken');
    const failed = await limiter.run(() => Promise.reject(error), NEVER).catch((reason: unknown) => reason);
    expect(failed).to.equal(error);
    await run(1);
    expect(ids()).to.deep.equal([1]);
  });

  it('lets who aborts go, and gives the place to the next', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const all = [run(1), run(2)];
    const leaving = run(3, 0, controller.signal).catch((error: unknown) => error);
    all.push(run(4), run(5));
    await clock.advance(500);
    controller.abort(reason);
    expect(await leaving).to.equal(reason);
    await clock.advance(500);
    expect(ids()).to.deep.equal([1, 2, 4, 5]);
    await Promise.all(all);
  });

  it('has no timer when the last one that waited aborted', async () => {
    const controller = new AbortController();
    await Promise.all([run(1), run(2)]);
    const leaving = run(3, 0, controller.signal).catch(() => 'left');
    expect(clock.pending).to.equal(1);
    controller.abort();
    await leaving;
    expect(clock.pending).to.equal(0);
  });

  it('begins nothing for who has aborted already', async () => {
    const reason = new Error('before');
    expect(await run(1, 0, AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(reason);
    expect(begun).to.deep.equal([]);
  });

  it('sits a short pause out', async () => {
    limiter.pause(10_000);
    const waiting = run(1);
    await clock.advance(9_999);
    expect(begun).to.deep.equal([]);
    await clock.advance(1);
    await waiting;
    expect(begun).to.deep.equal([{ id: 1, at: 10_000 }]);
  });

  it('does not let a shorter pause end a longer one', async () => {
    limiter.pause(9_000);
    limiter.pause(1_000);
    void run(1);
    await clock.advance(8_999);
    expect(begun).to.deep.equal([]);
    await clock.advance(1);
    expect(ids()).to.deep.equal([1]);
  });

  it('says how long a long pause is to those who wait and those who come', async () => {
    await Promise.all([run(1), run(2)]);
    const waiting = errorOf(run(3));
    limiter.pause(120_000);
    const first = await waiting;
    expect(first).to.include({ code: 'RateLimited', retryAfter: 120_000, retryable: true });
    expect(first.message).to.equal(
      'account default in region us-south is paused: the registry asked to wait until 2026-01-01T00:02:00Z',
    );
    await clock.advance(60_000);
    expect(await errorOf(run(4))).to.include({ code: 'RateLimited', retryAfter: 60_000 });
    await clock.advance(50_000);
    const last = run(5);
    await clock.advance(10_000);
    await last;
    expect(ids()).to.deep.equal([1, 2, 5]);
  });

  it('does not believe in pauses of more than ten minutes', async () => {
    limiter.pause(86_400_000);
    expect(await errorOf(run(1))).to.include({ retryAfter: 600_000 });
  });

  it('takes a new rate into use at once', async () => {
    const all = [1, 2, 3, 4].map((id) => run(id));
    await clock.advance(0);
    limiter.requestsPerSecond = 3;
    await clock.advance(0);
    expect(ids()).to.deep.equal([1, 2, 3]);
    limiter.requestsPerSecond = 1;
    await clock.advance(999);
    expect(ids()).to.deep.equal([1, 2, 3]);
    await clock.advance(1);
    await Promise.all(all);
    expect(ids()).to.deep.equal([1, 2, 3, 4]);
  });

  it('never begins more than the rate in any second, keeps the order, and leaves nobody out', async () => {
    const arrival = fc.record({
      after: fc.nat(700),
      takes: fc.nat(3_000),
      /** When it aborts, if it does and still waits then. */
      aborts: fc.option(fc.nat(2_000)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(arrival, { maxLength: 40 }),
        async (rate, arrivals) => {
          clock = new VirtualClock();
          limiter = limited(rate);
          begun = [];
          let underWay = 0;
          let most = 0;
          const outcomes: Promise<string>[] = [];
          for (const [id, { after, takes, aborts }] of arrivals.entries()) {
            await clock.advance(after);
            const controller = new AbortController();
            if (aborts !== null) clock.after(aborts, () => controller.abort());
            const running = limiter.run(async () => {
              begun.push({ id, at: clock.monotonic() });
              most = Math.max(most, ++underWay);
              await new Promise<void>((resolve) => clock.after(takes, resolve));
              underWay--;
            }, controller.signal);
            outcomes.push(
              running.then(
                () => 'ran',
                () => 'aborted',
              ),
            );
          }
          await clock.advance(120_000);
          const ended = await Promise.all(outcomes);
          expect(ids()).to.deep.equal([...ended.keys()].filter((id) => ended[id] === 'ran'));
          expect(ended.every((end, id) => end === 'ran' || arrivals[id]?.aborts !== null)).to.equal(true);
          for (const [index, { at }] of begun.entries()) {
            const before = begun[index - rate];
            if (before) expect(at - before.at).to.be.at.least(1_000);
          }
          expect(most).to.be.at.most(16);
          expect(clock.pending).to.equal(0);
        },
      ),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('uses the rate to the full while there is somebody to run', async () => {
    limiter = limited(5);
    const all = Array.from({ length: 51 }, (_, id) => run(id));
    await clock.advance(10_000);
    await settle();
    expect(begun).to.have.length(51);
    await Promise.all(all);
  });
});
