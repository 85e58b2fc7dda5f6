import { expect } from 'chai';
import { sleep, systemClock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { checksum } from '../../src/token/secret/secret.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { CAPABILITIES, where } from '../support/tested-registry.ts';
import { OPERATOR_NAMESPACE, type SecretObject, type World } from '../support/world.ts';

const ignoreAbsence = (error: unknown): void => {
  if (!(error instanceof KubeError && error.isNotFound)) throw error;
};
const DOCKER_CONFIG = Buffer.from('{"auths":{"other.test":{"auth":"Zm9vOmJhcg=="}}}').toString('base64');

describe('the Secret of a RegistryToken', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  const createSecret = (name: string, type: string, data: Record<string, string>): Promise<SecretObject> =>
    world.client.create<SecretObject>(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name },
      type,
      data,
    });
  const whenSecretHolds = (name: ObjectName, id: string | undefined): Promise<SecretObject> =>
    world.eventually(`Secret ${name.name} holds ${id}`, async () => {
      if (!(await world.exists(world.secret(name)))) return { seen: 'no Secret' };
      const secret = await world.secret(name);
      const payload = Buffer.from(secret.data?.['.dockerconfigjson'] ?? '', 'base64').toString();
      const { annotations = {} } = secret.metadata;
      const isWhole = annotations['pullsecrets.dev/checksum'] === checksum(payload);
      const { auths = {} } = JSON.parse(payload || '{}') as { auths?: Record<string, { password?: string }> };
      const [entry] = Object.values(auths);
      const holds =
        isWhole && annotations['pullsecrets.dev/token-id'] === id && world.holds(entry?.password, id);
      return holds ? { value: secret } : { seen: Object.keys(auths).join() };
    });

  it('deleted: is restored without creating a token', async () => {
    const name = await world.createToken(namespace);
    const { status } = await world.whenReady(name);
    const { issued } = world;
    await world.client.delete(SECRETS, name);
    await whenSecretHolds(name, status?.token?.id);
    expect(world.issued).to.equal(issued);
    await world.whenReady(name);
    expect(await world.eventReasons(name)).to.include('Repaired');
  });

  it('edited: is restored in place without creating a token', async () => {
    const name = await world.createToken(namespace);
    const { status } = await world.whenReady(name);
    const { issued } = world;
    const before = await world.secret(name);
    await world.client.mergePatch(SECRETS, name, { data: { '.dockerconfigjson': DOCKER_CONFIG } });
    const after = await whenSecretHolds(name, status?.token?.id);
    expect(after.metadata.uid).to.equal(before.metadata.uid);
    expect(world.issued).to.equal(issued);
  });

  it('copied with all its labels: the copy is left alone, also when the Secret gets another name, and the original goes with an event', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    const { metadata, type, data } = await world.secret(name);
    const { labels, annotations, ownerReferences } = metadata;
    const copy = { namespace, name: `${name.name}-copy` };
    const created = await world.client.create<SecretObject>(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...copy, labels, annotations, ownerReferences },
      type,
      data,
    } as Manifest);
    await world.patchToken(name, { spec: { secret: { name: `${name.name}-renamed` } } });
    await world.eventually('the original is gone', async () => {
      const reasons = await world.eventReasons(name);
      return reasons.includes('SecretRemoved') ? { value: true } : { seen: reasons.join() };
    });
    expect(await world.exists(world.secret(name))).to.equal(false);
    expect((await world.secret(copy)).metadata.resourceVersion).to.equal(created.metadata.resourceVersion);
    await world.whenReady(name);
  });

  it('deleted while the credentials of its account are gone: is restored from what the operator knows', async () => {
    const account = world.uniqueName('account');
    const secret = { namespace: OPERATOR_NAMESPACE, name: account };
    await world.setCredentials(account);
    await world.createAccount(account, { credentialsSecretRef: { name: account } });
    const name = await world.createToken(namespace, { accountRef: { name: account } });
    const { status } = await world.whenReady(name);
    await world.client.delete(SECRETS, secret);
    await world.eventually('the account notices', async () => {
      const { conditions } = (await world.account(account)).status ?? {};
      return conditions?.[0]?.reason === 'CredentialsNotFound'
        ? { value: true }
        : { seen: JSON.stringify(conditions) };
    });
    await world.client.delete(SECRETS, name);
    await whenSecretHolds(name, status?.token?.id);
    await world.whenReady(name);
  });

  where(CAPABILITIES.readBack).it(
    'deleted while no operator ran: is restored from the registry',
    async () => {
      const name = await world.createToken(namespace);
      const { status } = await world.whenReady(name);
      await world.stopOperator();
      const { issued } = world;
      await world.client.delete(SECRETS, name);
      world.startOperator();
      await whenSecretHolds(name, status?.token?.id);
      expect(world.issued).to.equal(issued);
    },
  );

  where(CAPABILITIES.revoke).it(
    'deleted, and the token gone from the registry too: another token is created',
    async () => {
      const name = await world.createToken(namespace);
      const { status } = await world.whenReady(name);
      await world.stopOperator();
      await world.revokeAtRegistry(status?.token?.id ?? '');
      await world.client.delete(SECRETS, name);
      world.startOperator();
      const after = await world.eventually('another token', async () => {
        const token = await world.token(name);
        return token.status?.token?.revision === 2
          ? { value: token }
          : { seen: JSON.stringify(token.status) };
      });
      expect(after.status?.lastRotation?.reason).to.equal('TokenLost');
      await whenSecretHolds(name, after.status?.token?.id);
    },
  );

  for (const [what, type, data] of [
    [
      'of the right type that somebody else made',
      'kubernetes.io/dockerconfigjson',
      { '.dockerconfigjson': DOCKER_CONFIG },
    ],
    ['of another type', 'Opaque', { key: 'dmFsdWU=' }],
  ] as const) {
    it(`one ${what}: is left alone, and the condition says so`, async () => {
      const name = { namespace, name: world.uniqueName('taken') };
      const before = await createSecret(name.name, type, data);
      await world.createToken(namespace, {}, name.name);
      const { status } = await world.whenReady(name, { status: 'False', reason: 'SecretConflict' });
      expect(status?.conditions?.map(({ type: each }) => each)).to.include('Reconciling');
      expect(status).to.not.have.property('token');
      expect((await world.secret(name)).metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
    });
  }

  it('wanted by two RegistryTokens: the older one gets it; the younger takes over when the older goes', async () => {
    const shared = world.uniqueName('shared');
    const older = await world.createToken(namespace, { secret: { name: shared } }, 'older');
    await world.whenReady(older);
    const younger = await world.createToken(namespace, { secret: { name: shared } }, 'younger');
    const { status } = await world.whenReady(younger, { status: 'False', reason: 'SecretConflict' });
    const [condition] = status?.conditions ?? [];
    expect(condition?.message).to.include('older');
    await world.deleteToken(older);
    await world.whenReady(younger);
    expect(await world.exists(world.token(older))).to.equal(false);
  });

  it('changed over and over by somebody: is repaired ever more seldom, and the condition names who', async () => {
    const name = await world.createToken(namespace);
    const { status } = await world.whenReady(name);
    const { issued } = world;
    for (let fight = 0; fight < 3; fight++) {
      await whenSecretHolds(name, status?.token?.id);
      await world.client.mergePatch(SECRETS, name, { data: { '.dockerconfigjson': DOCKER_CONFIG } });
    }
    await whenSecretHolds(name, status?.token?.id);
    await world.client.mergePatch(SECRETS, name, { data: { '.dockerconfigjson': DOCKER_CONFIG } });
    const contested = await world.whenReady(name, { status: 'False', reason: 'SecretContested' });
    const ready = contested.status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).to.match(/^test keeps changing Secret/);
    expect(world.issued).to.equal(issued);
  });

  for (const { what, fight } of [
    {
      what: 'edited',
      fight: (name: ObjectName) =>
        world.client.mergePatch(SECRETS, name, { data: { '.dockerconfigjson': DOCKER_CONFIG } }),
    },
    { what: 'deleted', fight: (name: ObjectName) => world.client.delete(SECRETS, name) },
  ]) {
    it(`${what} ten times a second: a handful of writes, no token, and it says so`, async () => {
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      const { issued } = world;
      const begun = world.log.length;
      for (let strike = 0; strike < 50; strike++) {
        await fight(name).catch(ignoreAbsence);
        await sleep(systemClock, 100);
      }
      await world.whenReady(name, { status: 'False', reason: 'SecretContested' });
      const written = world.log
        .slice(begun)
        .filter(({ msg, name: of }) => of === name.name && String(msg).startsWith('Secret written'));
      expect(written.length).to.be.within(1, 5);
      expect(world.issued).to.equal(issued);
    }).timeout(30_000);
  }

  it('made immutable: the condition says so long before the next rotation fails', async () => {
    const name = await world.createToken(namespace);
    await world.whenReady(name);
    await world.client.mergePatch(SECRETS, name, { immutable: true });
    await world.eventually('it is said', async () => {
      const [ready] = (await world.token(name)).status?.conditions ?? [];
      return ready?.message.includes(`Secret ${name.name} is immutable and can't be written; delete it`) &&
        ready.status === 'True'
        ? { value: true }
        : { seen: JSON.stringify(ready) };
    });
  });

  it('loses a label and an annotation that are no longer wanted, and keeps those of others', async () => {
    const marks = { labels: { tier: 'web' }, annotations: { replicate: 'yes' } };
    const name = await world.createToken(namespace, { secret: marks });
    await world.whenReady(name);
    await world.client.mergePatch(SECRETS, name, { metadata: { labels: { theirs: 'stays' } } });
    await world.patchToken(name, { spec: { secret: { labels: null, annotations: null } } });
    await world.eventually('they are gone', async () => {
      const { labels, annotations } = (await world.secret(name)).metadata;
      return labels?.tier === undefined && annotations?.replicate === undefined
        ? { value: expect(labels).to.include({ theirs: 'stays' }) }
        : { seen: JSON.stringify({ labels, annotations }) };
    });
  });

  where(CAPABILITIES.readBack).it(
    'edited while the operator does not run: is restored without creating a token',
    async () => {
      const name = await world.createToken(namespace);
      const { status } = await world.whenReady(name);
      const { issued } = world;
      await world.stopOperator();
      await world.client.mergePatch(SECRETS, name, { data: { '.dockerconfigjson': DOCKER_CONFIG } });
      world.startOperator();
      await whenSecretHolds(name, status?.token?.id);
      expect(world.issued).to.equal(issued);
    },
  );

  describe('after a restart, while the registry is down', () => {
    for (const [what, change] of [
      ['wants another label: gets it', { secret: { labels: { tier: 'web' } } }],
      ['wants another name: gets it', { secret: { name: 'renamed-after-restart' } }],
    ] as const)
      it(`${what}, from what it held, and nothing is asked or created`, async () => {
        const name = await world.createToken(namespace);
        const { status } = await world.whenReady(name);
        await world.stopOperator();
        const { issued } = world;
        for (const operation of ['list', 'read', 'mint'])
          if (world.registry.faults.operations.all.includes(operation))
            world.registry.faults.add({ operation, kind: 'status', status: 503 });
        await world.patchToken(name, { spec: change });
        world.startOperator();
        const wanted = { namespace, name: 'name' in change.secret ? change.secret.name : name.name };
        const secret = await whenSecretHolds(wanted, status?.token?.id);
        await world.eventually('it is as wanted', async () => {
          const { labels } = (await world.secret(wanted)).metadata;
          return 'labels' in change.secret && labels?.['tier'] !== 'web' ? { seen: 'old' } : { value: true };
        });
        expect(secret.metadata.annotations?.['pullsecrets.dev/token-id']).to.equal(status?.token?.id);
        await world.whenReady(name);
        world.registry.faults.clear();
        expect(world.issued).to.equal(issued);
      });
  });
});
