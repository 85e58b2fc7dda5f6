import { expect } from 'chai';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { minted } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const rotate = (value: string) => ({ metadata: { annotations: { 'pullsecrets.dev/rotate': value } } });

minted.describe('a rotation that somebody asks for', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });
  afterEach(() => world.registry.faults.clear());

  const when = (what: string, name: ObjectName, holds: (token: RegistryToken) => boolean) =>
    world.eventually(what, async () => {
      const token = await world.token(name);
      return holds(token) ? { value: token } : { seen: JSON.stringify(token.status) };
    });

  it('is tried at once, though the last try failed for good and the next would be in a minute', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    world.registry.faults.add({ operation: 'mint', kind: 'status', status: 403 });
    await world.patchToken(name, rotate('first'));
    await when('it has failed', name, ({ status }) => status?.failedAttempts === 1);
    world.registry.faults.clear();
    await world.patchToken(name, rotate('second'));
    const { status } = await when('it is rotated', name, (token) => token.status?.token?.revision === 2);
    expect(status?.lastHandledRotate).to.equal('second');
    expect(status).to.not.have.any.keys('lastTriedRotate', 'failedAttempts');
  });

  it('is not heard under another name, which the message of Ready says', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate-now': 'leak' } } });
    const token = await when('it is said', name, ({ status }) =>
      (status?.conditions?.[0]?.message ?? '').includes('rotate-now'),
    );
    expect(token.status?.conditions?.[0]).to.include({ type: 'Ready', status: 'True' });
    expect(token.status?.conditions?.[0]?.message).to.match(
      /; annotation pullsecrets\.dev\/rotate-now means nothing; pullsecrets\.dev\/rotate asks for a rotation$/,
    );
    expect(token.status?.token?.revision).to.equal(1);
  });

  it('leaves a predecessor that can be cut short later: gracePeriod 0s revokes it at once', async () => {
    const name = await world.createToken(namespace, { rotation: { gracePeriod: '1h' } });
    const { status } = await world.whenReady(name);
    const leaked = status?.token?.id;
    await world.patchToken(name, rotate('leak'));
    await when('it is rotated', name, (token) => token.status?.previousTokens?.[0]?.id === leaked);
    await world.patchToken(name, { spec: { rotation: { gracePeriod: '0s' } } });
    await when('it is revoked', name, (token) => token.status?.previousTokens === undefined);
    expect(world.isAlive(leaked)).to.equal(false);
  });
});

minted.describe('rotations that somebody asks for again and again', () => {
  let world: World;
  before(async () => {
    world = await World.start();
    world.startOperator({ mintBudget: 1 });
  });
  after(() => world.close());

  it('each gives a token, four times the mint budget; the next one waits, and says so', async () => {
    const name = await world.createToken(await world.createNamespace());
    await world.whenReady(name);
    const handled = async (): Promise<string | undefined> =>
      (await world.token(name)).status?.lastHandledRotate;
    for (let leak = 1; leak <= 4; leak++) {
      await world.patchToken(name, rotate(`leak ${leak}`));
      await world.eventually(`leak ${leak} is rotated`, async () => {
        const seen = await handled();
        return seen === `leak ${leak}` ? { value: true } : { seen: String(seen) };
      });
    }
    await world.patchToken(name, rotate('leak 5'));
    const { status } = await world.eventually('the fifth is held back', async () => {
      const token = await world.token(name);
      const stalled = token.status?.conditions?.find(({ type }) => type === 'Stalled');
      return stalled?.reason === 'MintBudgetExceeded'
        ? { value: token }
        : { seen: JSON.stringify(token.status) };
    });
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    expect(status?.conditions?.find(({ type }) => type === 'Stalled')?.message).to.match(
      /^annotation pullsecrets.dev\/rotate has a new value, but 4 tokens were issued within 1h, .*; will issue the next at /,
    );
    expect(status?.lastHandledRotate).to.equal('leak 4');
    expect(status?.token?.revision).to.equal(5);
  });
});
