import { expect } from 'chai';
import * as fc from 'fast-check';
import { CircuitBreaker } from '../../../src/registry/http/circuit-breaker.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  anAccount,
  anExchange,
  errorOf,
  IAM,
  REGISTRY,
  listOf,
  registryOf,
} from './support/registry-world.ts';

const DOWN = new RegistryError('Unavailable', 'it did not answer');
const refused = (code: RegistryErrorCode, status?: number): RegistryError =>
  new RegistryError(code, 'no', { status });

describe('CircuitBreaker', () => {
  let clock: VirtualClock;
  let breaker: CircuitBreaker;
  let sent: number;
  let closed: number;
  beforeEach(() => {
    clock = new VirtualClock();
    breaker = new CircuitBreaker({
      clock,
      subject: 'account default in region us-south',
      onClosed: () => closed++,
    });
    sent = 0;
    closed = 0;
  });

  const works = (): Promise<string> =>
    breaker.run(async () => {
      sent++;
      return 'fine';
    });
  const fails = (error: Error = DOWN): Promise<unknown> =>
    breaker
      .run(async () => {
        sent++;
        throw error;
      })
      .catch((reason: unknown) => reason);
  /** A request that ends when told to. */
  function pending(): { end: (error?: Error) => Promise<void> } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const running = breaker
      .run(() => {
        sent++;
        return promise;
      })
      .catch(() => undefined);
    return {
      end: async (error) => {
        if (error) reject(error);
        else resolve();
        await running;
      },
    };
  }
  async function open(): Promise<void> {
    for (let time = 0; time < 5; time++) await fails();
    sent = 0;
  }

  it('lets everything through at first, and what requests give or throw', async () => {
    expect(await works()).to.equal('fine');
    expect(await fails()).to.equal(DOWN);
  });

  describe('a request that its caller gives up', () => {
    const GIVEN_UP = new Error('there was no answer in time');
    const giveUp = async (milliseconds: number): Promise<void> => {
      const request = pending();
      await clock.advance(milliseconds);
      await request.end(GIVEN_UP);
    };

    it('counts as a failure after two seconds of silence: a registry that hangs is down too', async () => {
      for (let time = 0; time < 5; time++) await giveUp(2_000);
      expect(await errorOf(works())).to.include({ code: 'Unavailable' });
    });

    it('tells nothing when it was given up sooner', async () => {
      for (let time = 0; time < 10; time++) await giveUp(1_999);
      expect(await works()).to.equal('fine');
    });

    it('as a probe begins a longer pause', async () => {
      await open();
      await clock.advance(5_000);
      await giveUp(2_000);
      expect(await errorOf(works())).to.include({ retryAfter: 10_000 });
    });
  });

  it('after five failures in a row nothing is sent; whoever asks hears since when and until when', async () => {
    await clock.advance(60_000);
    await open();
    await clock.advance(1_000);
    const error = await errorOf(works());
    expect(sent).to.equal(0);
    expect(error).to.include({ code: 'Unavailable', retryAfter: 4_000, unsent: true });
    expect(error.message).to.equal(
      'account default in region us-south has been unavailable since 2026-01-01T00:01:00Z: it did not answer',
    );
    expect(() => breaker.check()).to.throw(RegistryError);
  });

  it('probes after pauses that grow to a minute', async () => {
    await open();
    for (const pause of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      await clock.advance(pause - 1);
      expect(await errorOf(works())).to.include({ retryAfter: 1 });
      await clock.advance(1);
      expect(await fails()).to.equal(DOWN);
    }
    expect(sent).to.equal(6);
  });

  it('sends one probe at a time', async () => {
    await open();
    await clock.advance(5_000);
    const probe = pending();
    const error = await errorOf(works());
    expect(breaker.outage).to.include({ isTried: true, retryAt: clock.now() + 5_000 });
    expect(error.retryAfter).to.equal(5_000);
    expect(sent).to.equal(1);
    await probe.end();
    expect(await works()).to.equal('fine');
  });

  it('a probe that was aborted says nothing; the next request is one', async () => {
    await open();
    await clock.advance(5_000);
    const reason = new Error('aborted');
    expect(await fails(reason)).to.equal(reason);
    expect(await works()).to.equal('fine');
    expect(sent).to.equal(2);
  });

  it('a request that people ask for is the probe, whatever pause there is', async () => {
    await open();
    breaker.probeNow();
    expect(breaker.outage).to.include({ isTried: false, retryAt: clock.now() });
    expect(await works()).to.equal('fine');
    expect(sent).to.equal(1);
  });

  it('which begins a pause again when it fails, and is one only', async () => {
    await open();
    breaker.probeNow();
    const probe = pending();
    breaker.probeNow();
    expect(await errorOf(works())).to.include({ unsent: true });
    await probe.end(DOWN);
    expect(await errorOf(works())).to.include({ retryAfter: 10_000 });
    expect(sent).to.equal(1);
  });

  it('changes nothing while everything goes through', async () => {
    breaker.probeNow();
    expect(await works()).to.equal('fine');
    expect(breaker.outage).to.equal(undefined);
  });

  it('tells once when the registry answers again, and remembers when that was', async () => {
    await works();
    expect([closed, breaker.closedAt]).to.deep.equal([0, undefined]);
    await open();
    await clock.advance(5_000);
    await fails(refused('Forbidden', 403));
    await works();
    expect([closed, breaker.closedAt]).to.deep.equal([1, clock.now()]);
  });

  it('says the same for as long as an outage lasts, with what was heard last', async () => {
    await open();
    const { message } = breaker.outage ?? {};
    await clock.advance(5_000);
    await fails(new RegistryError('Unavailable', 'long', { heard: 'the server answered 503' }));
    expect(message).to.equal(
      'account default in region us-south has been unavailable since 2026-01-01T00:00:00Z: it did not answer',
    );
    expect(breaker.outage?.message).to.equal(
      'account default in region us-south has been unavailable since 2026-01-01T00:00:00Z: the server answered 503',
    );
  });

  it('once a probe is answered, everything goes through, and it takes five failures again', async () => {
    await open();
    await clock.advance(5_000);
    await works();
    for (let time = 0; time < 4; time++) expect(await fails()).to.equal(DOWN);
    expect(await works()).to.equal('fine');
  });

  it('what was under way when it opened neither lengthens the pause nor ends it', async () => {
    const late = [pending(), pending()];
    await open();
    await late[0]?.end(DOWN);
    await late[1]?.end();
    expect(await errorOf(works())).to.include({ retryAfter: 5_000 });
  });

  const answers: RegistryError[] = [
    refused('Unauthorized', 401),
    refused('Forbidden', 403),
    refused('NotFound', 404),
    refused('Unavailable', 404),
    refused('Ambiguous', 408),
    refused('Conflict', 409),
    refused('Discontinued', 410),
    refused('QuotaExceeded', 422),
    refused('RateLimited', 429),
    refused('InvalidRequest', 400),
  ];
  for (const answer of answers) {
    it(`${answer.code} with ${answer.status} is an answer`, async () => {
      for (let time = 0; time < 10; time++) expect(await fails(answer)).to.equal(answer);
      for (let time = 0; time < 4; time++) await fails();
      await fails(answer);
      await fails();
      expect(await works()).to.equal('fine');
    });
  }

  for (const failure of [
    refused('Unavailable'),
    refused('Unavailable', 503),
    refused('Ambiguous', 500),
    refused('Ambiguous'),
  ]) {
    it(`${failure.code} with ${failure.status ?? 'no answer'} is a failure`, async () => {
      for (let time = 0; time < 5; time++) await fails(failure);
      expect(await errorOf(works())).to.not.equal(failure);
    });
  }

  it('however an outage goes, few requests go out in it, and its end is noticed within a minute', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 60_000, max: 3_600_000 }),
        fc.array(fc.integer({ min: 2_000, max: 20_000 }), { minLength: 1, maxLength: 20 }),
        async (length, gaps) => {
          clock = new VirtualClock();
          breaker = new CircuitBreaker({ clock, subject: 'x' });
          sent = 0;
          for (let n = 0; clock.monotonic() < length; n++) {
            await fails();
            await clock.advance(gaps[n % gaps.length] ?? 1);
          }
          expect(sent).to.be.at.most(5 + 4 + Math.ceil(length / 60_000));
          const end = clock.monotonic();
          for (;;) {
            if ((await works().catch(() => 'no')) === 'fine') break;
            await clock.advance(1_000);
          }
          expect(clock.monotonic() - end).to.be.at.most(61_000);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('an outage of one region', () => {
  useNock();

  it('costs the others nothing: hardly a request goes there, and none waits for it', async () => {
    const { clock, directory, observed } = aDirectory();
    nock(IAM).post('/identity/token').optionally().reply(200, anExchange());
    nock('https://de.icr.io').persist().get('/api/v1/tokens').reply(504, '');
    nock(REGISTRY).persist().get('/api/v1/tokens').reply(200, { tokens: [] });
    const dead = registryOf(directory, anAccount(), 'eu-de');
    const alive = registryOf(directory);
    for (let second = 0; second < 120; second++) {
      await errorOf(listOf(dead));
      await listOf(alive);
      await clock.advance(1_000);
    }
    const sent = (name: string): number => observed.filter(({ region }) => region === name).length;
    expect(sent('us-south')).to.equal(120);
    // Five, then probes after 5, 10, 20, 40 seconds.
    expect(sent('eu-de')).to.equal(9);
  });
});
