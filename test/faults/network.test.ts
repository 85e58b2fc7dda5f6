import { expect } from 'chai';
import { apiRefusal } from '../support/api-refusal.ts';
import { carriesRequests, carriesWatch, ProxiedWorld } from '../support/proxied-world.ts';
import { survive } from '../support/survival.ts';

const RECOVERY = 40_000;

interface NetworkTrouble {
  what: string;
  strike: (there: ProxiedWorld) => void | Promise<void>;
  lasts?: number;
}

const OURS = /registrytokens|registryaccounts|secrets/;
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
  {
    what: 'the API server answers 429 with Retry-After',
    strike: ({ api }) =>
      api.add(
        apiRefusal({ code: 429, reason: 'TooManyRequests', retryAfterSeconds: 1, to: OURS, times: 10 }),
      ),
  },
  {
    what: 'the API server answers 410 to watches',
    strike: ({ api }) => {
      api.reset(carriesWatch);
      api.add(apiRefusal({ code: 410, reason: 'Expired', to: /watch=true/, times: 5 }));
    },
  },
  {
    what: 'the API server answers 500',
    strike: ({ api }) => api.add(apiRefusal({ code: 500, reason: 'InternalError', to: OURS, times: 10 })),
  },
  {
    what: 'the API server answers 503 to writes',
    strike: ({ api }) =>
      api.add(apiRefusal({ code: 503, reason: 'ServiceUnavailable', to: /^PATCH/, times: 10 })),
  },
];

describe('faults between operator, API server and registry', function () {
  this.timeout(2 * RECOVERY + 20_000);
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
      const before = there.struck;
      await survive(there, { strike, lasts, recovery: RECOVERY });
      expect(there.struck, 'times that something was in the way').to.be.greaterThan(before);
    });
  }

  it('the operator starts behind a network that cuts its first lists', async () => {
    await there.world.stopOperator();
    there.api.add({ kind: 'truncate', bytes: 200, only: carriesRequests, times: 12 });
    start();
    await survive(there, { strike: () => undefined, lasts: 0, recovery: RECOVERY });
  });
});
