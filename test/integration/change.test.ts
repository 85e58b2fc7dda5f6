import { expect } from 'chai';
import type { ObjectName } from '../../src/common/objects.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { minted } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

describe('a RegistryToken is changed', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  const whenRevision = (name: ObjectName, revision: number) =>
    world.eventually(`revision ${revision}`, async () => {
      const token = await world.token(name);
      const { status } = token;
      return status?.token?.revision === revision && !status.mintIntent
        ? { value: token }
        : { seen: JSON.stringify(status) };
    });
  /** Waits for a mark in the Secret's annotations. @returns how often it was written since a version, the mark not counted */
  async function writesSince(resourceVersion: string, name: ObjectName): Promise<number> {
    await world.client.mergePatch(SECRETS, name, { metadata: { annotations: { mark: 'here' } } });
    const options = { namespace, resourceVersion, timeoutSeconds: 10, stallLimit: 10_000 };
    let writes = 0;
    for await (const { type, object } of world.client.watch(SECRETS, options)) {
      if (type === 'BOOKMARK' || object.metadata.name !== name.name) continue;
      expect(type).to.equal('MODIFIED');
      if (object.metadata.annotations?.['mark'] === 'here') return writes;
      writes++;
    }
    throw new Error('the watch ended before it told of the mark');
  }

  for (const [what, patch] of [
    ['access', { spec: { access: 'ReadWrite' } }],
    ['lifetime', { spec: { lifetime: 'Never' } }],
    ['the rotate annotation', { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } }],
  ] as const) {
    minted.it(
      `${what}: another token is created, the Secret switched in place with one write, the predecessor kept for its grace`,
      async () => {
        const name = await world.createToken(namespace);
        const before = await world.whenReady(name);
        const secretBefore = await world.secret(name);
        await world.patchToken(name, patch);
        const { status } = await whenRevision(name, 2);
        const secret = await world.secret(name);
        expect(status?.token?.id).to.not.equal(before.status?.token?.id);
        expect(secret.metadata.uid).to.equal(secretBefore.metadata.uid);
        expect(secret.metadata.annotations?.['pullsecrets.dev/token-id']).to.equal(status?.token?.id);
        expect(status?.previousTokens).to.have.length(1);
        expect(status?.previousTokens?.[0]).to.include({ id: before.status?.token?.id, revision: 1 });
        expect(world.isAlive(before.status?.token?.id)).to.equal(true);
        expect(status?.conditions?.map(({ type }) => type)).to.include('RevocationPending');
        expect(await world.eventReasons(name)).to.include('Rotated');
        expect(await writesSince(secretBefore.metadata.resourceVersion, name)).to.equal(1);
      },
    );
  }

  minted.it('the rotate annotation is acted on once, and echoed', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'once' } } });
    const { status } = await whenRevision(name, 2);
    expect(status?.lastHandledRotate).to.equal('once');
    expect(status?.lastRotation?.reason).to.equal('RotationRequested');
    await world.patchToken(name, { metadata: { labels: { unrelated: 'yes' } } });
    await world.createToken(namespace).then((other) => world.whenReady(other));
    expect((await world.token(name)).status?.token?.revision).to.equal(2);
  });

  minted.it(
    'with a grace period of 0s the predecessor is revoked as soon as the Secret is switched',
    async () => {
      const name = await world.createToken(namespace, { rotation: { gracePeriod: '0s' } });
      const before = await world.whenReady(name);
      await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'leaked' } } });
      await world.eventually('nothing is left to revoke', async () => {
        const { status } = await whenRevision(name, 2);
        return status?.previousTokens ? { seen: JSON.stringify(status) } : { value: true };
      });
      expect(world.isAlive(before.status?.token?.id)).to.equal(false);
      expect(await world.eventReasons(name)).to.include('Revoked');
    },
  );

  it('description, rotation, labels, hosts: the token stays', async () => {
    const name = await world.createToken(namespace);
    const before = await world.whenReady(name);
    await world.patchToken(name, {
      metadata: { labels: { a: 'b' } },
      spec: {
        description: 'other words',
        rotation: { gracePeriod: '5m', renewBefore: '30m', policy: 'Manual' },
        secret: { extraHosts: ['more.test'], labels: { c: 'd' } },
      },
    });
    const after = await world.whenReady(name);
    expect(after.status?.token).to.deep.equal(before.status?.token);
    const { metadata } = await world.secret(name);
    expect(metadata.labels).to.include({ c: 'd' });
    expect(after.status).to.not.have.property('nextRotationTime');
  });

  it('the name of the Secret: the Secret moves, with the token it has', async () => {
    const name = await world.createToken(namespace, { secret: { labels: {} } });
    const before = await world.whenReady(name);
    await world.patchToken(name, { spec: { secret: { name: 'moved' } } });
    const after = await world.whenReady(name);
    expect(after.status?.token).to.deep.equal(before.status?.token);
    expect(after.status?.secretRef?.name).to.equal('moved');
    expect(await world.exists(world.secret(name))).to.equal(false);
    expect(await world.exists(world.secret({ namespace, name: 'moved' }))).to.equal(true);
  });

  it('suspend: nothing is touched until it is lifted', async () => {
    const name = await world.createToken(namespace);
    const before = await world.whenReady(name);
    await world.patchToken(name, { spec: { suspend: true, access: 'ReadWrite' } });
    await world.whenReady(name, { reason: 'Suspended' });
    await world.client.delete(SECRETS, name);
    await world.createToken(namespace).then((other) => world.whenReady(other));
    expect(await world.exists(world.secret(name))).to.equal(false);
    expect((await world.token(name)).status?.token?.id).to.equal(before.status?.token?.id);
    await world.patchToken(name, { spec: { suspend: false } });
    const { status } = await whenRevision(name, 2);
    expect(status?.token?.access).to.equal('ReadWrite');
    await world.whenReady(name);
  });
});
