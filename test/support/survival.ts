import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { whenInOrder } from './audit.ts';
import type { ProxiedWorld } from './proxied-world.ts';

export interface Ordeal {
  /** Begins the fault. */
  strike: (there: ProxiedWorld) => void | Promise<void>;
  /** Milliseconds before it is healed. */
  lasts: number;
  /** Milliseconds that may pass from then until everything is in order. */
  recovery: number;
}

/**
 * Users create, edit and delete RegistryTokens while a fault lasts. Afterwards each must be as asked for, with exactly the mints
 * that were asked for.
 * @returns milliseconds from healing until everything was in order
 */
export async function survive(there: ProxiedWorld, { strike, lasts, recovery }: Ordeal): Promise<number> {
  const { world, mints } = there;
  const namespace = await world.createNamespace();
  const create = (): Promise<ObjectName> => world.createToken(namespace, { rotation: { gracePeriod: '0s' } });
  const [kept, rotated, changed, deleted] = [await create(), await create(), await create(), await create()];
  for (const name of [kept, rotated, changed, deleted])
    await world.whenReady(name, { status: 'True' }, recovery);

  await strike(there);
  const early = await create();
  await world.patchToken(rotated, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
  await world.patchToken(changed, { spec: { access: 'ReadWrite' } });
  await world.deleteToken(deleted);
  await sleep(clock, lasts);
  const late = await create();
  await there.heal();
  const healed = clock.monotonic();

  await whenInOrder(world, recovery);
  const took = clock.monotonic() - healed;
  const expected: [ObjectName, number[]][] = [
    [kept, [1]],
    [rotated, [1, 2]],
    [changed, [1, 2]],
    [early, [1]],
    [late, [1]],
  ];
  for (const [name, revisions] of expected) {
    const { metadata } = await world.token(name);
    expect(mints.revisions(metadata.uid), `mints of ${name.name}`).to.deep.equal(revisions);
  }
  expect(await world.exists(world.token(deleted))).to.equal(false);
  return took;
}
