/** A program like the operator, as far as ECR goes: `ECR_ENDPOINT` in, an exchange, and what memory it took (KiB) out. */
import { setTimeout as pause } from 'node:timers/promises';
import { Redacted } from '../../../src/common/redacted.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { ECR } from '../../../src/registry/ecr/ecr.ts';
import { CircuitBreaker } from '../../../src/registry/http/circuit-breaker.ts';
import { HttpClient } from '../../../src/registry/http/http-client.ts';
import { PlaceClient } from '../../../src/registry/http/place-client.ts';
import { RateLimiter } from '../../../src/registry/http/rate-limiter.ts';
import { RegistryClient } from '../../../src/registry/http/registry-client.ts';

const environment = process.env;
const endpoint = environment['ECR_ENDPOINT'] ?? '';
const { signal } = new AbortController();

const settledMemory = async (): Promise<number> => {
  await pause(200);
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 1024);
};

const http = new HttpClient({ clock, userAgent: 'test', timeout: 5_000 });
const client = new RegistryClient(http, { requested: () => undefined }, clock);
const [subject, account] = ['account default', 'default'];
const limiter = new RateLimiter({ clock, subject, requestsPerSecond: 5 });
const breaker = new CircuitBreaker({ clock, subject });
const block = {
  registryId: '123456789012',
  stsEndpoint: endpoint,
  roleArn: 'arn:aws:iam::123456789012:role/puller',
};
const declared = [{ name: 'eu-central-1', host: 'registry.test', endpoint }];
const place = ECR.places(block, declared).resolve('eu-central-1');
if (!place) throw new Error('there is a place');
const before = await settledMemory();
const connection = ECR.connect(
  { name: account, block, credentials: { kind: 'pod' } },
  {
    login: client,
    client: ({ region }) => new PlaceClient({ client, limiter, breaker, account, region }),
    clock,
    registryNow: () => clock.now(),
    guard: undefined,
    environment,
  },
);
const tag = { clusterId: 'cluster-1', uid: 'uid-1', revision: 1 };
const token = await connection.registry(place).issue(
  {
    tag,
    specHash: '',
    description: '',
    access: 'ReadOnly',
    lifetime: 3_600_000,
    scope: ['team-a/app'],
  },
  signal,
);
const after = await settledMemory();
const value = new Redacted('').equals(token.value) ? 'empty' : 'there';
process.stdout.write(JSON.stringify({ username: token.username, value, before, after }));
process.exit(0);
