import { expect } from 'chai';
import { ValuePool } from '../../../src/common/value-pool.ts';

describe('a pool of values', () => {
  it('gives one value for all that are equal, at any depth', () => {
    const pool = new ValuePool();
    const first = { secret: { adopt: false }, hosts: ['a'] };
    expect(pool.share(first)).to.equal(first);
    expect(pool.share({ secret: { adopt: false }, hosts: ['a'] })).to.equal(first);
    expect(pool.share({ secret: { adopt: true }, hosts: ['a'] })).to.deep.equal({
      secret: { adopt: true },
      hosts: ['a'],
    });
  });

  it('keeps the value apart that differs in type, or in the order of its keys', () => {
    const pool = new ValuePool();
    pool.share('1');
    expect(pool.share(1)).to.equal(1);
    pool.share({ a: 1, b: 2 });
    expect(Object.keys(pool.share({ b: 2, a: 1 }))).to.deep.equal(['b', 'a']);
  });

  it('remembers what is asked for again and again, however many others come between', () => {
    const pool = new ValuePool();
    const common = { name: 'default' };
    pool.share(common);
    for (let n = 0; n < 10_000; n++) {
      pool.share({ n });
      if (n % 1_000 === 0) expect(pool.share({ name: 'default' })).to.equal(common);
    }
  });

  it('forgets what was asked for once, and does not take what is long', () => {
    const pool = new ValuePool();
    const once = { name: 'once' };
    pool.share(once);
    for (let n = 0; n < 10_000; n++) pool.share({ n });
    expect(pool.share({ name: 'once' })).not.to.equal(once);
    const long = { text: 'x'.repeat(1_000) };
    pool.share(long);
    expect(pool.share({ ...long })).not.to.equal(long);
  });
});
