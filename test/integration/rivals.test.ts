import { expect } from 'chai';
import { findCondition } from '../../src/api/conditions.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { World } from '../support/world.ts';

const RIVALS = 20;

describe('many RegistryTokens that name one Secret', function () {
  this.timeout(90_000);
  let world: World;

  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  const whenRefused = (name: ObjectName): Promise<unknown> =>
    world.eventually(`${name.name} is told that another has the Secret`, async () => {
      const { status } = await world.token(name);
      const ready = findCondition(status?.conditions, 'Ready');
      return ready?.reason === 'SecretConflict' ? { value: ready } : { seen: JSON.stringify(status) };
    });

  it('cost no reads of it when one more comes and goes', async () => {
    const namespace = await world.createNamespace();
    const spec = { secret: { name: 'shared' } };
    world.startOperator();
    // Of those that are created in one second, the first by name gets the Secret.
    await world.whenReady(await world.createToken(namespace, spec, 'a-first'));
    for (let n = 0; n < RIVALS; n++) await whenRefused(await world.createToken(namespace, spec));

    let reads = 0;
    world.intercept = (call, pass) => {
      if (call.method === 'GET' && call.path.endsWith('/secrets/shared')) reads++;
      return pass();
    };
    const another = await world.createToken(namespace, spec);
    await whenRefused(another);
    await world.deleteToken(another);
    // What the deletion sets going goes before this one.
    await world.whenReady(await world.createToken(namespace));
    expect(reads).to.equal(0);
  });
});
