import { expect } from 'chai';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { registerSecret } from '../support/secrecy.ts';
import { LISTS_AT_ONCE, minted, where } from '../support/tested-registry.ts';
import { HOST, World, type SecretObject } from '../support/world.ts';

/** As short as flags allow, so that tests do not wait. */
const SWEEP = { sweep: 'revoke', sweepDelay: 1_000, sweepInterval: 1_000 } as const;
const HAND_MADE = 'a-password-made-by-hand';

minted.describe('a Secret is taken over', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    registerSecret(HAND_MADE);
    world = await World.start();
    namespace = await world.createNamespace();
    world.startOperator(SWEEP);
  });
  after(() => world.close());

  const held = async (name: ObjectName): Promise<string | undefined> =>
    (await world.secret(name)).metadata.annotations?.['pullsecrets.dev/token-id'];
  const whenRevoked = (id: string | undefined) =>
    world.eventually(`${id} is revoked`, () =>
      Promise.resolve(world.isAlive(id) ? { seen: 'alive' } : { value: true }),
    );
  const retained = async (): Promise<string[]> =>
    ((await world.account('default')).status?.retainedTokens ?? []).map(({ id }) => id);

  /** A Secret as a backup gives it back: what the API server sets is new, owners are left out. */
  async function restored(secret: SecretObject): Promise<SecretObject> {
    const { name, labels, annotations } = secret.metadata;
    return world.client.create<SecretObject>(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name, labels, annotations },
      type: secret.type,
      data: secret.data,
    } as Manifest);
  }

  it('that its RegistryToken of the same name left on purpose: in place, and what it held is swept once nothing holds it', async () => {
    const name = await world.createToken(namespace, { deletionPolicy: 'Retain' });
    const former = (await world.whenReady(name)).status?.token?.id;
    const { uid } = (await world.secret(name)).metadata;
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(await retained()).to.include(former);

    await world.createToken(namespace, {}, name.name);
    const { status } = await world.whenReady(name);
    expect(status?.secretRef?.uid).to.equal(uid);
    expect(await held(name))
      .to.equal(status?.token?.id)
      .and.not.equal(former);
    expect(await retained()).to.not.include(former);
    await whenRevoked(former);
    expect(await world.eventReasons(name)).to.include('SecretTakenOver');
    await world.whenReady(name);
  });

  it('that was restored from a backup before its RegistryToken, or after it', async () => {
    for (const first of ['Secret', 'RegistryToken']) {
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      const secret = await world.secret(name);
      await world.deleteToken(name);
      await world.whenGone(name);
      // What was revoked by then is as good as any other.
      await world.eventually('the Secret is gone', async () =>
        (await world.exists(world.secret(name))) ? { seen: 'there' } : { value: true },
      );
      if (first === 'RegistryToken') await world.createToken(namespace, { suspend: true }, name.name);
      const { metadata } = await restored(secret);
      if (first === 'RegistryToken') await world.patchToken(name, { spec: { suspend: false } });
      else await world.createToken(namespace, {}, name.name);
      const { status } = await world.whenReady(name);
      expect(status?.secretRef?.uid, first).to.equal(metadata.uid);
      expect(await held(name)).to.equal(status?.token?.id);
    }
  });

  it('that was restored with its RegistryToken’s status: the token goes on, and is swept after the next rotation', async () => {
    const name = await world.createToken(namespace, { deletionPolicy: 'Retain' });
    const before = await world.whenReady(name);
    const id = before.status?.token?.id;
    await world.deleteToken(name);
    await world.whenGone(name);
    await world.createToken(namespace, { suspend: true }, name.name);
    await world.client.mergePatch(
      REGISTRY_TOKENS,
      name,
      { status: before.status },
      { subresource: 'status' },
    );
    await world.patchToken(name, { spec: { suspend: false, rotation: { gracePeriod: '0s' } } });
    const { status } = await world.whenReady(name);
    expect(status?.token?.id).to.equal(id);
    await world.eventually('it is owned', async () => {
      const { ownerReferences } = (await world.secret(name)).metadata;
      return ownerReferences ? { value: true } : { seen: 'no owner' };
    });
    expect(await retained()).to.not.include(id);
    expect(world.isAlive(id)).to.equal(true);
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
    await whenRevoked(id);
    expect(await held(name)).to.not.equal(id);
    await world.whenReady(name);
  });

  describe('that was made by hand', () => {
    const create = (auths: Record<string, object>): Promise<SecretObject> =>
      world.client.create<SecretObject>(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace, name: world.uniqueName('hand-made') },
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
      });
    const LOGIN = { username: 'me', password: HAND_MADE };

    it('where that is asked for: in place, later too', async () => {
      const { metadata } = await create({ [`https://${HOST}/v1/`]: LOGIN });
      const name = await world.createToken(namespace, {}, metadata.name);
      await world.whenReady(name, { status: 'False', reason: 'SecretConflict' });
      await world.patchToken(name, { spec: { secret: { adopt: true } } });
      const { status } = await world.whenReady(name);
      expect(status?.secretRef).to.include({ name: metadata.name, uid: metadata.uid });
      const { data } = await world.secret(name);
      const config = Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString();
      expect(Object.keys((JSON.parse(config) as { auths: object }).auths)).to.deep.equal([HOST]);
      expect(config).to.not.include(HAND_MADE);
    });

    it('not where it holds another registry’s credentials: says which', async () => {
      const { metadata } = await create({ [HOST]: LOGIN, 'quay.io': LOGIN });
      const name = await world.createToken(namespace, { secret: { adopt: true } }, metadata.name);
      const { status } = await world.whenReady(name, { status: 'False', reason: 'SecretConflict' });
      expect(status?.conditions?.[0]?.message).to.include('credentials for "quay.io"');
      expect((await world.secret(name)).metadata.resourceVersion).to.equal(metadata.resourceVersion);
      expect(status).to.not.have.property('token');
    });

    it('not before the registry was seen to accept the token', async () => {
      const account = world.uniqueName('account');
      await world.createAccount(account, { verify: 'Always' });
      const { metadata } = await create({ [HOST]: LOGIN });
      const spec = { accountRef: { name: account }, secret: { adopt: true } };
      const name = await world.createToken(namespace, spec, metadata.name);
      const { status } = await world.whenReady(name, { status: 'False', reason: 'RegistryUnavailable' });
      expect(status?.conditions?.[0]?.message)
        .to.include('a Secret is adopted only when it is')
        .and.include('or set spec.verify of the account to Never');
      expect((await world.secret(name)).metadata.resourceVersion).to.equal(metadata.resourceVersion);
      expect(status?.mintIntent?.revision).to.equal(1);
    });

    where(LISTS_AT_ONCE).it('not before a token was issued, whatever keeps it from that', async () => {
      world.registry.faults.add({ operation: 'mint', kind: 'status', status: 503 });
      const { metadata } = await create({ [HOST]: LOGIN });
      const name = await world.createToken(namespace, { secret: { adopt: true } }, metadata.name);
      await world.whenReady(name, { status: 'False', reason: 'RegistryUnavailable' });
      expect((await world.secret(name)).metadata.resourceVersion).to.equal(metadata.resourceVersion);
      world.registry.faults.clear();
      await world.whenReady(name);
    });
  });
});

minted.describe('RegistryTokens exchange the names of their Secrets', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await World.start();
    namespace = await world.createNamespace();
    world.startOperator({ sweep: 'revoke', sweepDelay: 1_000, sweepInterval: 1_000 });
  });
  after(() => world.close());

  for (const count of [2, 3])
    it(`${count} in a cycle: each gets what it wants in place, and no token is created or revoked`, async () => {
      const names: ObjectName[] = [];
      for (let index = 0; index < count; index++) names.push(await world.createToken(namespace));
      for (const name of names) await world.whenReady(name);
      const uids = await Promise.all(names.map(async (name) => (await world.secret(name)).metadata.uid));
      const before = world.registry.tokens().map(({ id }) => id);
      await Promise.all(
        names.map((name, index) =>
          world.patchToken(name, { spec: { secret: { name: names[(index + 1) % count]?.name } } }),
        ),
      );
      for (const [index, name] of names.entries()) {
        const { status } = await world.whenReady(name);
        const next = names[(index + 1) % count] ?? name;
        await world.eventually(`${next.name} holds what ${name.name} has`, async () => {
          const { metadata } = await world.secret(next);
          const id = metadata.annotations?.['pullsecrets.dev/token-id'];
          return id === status?.token?.id ? { value: true } : { seen: String(id) };
        });
        expect((await world.secret(next)).metadata.uid).to.equal(uids[(index + 1) % count]);
      }
      expect(world.registry.tokens().map(({ id }) => id)).to.have.members(before);
    });

  it('one wants what another has and does not give up: it waits, what it had stays alive, and gets it when that goes', async () => {
    const elder = await world.createToken(namespace, {}, 'a-elder');
    await world.whenReady(elder);
    const name = await world.createToken(namespace);
    const { status } = await world.whenReady(name);
    await world.patchToken(name, { spec: { secret: { name: 'a-elder' } } });
    await world.whenReady(name, { status: 'False', reason: 'SecretConflict' });
    expect(world.isAlive(status?.token?.id)).to.equal(true);
    expect((await world.secret(name)).metadata.annotations?.['pullsecrets.dev/token-id']).to.equal(
      status?.token?.id,
    );
    await world.patchToken(elder, { spec: { secret: { name: 'elsewhere' } } });
    const after = await world.whenReady(name);
    expect(after.status?.token?.id).to.equal(status?.token?.id);
    await world.eventually('the former Secret is gone', async () =>
      (await world.exists(world.secret(name))) ? { seen: 'there' } : { value: true },
    );
  });
});
