import { expect } from 'chai';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { ProxiedWorld } from '../support/proxied-world.ts';
import { HAS_ENDPOINTS, minted } from '../support/tested-registry.ts';
import { HOST } from '../support/world.ts';

const MANY = 500;
const TROUBLED: RegistryTokenSpec = {};
const WELL: Record<string, RegistryTokenSpec> = {
  'another account': { accountRef: { name: 'well' } },
  ...(HAS_ENDPOINTS && { 'another region of the account': { region: 'near' } }),
};

minted.describe('a place in trouble, and one that is well', function () {
  this.timeout(60_000);
  let there: ProxiedWorld;
  let namespace: string;

  beforeEach(async () => {
    there = await ProxiedWorld.start();
    namespace = await there.world.createNamespace();
    await there.world.createAccount('well');
    const { spec } = await there.world.account('default');
    const near = { name: 'near', host: HOST, endpoint: there.world.registryUrl };
    if (spec.regions)
      await there.world.client.mergePatch(
        REGISTRY_ACCOUNTS,
        { name: 'default' },
        { spec: { regions: [...spec.regions, near] } },
      );
    there.world.startOperator({ workers: 8 });
    for (const place of [TROUBLED, ...Object.values(WELL)]) await there.world.whenReady(await create(place));
  });
  afterEach(() => there.close());

  const create = (place: RegistryTokenSpec): Promise<ObjectName> => there.world.createToken(namespace, place);

  /** Milliseconds until a new RegistryToken of the place that is well has its Secret. */
  async function waitAt(place: RegistryTokenSpec): Promise<number> {
    const began = clock.monotonic();
    await there.world.whenReady(await create(place));
    return clock.monotonic() - began;
  }

  const troubles: { what: string; strike: () => void | Promise<unknown> }[] = [
    { what: 'the registry does not answer', strike: () => there.registry.add({ kind: 'black-hole' }) },
    {
      what: 'the account may ask once a second',
      strike: () =>
        there.world.client.mergePatch(
          REGISTRY_ACCOUNTS,
          { name: 'default' },
          { spec: { requestsPerSecond: 1 } },
        ),
    },
  ];
  for (const { what, strike } of troubles)
    for (const [where, well] of Object.entries(WELL))
      it(`${what} and ${MANY} RegistryTokens wait: one of ${where} is ready in seconds`, async () => {
        await strike();
        await Promise.all(Array.from({ length: MANY }, () => create(TROUBLED)));
        const waits = [await waitAt(well), await waitAt(well), await waitAt(well)];
        process.stdout.write(
          `      ready after ${waits.map((wait) => (wait / 1000).toFixed(1)).join(', ')} s\n`,
        );
        expect(Math.max(...waits)).to.be.lessThan(5_000);
      });
});
