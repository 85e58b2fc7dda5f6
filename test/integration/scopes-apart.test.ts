import { expect } from 'chai';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import { Harbor } from '../../sandbox/registries/harbor/harbor.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { registerSecret } from '../support/secrecy.ts';
import { World } from '../support/world.ts';

const PASSWORD = 'Harbor12345-of-the-operator';
registerSecret(PASSWORD);
const SWEEP = { sweep: 'revoke', sweepInterval: 500, sweepDelay: 100 } as const;

describe('an account whose registry lists the tokens of each project apart (Harbor)', () => {
  let world: World;
  let harbor: Harbor;
  let server: Server;
  let namespace: string;
  /** Projects that the account administers. */
  const rights = ['team-a', 'team-c', 'team-d', 'team-b'];

  before(async () => {
    world = await World.start();
    harbor = new Harbor({
      clock,
      projects: ['team-a', 'team-b', 'team-c', 'team-d'],
      users: [{ username: 'operator', password: PASSWORD, administrator: false, projects: rights }],
    });
    server = await serve(harbor, { port: 0 });
    await world.setCredentials('harbor', { username: 'operator', password: PASSWORD });
    await world.createAccount('harbor', {
      harbor: { url: server.url },
      credentialsSecretRef: { name: 'harbor' },
    });
    namespace = await world.createNamespace();
    world.startOperator(SWEEP);
  });
  after(async () => {
    for (const value of harbor.values()) registerSecret(value);
    await world.close();
    await server.close();
  });

  it('is swept in its other projects when it may not see one of them any more', async () => {
    const create = (scope: string) =>
      world.createToken(namespace, { accountRef: { name: 'harbor' }, scope: [scope] });
    const [left, kept] = [await create('team-a'), await create('team-b')];
    await world.whenReady(left);
    const { status: before } = await world.whenReady(kept);
    rights.splice(3);
    harbor.faults.add({ operation: 'revoke', kind: 'status', status: 500 });
    await world.deleteToken(left);
    await world.whenGone(left);
    harbor.faults.clear();
    await world.eventually('the sweep has deleted its robot', async () =>
      harbor.robots().some(({ project }) => project?.name === 'team-a')
        ? { seen: JSON.stringify(harbor.robots()) }
        : { value: true },
    );
    const { status } = await world.token(kept);
    expect(status?.token, 'what is not seen is not called lost').to.deep.equal(before?.token);
  });

  it('looks for what may yet come of a lost request where it was asked for, though nothing has that scope any more', async () => {
    harbor.faults.add({ operation: 'mint', kind: 'reset', times: 1 });
    const name = await world.createToken(namespace, { accountRef: { name: 'harbor' }, scope: ['team-c'] });
    await world.eventually('it is asked for', async () => {
      const { status } = await world.token(name);
      return status?.mintIntent?.phase === 'Unconfirmed'
        ? { value: true }
        : { seen: JSON.stringify(status?.conditions) };
    });
    await world.patchToken(name, { spec: { scope: ['team-a'] } });
    await world.whenReady(name, { status: 'True' }, 30_000);
    const { status } = await world.token(name);
    expect(status?.token?.scope).to.deep.equal(['team-a']);
    expect((await world.account('harbor')).status?.scopes).to.include('team-c');
  });

  it('finds what was left there while the account was one of another registry, by another process', async () => {
    const name = await world.createToken(namespace, { accountRef: { name: 'harbor' }, scope: ['team-c'] });
    const { metadata } = await world.whenReady(name);
    const changeAccount = (spec: object): Promise<unknown> =>
      world.client.mergePatch(REGISTRY_ACCOUNTS, { name: 'harbor' }, { spec });
    const own = () => harbor.robots().filter(({ description }) => description.includes(metadata.uid)).length;
    await changeAccount({
      harbor: null,
      ecr: { registryId: '123456789012', identityAccess: 'ReadOnly' },
    });
    await world.deleteToken(name);
    await world.whenGone(name);
    await world.stopOperator();
    expect(own()).to.equal(1);
    await changeAccount({ harbor: { url: server.url }, ecr: null });
    world.startOperator(SWEEP);
    await world.eventually('its robot is deleted', async () =>
      own() > 0 ? { seen: String(own()) } : { value: true },
    );
  });

  it('finds what was left in a project of which nothing in the cluster tells any more', async () => {
    const name = await world.createToken(namespace, { accountRef: { name: 'harbor' }, scope: ['team-d'] });
    await world.whenReady(name);
    const left = () => harbor.robots().filter(({ project }) => project?.name === 'team-d').length;
    await world.stopOperator();
    await world.patchToken(name, { metadata: { finalizers: null } });
    await world.deleteToken(name);
    expect((await world.account('harbor')).status?.scopes ?? []).to.not.include('team-d');
    expect(left()).to.equal(1);
    world.startOperator(SWEEP);
    await world.eventually('its robot is deleted', async () =>
      left() > 0 ? { seen: String(left()) } : { value: true },
    );
  });
});
