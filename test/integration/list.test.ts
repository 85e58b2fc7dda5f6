import { expect } from 'chai';
import type { RegistryToken, RegistryTokenStatus } from '../../src/api/registry-token.ts';
import { ROTATE_ANNOTATION, TOKEN_ID_ANNOTATION } from '../../src/api/names.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { readTag } from '../../src/token/sweep/tag.ts';
import { LISTS_AT_ONCE, minted, where } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

/** As short as flags allow, so that tests do not wait. */
const SWEEP = { sweep: 'revoke', sweepDelay: 1_000, sweepInterval: 1_000, defaultGracePeriod: 0 } as const;

minted.describe('the registry’s list of tokens', () => {
  let world: World;
  let namespace: string;
  let clusterId: string;
  before(async () => {
    world = await World.start();
    clusterId = (await world.client.get(NAMESPACES, { name: 'kube-system' })).metadata.uid;
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
  });
  afterEach(async () => {
    world.registry.faults.clear();
    await world.stopOperator();
    // What another cluster left would be there for the next test.
    for (const { id } of world.registry.tokens()) await world.revokeAtRegistry(id);
  });
  after(() => world.close());

  const rotate = (name: ObjectName, value: string): Promise<RegistryToken> =>
    world.patchToken(name, { metadata: { annotations: { [ROTATE_ANNOTATION]: value } } });
  const whenRevision = (name: ObjectName, revision: number): Promise<RegistryToken> =>
    world.eventually(`${name.name} has revision ${revision}`, async () => {
      const token = await world.token(name);
      return token.status?.token?.revision === revision && !token.status.mintIntent
        ? { value: token }
        : { seen: JSON.stringify(token.status) };
    });
  const whenConflict = (expected: boolean): Promise<string> =>
    world.eventually(`the account has ${expected ? 'a' : 'no'} conflict`, async () => {
      const { status } = await world.account('default');
      const conflict = status?.conditions?.find(({ type }) => type === 'ClusterIdConflict');
      const ready = status?.conditions?.some(({ type }) => type === 'Ready') ?? false;
      return ready && (conflict?.status === 'True') === expected
        ? { value: conflict?.message ?? '' }
        : { seen: JSON.stringify(status) };
    });
  /** Puts a status there as a backup had it. */
  async function restore(name: ObjectName, status: RegistryTokenStatus | undefined): Promise<void> {
    const replacement = { op: 'add', path: '/status', value: status ?? {} } as const;
    await world.client.jsonPatch(REGISTRY_TOKENS, name, [replacement], { subresource: 'status' });
  }

  it('with tokens of another cluster with the same ids: they are reported, not revoked, and hold nothing up', async () => {
    world.startOperator(SWEEP);
    const name = await world.createToken(namespace);
    const { metadata } = await world.whenReady(name);
    const { uid } = metadata;
    const theirs = await world.issueAtRegistry({ clusterId, uid, revision: 2, nonce: 'theirs00' });
    expect(await whenConflict(true)).to.include(theirs);
    if (world.keepsAccountEvents)
      expect(await world.eventReasons({ name: 'default' })).to.include('ClusterIdConflict');
    await rotate(name, 'now');
    // Above what was seen, so that no two tokens share a revision.
    const { status } = await whenRevision(name, 3);
    expect(status?.token?.id).not.to.equal(theirs);
    await world.whenReady(name);
    expect(world.isAlive(theirs)).to.equal(true);
    await world.revokeAtRegistry(theirs);
    await whenConflict(false);
  });

  where(LISTS_AT_ONCE).it('twice without the token in force: another is issued', async () => {
    world.startOperator({ ...SWEEP, defaultGracePeriod: 3_600_000 });
    const name = await world.createToken(namespace, { lifetime: 'Never' });
    const { status } = await world.whenReady(name);
    await world.revokeAtRegistry(status?.token?.id ?? '');
    const after = await whenRevision(name, 2);
    expect(after.status?.lastRotation?.reason).to.equal('TokenLost');
    const secret = await world.secret(name);
    expect(secret.metadata.annotations?.[TOKEN_ID_ANNOTATION]).to.equal(after.status?.token?.id);
  });

  it('is asked for a few times where forty tokens are to be revoked after a restart', async () => {
    const settings = { ...SWEEP, sweepInterval: 3_600_000 };
    world.startOperator(settings);
    const names = await Promise.all(Array.from({ length: 40 }, () => world.createToken(namespace)));
    for (const name of names) await world.whenReady(name);
    world.registry.faults.add({ operation: 'revoke', kind: 'status', status: 503 });
    for (const name of names) await rotate(name, 'now');
    for (const name of names) await whenRevision(name, 2);
    await world.stopOperator();
    world.registry.faults.clear();
    let lists = 0;
    const count = ({ operation }: { operation: string }): void => void (operation === 'list' && lists++);
    world.registry.on('answered', count);
    world.startOperator(settings);
    await world.eventually('all are revoked', async () => {
      const left = world.registry.tokens().filter(({ description }) => readTag(description)?.revision === 1);
      return left.length === 0 ? { value: true } : { seen: `${left.length} left` };
    });
    world.registry.off('answered', count);
    // One for all that ask at once, one for who came in between, and one for each look of the sweep, of which a slow machine
    // sees more than one: few, and not one for each of the forty.
    expect(lists).to.be.within(1, 8);
  });

  describe('after a restore from a backup', () => {
    it('without statuses: the token in the Secret stays, and its revision is not used again', async () => {
      world.startOperator(SWEEP);
      const name = await world.createToken(namespace);
      const before = await world.whenReady(name);
      await world.stopOperator();
      await restore(name, undefined);
      world.startOperator(SWEEP);
      const { status } = await whenRevision(name, 2);
      await whenConflict(true);
      expect(world.isAlive(before.status?.token?.id)).to.equal(true);
      expect(world.isAlive(status?.token?.id)).to.equal(true);
    });

    it('with older statuses: the token in the Secret stays, and no revision is used again', async () => {
      world.startOperator(SWEEP);
      const name = await world.createToken(namespace);
      const before = await world.whenReady(name);
      await rotate(name, 'first');
      const later = await whenRevision(name, 2);
      await world.stopOperator();
      await restore(name, before.status);
      world.startOperator(SWEEP);
      const { status } = await whenRevision(name, 3);
      await whenConflict(true);
      expect(world.isAlive(later.status?.token?.id)).to.equal(true);
      expect(world.isAlive(status?.token?.id)).to.equal(true);
    });
  });
});
