import { expect } from 'chai';
import { ServerClocks } from '../../../src/registry/http/server-clocks.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  anAccount,
  anExchange,
  errorOf,
  IAM,
  NEVER,
  REGISTRY,
  listOf,
  registryOf,
} from './support/registry-world.ts';

const HOUR = 3_600_000;

describe('ServerClocks', () => {
  let clock: VirtualClock;
  let clocks: ServerClocks;
  beforeEach(() => {
    clock = new VirtualClock();
    clocks = new ServerClocks(clock);
  });

  const ahead = (region = 'us-south'): number => clocks.now('default', region) - clock.now();

  it('knows nothing at first', () => expect(ahead()).to.equal(0));

  for (const distance of [HOUR, -HOUR, 5_000]) {
    it(`tells that a server is ${distance} ms ahead, until it is heard again`, async () => {
      clocks.note('default', 'us-south', clock.now() + distance);
      expect(ahead()).to.equal(distance);
      await clock.advance(24 * HOUR);
      expect(ahead()).to.equal(distance);
      clocks.note('default', 'us-south', clock.now());
      expect(ahead()).to.equal(0);
    });
  }

  it('takes less than five seconds for noise', () => {
    clocks.note('default', 'us-south', clock.now() - 4_999);
    expect(ahead()).to.equal(0);
  });

  it('keeps accounts and regions apart; what an account shares stands in for a region not heard yet', () => {
    clocks.note('default', '', clock.now() + HOUR);
    clocks.note('default', 'eu-de', clock.now() + 2 * HOUR);
    expect([ahead(), ahead('eu-de'), clocks.now('other', 'eu-de') - clock.now()]).to.deep.equal([
      HOUR,
      2 * HOUR,
      0,
    ]);
  });

  it('knows nothing any more once this machine’s clock was set', async () => {
    clocks.note('default', 'us-south', clock.now() + HOUR);
    clock.jump(HOUR);
    expect(ahead()).to.equal(0);
    clocks.note('default', 'us-south', clock.now());
    expect(ahead()).to.equal(0);
    clock.jump(-HOUR);
    expect(ahead()).to.equal(0);
  });

  it('believes what an account shares where a region was not heard since this machine’s clock was set', () => {
    clocks.note('default', 'us-south', clock.now());
    clock.jump(-HOUR);
    clocks.note('default', '', clock.now() + HOUR);
    expect(ahead()).to.equal(HOUR);
  });
});

describe('the Date header of every answer', () => {
  useNock();
  const date = (time: number) => ({ Date: new Date(time).toUTCString() });

  it('tells the registry’s time, of refusals too', async () => {
    const { clock, directory } = aDirectory();
    const registry = registryOf(directory);
    nock(IAM)
      .post('/identity/token')
      .reply(200, anExchange(), date(clock.now() - HOUR));
    nock(REGISTRY)
      .get('/api/v1/tokens')
      .reply(403, '', date(clock.now() + HOUR));
    await directory.verify(anAccount(), NEVER);
    expect(directory.registryNow('default', 'us-south') - clock.now()).to.equal(-HOUR);
    await errorOf(listOf(registry));
    expect(directory.registryNow('default', 'us-south') - clock.now()).to.equal(HOUR);
  });
});
