import { systemClock, type Clock } from '../../src/common/clock.ts';
import type { Place, Tools } from '../../src/registry/port.ts';
import { CircuitBreaker } from '../../src/registry/http/circuit-breaker.ts';
import { HttpClient, type HttpSender } from '../../src/registry/http/http-client.ts';
import { PlaceClient } from '../../src/registry/http/place-client.ts';
import { RateLimiter } from '../../src/registry/http/rate-limiter.ts';
import { RegistryClient } from '../../src/registry/http/registry-client.ts';

interface Surroundings {
  clock: Clock;
  sender: HttpSender;
  guard?: (() => void) | undefined;
}

/** What a back end of the account `default` works with: over HTTP, which nock answers, unless told otherwise. */
export function aToolbox({ clock, sender, guard }: Surroundings = overHttp()): Tools {
  const login = new RegistryClient(sender, { requested: () => undefined }, clock);
  const limiter = new RateLimiter({ clock, subject: 'account default', requestsPerSecond: 1000 });
  const breaker = new CircuitBreaker({ clock, subject: 'account default' });
  return {
    client: ({ region }: Place) =>
      new PlaceClient({ client: login, limiter, breaker, account: 'default', region }),
    login,
    clock,
    environment: {},
    registryNow: () => clock.now(),
    guard,
  };
}

const overHttp = (): Surroundings => ({
  clock: systemClock,
  sender: new HttpClient({ clock: systemClock, userAgent: 'test', timeout: 30_000 }),
});
