import { expect } from 'chai';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { sharedWorld } from '../support/shared-world.ts';
import type { World } from '../support/world.ts';

const rotate = (value: string) => ({ metadata: { annotations: { 'pullsecrets.dev/rotate': value } } });

describe('a rotation that somebody asks for', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });
  afterEach(() => world.service.faults.clear());

  const when = (what: string, name: ObjectName, holds: (token: RegistryToken) => boolean) =>
    world.eventually(what, async () => {
      const token = await world.token(name);
      return holds(token) ? { value: token } : { seen: JSON.stringify(token.status) };
    });

  it('is tried at once, though the last try failed for good and the next would be in a minute', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    world.service.faults.add({ operation: 'mint', kind: 'status', status: 403 });
    await world.patchToken(name, rotate('first'));
    await when('it has failed', name, ({ status }) => status?.failedAttempts === 1);
    world.service.faults.clear();
    await world.patchToken(name, rotate('second'));
    const { status } = await when('it is rotated', name, (token) => token.status?.token?.revision === 2);
    expect(status?.lastHandledRotate).to.equal('second');
    expect(status).to.not.have.any.keys('lastTriedRotate', 'failedAttempts');
  });

  it('leaves a predecessor that can be cut short later: gracePeriod 0s revokes it at once', async () => {
    const name = await world.createToken(namespace, { rotation: { gracePeriod: '1h' } });
    const { status } = await world.whenReady(name);
    const leaked = status?.token?.id;
    await world.patchToken(name, rotate('leak'));
    await when('it is rotated', name, (token) => token.status?.previousTokens?.[0]?.id === leaked);
    await world.patchToken(name, { spec: { rotation: { gracePeriod: '0s' } } });
    await when('it is revoked', name, (token) => token.status?.previousTokens === undefined);
    expect(world.service.tokens().map(({ id }) => id)).to.not.include(leaked);
  });
});
