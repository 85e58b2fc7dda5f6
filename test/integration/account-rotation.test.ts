import { expect } from 'chai';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { minted } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const COUNT = 12;

minted.describe('all tokens of an account are to be rotated', () => {
  let world: World;
  let names: ObjectName[];
  before(async () => {
    world = await World.start();
    const namespace = await world.createNamespace();
    world.startOperator();
    names = await Promise.all(Array.from({ length: COUNT }, () => world.createToken(namespace)));
    await Promise.all(names.map((name) => world.whenReady(name)));
  });
  after(() => world.close());

  const request = (requestedAt: string) =>
    world.client.mergePatch(REGISTRY_ACCOUNTS, { name: 'default' }, { spec: { rotation: { requestedAt } } });
  const whenDone = (requestedAt: string, total: number) =>
    world.eventually(
      `${requestedAt} is done`,
      async () => {
        const { status } = await world.account('default');
        const { rotation } = status ?? {};
        const done = rotation?.requestedAt === requestedAt && rotation.done === total;
        return done ? { value: rotation } : { seen: JSON.stringify(rotation) };
      },
      // IBM Cloud takes several requests for a token.
      45_000,
    );
  const revisions = async () =>
    (await Promise.all(names.map((name) => world.token(name)))).map(({ status }) => status?.token?.revision);

  it('each is, once, and the account counts them', async () => {
    expect(await revisions()).to.deep.equal(Array(COUNT).fill(1));
    await request('first');
    expect(await whenDone('first', COUNT)).to.include({ total: COUNT });
    expect(await revisions()).to.deep.equal(Array(COUNT).fill(2));
    expect((await world.token(names[0] as ObjectName)).status?.lastRotation?.reason).to.equal(
      'AccountRotation',
    );
  });

  it('a restart neither repeats nor forgets any', async () => {
    await world.stopOperator();
    const before = world.issued;
    world.startOperator();
    await request('second');
    await world.eventually('it has begun', async () => {
      const count = world.issued - before;
      return count > 0 ? { value: count } : { seen: 'nothing' };
    });
    await world.stopOperator();
    world.startOperator();
    await whenDone('second', COUNT);
    expect(await revisions()).to.deep.equal(Array(COUNT).fill(3));
    expect(world.issued - before).to.equal(COUNT);
  });

  it('one made after the request is done already', async () => {
    const name = await world.createToken((names[0] as ObjectName).namespace ?? '');
    await world.whenReady(name);
    await whenDone('second', COUNT + 1);
    expect((await world.token(name)).status?.token?.revision).to.equal(1);
  });

  it('goes no faster than the account allows', async () => {
    const total = COUNT + 1;
    const requestsPerSecond = 4;
    await world.client.mergePatch(REGISTRY_ACCOUNTS, { name: 'default' }, { spec: { requestsPerSecond } });
    const times: number[] = [];
    const note = (): void => void times.push(performance.now());
    world.registry.on('issued', note);
    await request('third');
    await whenDone('third', total);
    world.registry.off('issued', note);
    expect(times).to.have.length(total);
    // As many as fit into one second come at once; the rest takes its time. A little is lost on the way.
    const least = (total / requestsPerSecond - 1) * 1000 - 250;
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).to.be.greaterThan(least);
  });
});
