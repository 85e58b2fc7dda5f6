import { expect } from 'chai';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { NAMESPACES, SECRETS } from '../../src/kube/client/resources.ts';
import { minted, REGION } from '../support/tested-registry.ts';
import { CREDENTIALS, OPERATOR_NAMESPACE, World } from '../support/world.ts';

/** As short as flags allow, so that tests do not wait. */
const SWEEP = { sweep: 'revoke', sweepDelay: 1_000, revocationDeadline: 300 } as const;

minted.describe('tokens that a RegistryToken left behind', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await World.start();
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
    world.startOperator(SWEEP);
  });
  afterEach(async () => {
    world.registry.faults.clear();
    await world.stopOperator();
  });
  after(() => world.close());

  const living = (uid: string): number => world.tokensOf(uid).length;
  const breakRegistry = (): void => {
    for (const operation of ['revoke', 'list'] as const)
      world.registry.faults.add({ operation, kind: 'status', status: 503 });
  };
  const whenRevoked = (uid: string) =>
    world.eventually(
      'its tokens are revoked',
      async () => (living(uid) === 0 ? { value: true } : { seen: `${living(uid)} alive` }),
      18_000,
    );

  async function anIssuedToken(): Promise<{ name: ObjectName; uid: string }> {
    const name = await world.createToken(namespace);
    const { metadata } = await world.whenReady(name);
    return { name, uid: metadata.uid };
  }

  it('by a registry that was down are revoked once it is back', async () => {
    const { name, uid } = await anIssuedToken();
    breakRegistry();
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(uid)).to.equal(1);
    world.registry.faults.clear();
    await whenRevoked(uid);
    await world.eventually('the account says so', async () => {
      const { status } = await world.account('default');
      return status?.orphans === 0 && status.lastSweepTime
        ? { value: true }
        : { seen: JSON.stringify(status) };
    });
    const line = world.log.find((entry) => entry['msg'] === 'orphan token revoked');
    expect(line).to.include({ account: 'default', uid, revision: 1 });
  });

  it('by a whole namespace, with the operator restarted before the registry is back, are revoked', async () => {
    const { name, uid } = await anIssuedToken();
    breakRegistry();
    await world.client.delete(NAMESPACES, { name: namespace });
    await world.deleteToken(name);
    await world.whenGone(name);
    await world.stopOperator();
    world.startOperator(SWEEP);
    world.registry.faults.clear();
    await whenRevoked(uid);
  });

  it('by an account whose credentials vanished and came back are revoked', async () => {
    const { name, uid } = await anIssuedToken();
    await world.client.delete(SECRETS, { namespace: OPERATOR_NAMESPACE, name: CREDENTIALS });
    await world.eventually('the account notices', async () => {
      const { status } = await world.account('default');
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.reason === 'CredentialsNotFound' ? { value: true } : { seen: JSON.stringify(ready) };
    });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(uid)).to.equal(1);
    await world.setCredentials(CREDENTIALS);
    await whenRevoked(uid);
  });

  it('by an account that vanished and came back after a restart are revoked', async () => {
    const { name, uid } = await anIssuedToken();
    await world.client.delete(REGISTRY_ACCOUNTS, { name: 'default' });
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(living(uid)).to.equal(1);
    await world.stopOperator();
    world.startOperator(SWEEP);
    await world.createAccount('default');
    await whenRevoked(uid);
  });

  it('on purpose stay, even when their Secret goes later', async () => {
    const name = await world.createToken(namespace, { deletionPolicy: 'Retain' });
    const { metadata } = await world.whenReady(name);
    await world.deleteToken(name);
    await world.whenGone(name);
    await world.client.delete(SECRETS, name);
    const { status } = await world.account('default');
    expect(status?.retainedTokens).to.have.length(1);
    expect(status?.retainedTokens?.[0]).to.include(name);
    expect(status?.retainedTokens?.[0]?.region).to.equal(REGION ?? '');

    const { name: other, uid } = await anIssuedToken();
    breakRegistry();
    await world.deleteToken(other);
    await world.whenGone(other);
    world.registry.faults.clear();
    await whenRevoked(uid);
    expect(living(metadata.uid)).to.equal(1);
  });

  it('in a namespace that is watched no more stay, until an operator that watches all of them comes', async () => {
    const { name, uid } = await anIssuedToken();
    namespace = await world.createNamespace();
    await world.stopOperator();
    world.startOperator({ ...SWEEP, watchNamespaces: [namespace] });
    await world.deleteToken(name);
    const { name: other, uid: otherUid } = await anIssuedToken();
    breakRegistry();
    await world.deleteToken(other);
    await world.whenGone(other);
    expect((await world.token(name)).metadata.deletionTimestamp).not.to.equal(undefined);

    await world.patchToken(name, { metadata: { finalizers: null } });
    await world.whenGone(name);
    world.registry.faults.clear();
    await whenRevoked(otherUid);
    expect(living(uid)).to.equal(1);

    await world.stopOperator();
    world.startOperator(SWEEP);
    await whenRevoked(uid);
  });

  it('stay with --sweep=off, and the account no longer says when somebody looked', async () => {
    const whenSwept = (swept: boolean) =>
      world.eventually(`the account ${swept ? 'says' : 'does not say'} when it was swept`, async () => {
        const { status = {} } = await world.account('default');
        const says = status.lastSweepTime !== undefined && status.orphans !== undefined;
        return says === swept ? { value: true } : { seen: JSON.stringify(status) };
      });
    await whenSwept(true);
    const { name, uid } = await anIssuedToken();
    await world.stopOperator();
    world.startOperator({ ...SWEEP, sweep: 'off' });
    await whenSwept(false);
    breakRegistry();
    await world.deleteToken(name);
    await world.whenGone(name);
    world.registry.faults.clear();
    const { name: next } = await anIssuedToken();
    await world.deleteToken(next);
    await world.whenGone(next);
    expect(living(uid)).to.equal(1);
  });
});
