import { expect } from 'chai';
import { refusal } from '../../src/kube/client/errors.ts';
import { World } from '../support/world.ts';

describe('an operator for all namespaces that may not list RegistryTokens yet', function () {
  this.timeout(90_000);
  let world: World;

  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  it('does not work, nor say that its account has no tokens, before it may', async () => {
    const token = await world.createToken(await world.createNamespace());
    let refusals = 0;
    world.intercept = (call, pass) => {
      if (!call.path.endsWith('/registrytokens')) return pass();
      refusals++;
      throw refusal(call, 403, { kind: 'Status', reason: 'Forbidden', code: 403 });
    };
    world.startOperator({ sweep: 'revoke', sweepInterval: 1_000, sweepDelay: 0 });
    await world.eventually('it asks again', () =>
      Promise.resolve(refusals > 1 ? { value: refusals } : { seen: `${refusals} requests` }),
    );
    expect(world.log.map(({ msg }) => msg)).not.to.include('working');
    expect((await world.account('default')).status?.tokens).to.equal(undefined);

    world.intercept = undefined;
    await world.whenReady(token);
  });
});

describe('a watched namespace that can not be read', function () {
  this.timeout(90_000);
  let world: World;
  let readable: string;
  let closed: string;

  before(async () => {
    world = await World.start();
    readable = await world.createNamespace();
    closed = await world.createNamespace();
  });
  after(() => world.close());

  it('holds up no other and stops the sweep; its RegistryTokens are worked on once it can be read', async () => {
    world.intercept = (call, pass) => {
      if (!call.path.includes(`/namespaces/${closed}/`)) return pass();
      throw refusal(call, 403, { kind: 'Status', reason: 'Forbidden', code: 403 });
    };
    const waiting = await world.createToken(closed);
    world.startOperator({
      watchNamespaces: [readable, closed],
      sweep: 'revoke',
      sweepInterval: 1_000,
      sweepDelay: 0,
    });
    await world.whenReady(await world.createToken(readable));
    expect((await world.token(waiting)).status).to.equal(undefined);
    expect((await world.account('default')).status?.lastSweepTime).to.equal(undefined);

    world.intercept = undefined;
    await world.whenReady(waiting);
    const told = world.log.filter(
      ({ resource }) => resource === `registrytokens.pullsecrets.dev in ${closed}`,
    );
    expect(told.filter(({ level }) => level === 'error' || level === 50)).to.have.length(1);
    expect(told.at(-1)).to.have.property('msg', 'The API server lets it be listed and watched again');
  });
});
