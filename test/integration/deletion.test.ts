import { expect } from 'chai';
import { NAMESPACES, SECRETS } from '../../src/kube/client/resources.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { minted } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

describe('a RegistryToken is deleted', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });
  afterEach(() => world.registry.faults.clear());

  const living = (uid: string): number => world.tokensOf(uid).length;

  minted.it('its Secret is deleted and its tokens are revoked, predecessors too', async () => {
    const name = await world.createToken(namespace);
    const { metadata } = await world.whenReady(name);
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'x' } } });
    await world.eventually('it is rotated', async () => {
      const { status } = await world.token(name);
      return status?.previousTokens?.length === 1 ? { value: true } : { seen: JSON.stringify(status) };
    });
    expect(living(metadata.uid)).to.equal(2);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(metadata.uid)).to.equal(0);
    expect(await world.exists(world.secret(name))).to.equal(false);
  });

  it('suspended: still revokes', async () => {
    const name = await world.createToken(namespace);
    const { metadata } = await world.whenReady(name);
    await world.patchToken(name, { spec: { suspend: true } });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(metadata.uid)).to.equal(0);
  });

  minted.it('deletionPolicy Retain: token and Secret outlive it', async () => {
    const name = await world.createToken(namespace, { deletionPolicy: 'Retain' });
    const { metadata } = await world.whenReady(name);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(metadata.uid)).to.equal(1);
    expect(await world.exists(world.secret(name))).to.equal(true);
  });

  it('deletionPolicy changed to Retain later: the Secret loses its owner, so nothing collects it', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    expect((await world.secret(name)).metadata.ownerReferences).to.have.length(1);
    await world.patchToken(name, { spec: { deletionPolicy: 'Retain' } });
    await world.eventually('the Secret has no owner', async () => {
      const { metadata } = await world.secret(name);
      return metadata.ownerReferences ? { seen: JSON.stringify(metadata) } : { value: true };
    });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(await world.exists(world.secret(name))).to.equal(true);
  });

  it('a Secret that is not its own stays', async () => {
    const name = { namespace, name: world.uniqueName('foreign') };
    await world.client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...name },
      data: { key: 'dmFsdWU=' },
    });
    await world.createToken(namespace, {}, name.name);
    await world.whenReady(name, { reason: 'SecretConflict' });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(await world.exists(world.secret(name))).to.equal(true);
  });

  minted.it('a registry that fails for a moment: it waits and revokes', async () => {
    const name = await world.createToken(namespace);
    const { metadata } = await world.whenReady(name);
    await world.stopOperator();
    world.startOperator({ revocationDeadline: 15_000 });
    world.registry.faults.add({ operation: 'revoke', kind: 'status', status: 503, times: 1 });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(metadata.uid)).to.equal(0);
    await world.stopOperator();
    world.startOperator();
  });

  minted.it(
    'a registry that does not come back: it goes after the deadline, and says what it left',
    async () => {
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      world.registry.faults.add({ operation: 'revoke', kind: 'status', status: 503 });
      const started = performance.now();
      await world.deleteToken(name);
      await world.whenGone(name);
      expect(performance.now() - started).to.be.greaterThan(1_500);
      expect(await world.eventReasons(name)).to.include('RevocationFailed');
      const line = world.log.find(({ msg }) => String(msg).startsWith('deleted without revoking its tokens'));
      expect(line).to.include({ name: name.name, namespace });
    },
  );

  it('its finalizer was taken off before: it was put back, and nothing is left at the registry', async () => {
    const name = await world.createToken(namespace);
    const { metadata } = await world.whenReady(name);
    await world.patchToken(name, { metadata: { finalizers: ['test.dev/hold'] } });
    await world.eventually('the finalizer is back', async () => {
      const { finalizers = [] } = (await world.token(name)).metadata;
      return finalizers.includes('pullsecrets.dev/revoke') ? { value: true } : { seen: finalizers.join() };
    });
    await world.patchToken(name, { metadata: { finalizers: ['pullsecrets.dev/revoke'] } });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(metadata.uid)).to.equal(0);
  });

  it('with its namespace, with and without tokens: no warning, no error', async () => {
    const doomed = await world.createNamespace();
    const some = await Promise.all([1, 2, 3].map(() => world.createToken(doomed)));
    const refused = await Promise.all(
      [1, 2, 3].map(() => world.createToken(doomed, { accountRef: { name: 'nobody' } })),
    );
    for (const name of some) await world.whenReady(name);
    for (const name of refused) await world.whenReady(name, { reason: 'AccountNotFound' });
    const begun = world.log.length;
    await world.client.delete(NAMESPACES, { name: doomed });
    for (const name of [...some, ...refused]) await world.whenGone(name);
    await world.eventually('the namespace is gone', async () => {
      const there = await world.exists(world.client.get(NAMESPACES, { name: doomed }));
      return there ? { seen: 'still there' } : { value: true };
    });
    // Until the last event about it was dropped, too.
    const other = await world.createToken(namespace);
    await world.whenReady(other);
    await world.eventually('events are written', async () => {
      const reasons = await world.eventReasons(other);
      return reasons.includes('Issued') ? { value: true } : { seen: reasons.join() };
    });
    const loud = world.log.slice(begun).filter(({ level }) => Number(level) >= 40);
    expect(loud.map(({ msg }) => msg)).to.deep.equal([]);
  });
});
