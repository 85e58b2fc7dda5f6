import type { FaultEffect, FaultMatch } from '../../sandbox/apiserver/faults.ts';
import { carriesRequests, carriesWatch, ProxiedWorld } from '../support/proxied-world.ts';
import { survive } from '../support/survival.ts';

const RECOVERY = 40_000;

interface NetworkTrouble {
  what: string;
  strike: (there: ProxiedWorld) => void | Promise<void>;
  lasts?: number;
}

const troubles: NetworkTrouble[] = [
  { what: 'every watch is reset', strike: ({ api }) => api.reset(carriesWatch), lasts: 0 },
  {
    what: 'watches are cut in the middle of an event',
    strike: ({ api }) => api.add({ kind: 'truncate', bytes: 100, only: carriesWatch, times: 6 }),
  },
  {
    what: 'watches are reset as soon as they open',
    strike: ({ api }) => {
      api.reset(carriesWatch);
      api.add({ kind: 'reset', direction: 'down', only: carriesWatch });
    },
  },
  {
    what: 'requests are lost on their way',
    strike: ({ api }) => api.add({ kind: 'reset', direction: 'up', only: carriesRequests, times: 8 }),
  },
  {
    what: 'requests are carried out and their answers lost',
    strike: ({ api }) => api.add({ kind: 'reset', direction: 'down', only: carriesRequests, times: 8 }),
  },
  {
    what: 'answers are cut in the middle',
    strike: ({ api }) => api.add({ kind: 'truncate', bytes: 120, only: carriesRequests, times: 8 }),
  },
  { what: 'connections are refused', strike: ({ api }) => api.refuse(), lasts: 3_000 },
  { what: 'everything is slow', strike: ({ api }) => api.add({ kind: 'delay', milliseconds: 250 }) },
  { what: 'the registry refuses connections', strike: ({ registry }) => registry.refuse(), lasts: 2_000 },
  {
    what: 'answers of the registry are lost',
    strike: ({ registry }) => registry.add({ kind: 'reset', direction: 'down', times: 3 }),
  },
  {
    what: 'API server and registry are both gone',
    strike: async ({ api, registry }) => {
      await Promise.all([api.refuse(), registry.refuse()]);
    },
    lasts: 2_000,
  },
];

const OURS = /registrytokens|registryaccounts|secrets/;
const refusals: { what: string; effect: FaultEffect; match: FaultMatch; times: number }[] = [
  {
    what: '429 with Retry-After',
    effect: { kind: 'status', code: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 },
    match: { path: OURS },
    times: 10,
  },
  {
    what: '410 to watches',
    effect: { kind: 'status', code: 410, reason: 'Expired' },
    match: { path: OURS, watch: true },
    times: 5,
  },
  {
    what: '500',
    effect: { kind: 'status', code: 500, reason: 'InternalError' },
    match: { path: OURS },
    times: 10,
  },
  {
    what: '503 to writes',
    effect: { kind: 'status', code: 503, reason: 'ServiceUnavailable' },
    match: { path: OURS, method: 'PATCH' },
    times: 10,
  },
];

describe('faults between operator, API server and registry', function () {
  this.timeout(RECOVERY + 20_000);
  let there: ProxiedWorld;

  before(async () => {
    there = await ProxiedWorld.start();
  });
  beforeEach(() => start());
  afterEach(async () => {
    await there.heal();
    await there.world.stopOperator();
  });
  after(() => there.close());

  const start = (): void =>
    there.world.startOperator({ sweep: 'revoke', sweepDelay: 1_000 }, there.kubeConfig);

  for (const { what, strike, lasts = 1_000 } of troubles) {
    it(`${what}: everything ends as asked for, without a mint too many`, async () => {
      await survive(there, { strike, lasts, recovery: RECOVERY });
    });
  }

  for (const { what, effect, match, times } of refusals) {
    it(`the API server answers ${what}: everything ends as asked for, without a mint too many`, async function () {
      if (!there.world.apiServer.embedded) this.skip();
      const strike = ({ api, world }: ProxiedWorld): void => {
        if (match.watch) api.reset(carriesWatch);
        const only = { ...match, userAgent: /^registry-token-operator/ };
        world.apiServer.embedded?.faults.add({ ...effect, match: only, times });
      };
      await survive(there, { strike, lasts: 500, recovery: RECOVERY });
    });
  }

  it('the operator starts behind a network that cuts its first lists', async () => {
    await there.world.stopOperator();
    there.api.add({ kind: 'truncate', bytes: 200, only: carriesRequests, times: 12 });
    start();
    await survive(there, { strike: () => undefined, lasts: 0, recovery: RECOVERY });
  });
});
