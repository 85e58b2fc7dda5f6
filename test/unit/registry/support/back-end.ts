import { systemClock as clock } from '../../../../src/common/clock.ts';
import type { Place, Tools } from '../../../../src/registry/back-end.ts';
import { CircuitBreaker } from '../../../../src/registry/http/circuit-breaker.ts';
import { HttpClient } from '../../../../src/registry/http/http-client.ts';
import { PlaceClient } from '../../../../src/registry/http/place-client.ts';
import { RateLimiter } from '../../../../src/registry/http/rate-limiter.ts';
import { RegistryClient } from '../../../../src/registry/http/registry-client.ts';

/** What a back end works with, over HTTP that nock answers. */
export function aToolbox(): Tools<PlaceClient> & { login: RegistryClient } {
  const http = new HttpClient({ clock, userAgent: 'test', timeout: 30_000 });
  const login = new RegistryClient(http, { requested: () => undefined }, clock);
  const limiter = new RateLimiter({ clock, subject: 'account default', requestsPerSecond: 1000 });
  const breaker = new CircuitBreaker({ clock, subject: 'account default' });
  return {
    client: ({ region }: Place) =>
      new PlaceClient({ client: login, limiter, breaker, account: 'default', region }),
    login,
    clock,
    registryNow: () => clock.now(),
    guard: undefined,
  };
}
