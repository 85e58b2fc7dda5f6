import { expect } from 'chai';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { REGISTRY_ACCOUNTS } from '../../src/controller/resources.ts';
import { ProxiedWorld } from '../support/proxied-world.ts';

const MANY = 500;

describe('an account in trouble, and one that is well', function () {
  this.timeout(60_000);
  let there: ProxiedWorld;
  let namespace: string;

  beforeEach(async () => {
    there = await ProxiedWorld.start();
    namespace = await there.world.createNamespace();
    await there.world.createAccount('well');
    there.world.startOperator({ workers: 8 });
    await there.world.whenReady(await create('default'));
    await there.world.whenReady(await create('well'));
  });
  afterEach(() => there.close());

  const create = (account: string): Promise<ObjectName> =>
    there.world.createToken(namespace, { accountRef: { name: account } });

  /** Milliseconds until a new RegistryToken of the account that is well has its Secret. */
  async function waitOfTheOther(): Promise<number> {
    const began = clock.monotonic();
    await there.world.whenReady(await create('well'));
    return clock.monotonic() - began;
  }

  const troubles: { what: string; strike: () => void | Promise<unknown> }[] = [
    { what: 'its registry does not answer', strike: () => there.registry.add({ kind: 'black-hole' }) },
    {
      what: 'it may ask once a second',
      strike: () =>
        there.world.client.mergePatch(
          REGISTRY_ACCOUNTS,
          { name: 'default' },
          { spec: { requestsPerSecond: 1 } },
        ),
    },
  ];
  for (const { what, strike } of troubles)
    it(`${what} and ${MANY} of its RegistryTokens wait: one of the other account is ready in seconds`, async () => {
      await strike();
      await Promise.all(Array.from({ length: MANY }, () => create('default')));
      const waits = [await waitOfTheOther(), await waitOfTheOther(), await waitOfTheOther()];
      process.stdout.write(
        `      ready after ${waits.map((wait) => (wait / 1000).toFixed(1)).join(', ')} s\n`,
      );
      expect(Math.max(...waits)).to.be.lessThan(5_000);
    });
});
