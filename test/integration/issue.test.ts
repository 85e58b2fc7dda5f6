import { expect } from 'chai';
import { API_VERSION, FINALIZER } from '../../src/api/names.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { checksum, PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import { readTag } from '../../src/token/sweep/tag.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { CAPABILITIES, LIVES_FOR_EVER, minted, REGION, REGISTRY, where } from '../support/tested-registry.ts';
import { HOST, type World } from '../support/world.ts';

describe('a RegistryToken is applied', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  it('becomes Ready, with a Secret that holds the token for the host of its region', async () => {
    const name = await world.createToken(namespace, { description: 'build farm' });
    const { status, metadata } = await world.whenReady(name);
    const secret = await world.secret(name);
    const payload = Buffer.from(secret.data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    const { auths } = JSON.parse(payload) as { auths: Record<string, Record<string, string>> };

    expect(secret.type).to.equal('kubernetes.io/dockerconfigjson');
    expect(Object.keys(auths)).to.deep.equal([HOST]);
    const { username, password, auth } = auths[HOST]!;
    expect(auth).to.equal(Buffer.from(`${username}:${password}`).toString('base64'));
    expect(world.registry.values()).to.include(password);
    expect(secret.metadata.ownerReferences).to.deep.include({
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryToken',
      name: metadata.name,
      uid: metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    });
    expect(secret.metadata.annotations).to.include({
      'pullsecrets.dev/token-id': status?.token?.id,
      'pullsecrets.dev/checksum': checksum(payload),
    });

    if (CAPABILITIES.issue === 'minted') {
      const row = world.registry.tokens().find(({ id }) => id === status?.token?.id);
      expect(row?.description).to.match(/^build farm \[/);
      expect(readTag(row?.description ?? '')).to.include({ uid: metadata.uid, revision: 1 });
    }
    expect(status?.token).to.include({ access: 'ReadOnly' });
    expect(status?.region).to.equal(REGION ?? '');
    expect(status).to.include({ host: HOST, observedGeneration: 1 });
    expect(status).to.not.have.any.keys('mintIntent', 'failedAttempts');
    expect(status?.nextRotationTime).to.be.a('string');
    expect(await world.eventReasons(name)).to.deep.equal(['Issued']);
  });

  minted.it('takes one read, four writes and one event', async () => {
    const name = world.uniqueName('app');
    const calls: string[] = [];
    world.intercept = ({ method, path, contentType }, pass) => {
      const isApply = contentType?.includes('apply') ?? false;
      const what = path.replace(/.*\/namespaces\/[^/]+\//, '').replace(name, 'NAME');
      if (path.includes(`/${namespace}/`)) calls.push(`${isApply ? 'APPLY' : method} ${what}`);
      return pass();
    };
    await world.whenReady(await world.createToken(namespace, {}, name));
    await world.eventually('it is told', async () => {
      const reasons = await world.eventReasons({ namespace, name });
      return reasons.length > 0 ? { value: true } : { seen: 'no event' };
    });
    world.intercept = undefined;
    expect(calls.sort()).to.deep.equal([
      'APPLY secrets/NAME',
      'GET secrets/NAME',
      'PATCH registrytokens/NAME',
      'PATCH registrytokens/NAME/status',
      'PATCH registrytokens/NAME/status',
      'POST events',
    ]);
  });

  it('leaves the finalizers of others alone', async () => {
    const name = { namespace, name: world.uniqueName('app') };
    const finalizers = ['example.com/other'];
    await world.client.create(REGISTRY_TOKENS, {
      apiVersion: API_VERSION,
      kind: 'RegistryToken',
      metadata: { ...name, finalizers },
      spec: {},
    });
    const { metadata } = await world.whenReady(name);
    expect(metadata.finalizers).to.deep.equal([...finalizers, FINALIZER]);
  });

  where(LIVES_FOR_EVER).it(
    'gets read-write access and a token that never expires when it asks for them',
    async () => {
      const name = await world.createToken(namespace, { access: 'ReadWrite', lifetime: 'Never' });
      const { status } = await world.whenReady(name);
      expect(status?.token).to.include({ access: 'ReadWrite' }).and.not.have.property('expiresAt');
      expect(status).to.not.have.property('nextRotationTime');
    },
  );

  it('writes the Secret under the name, hosts, labels and annotations given', async () => {
    const name = await world.createToken(namespace, {
      secret: {
        name: 'elsewhere',
        extraHosts: ['https://Private.registry.test/', '*.mirror.test'],
        labels: { team: 'a' },
        annotations: { note: 'b' },
      },
    });
    await world.whenReady(name);
    const { metadata, data } = await world.secret({ namespace, name: 'elsewhere' });
    expect(metadata.labels).to.include({
      team: 'a',
      'app.kubernetes.io/managed-by': 'registry-token-operator',
    });
    expect(metadata.annotations).to.include({ note: 'b' });
    const payload = Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    const { auths } = JSON.parse(payload) as { auths: object };
    expect(auths).to.have.all.keys(HOST, 'private.registry.test', '*.mirror.test');
  });

  where(REGISTRY === 'ibm-registry-tokens').it(
    'takes one call to the registry, and at most four writes and an event to the API server',
    async () => {
      let calls = 0;
      const count = ({ operation }: { operation: string }): void => {
        if (operation !== 'exchange') calls++;
      };
      world.registry.on('answered', count);
      const name = await world.createToken(namespace);
      const { metadata } = await world.whenReady(name);
      world.registry.off('answered', count);
      expect(calls).to.equal(1);
      const writers = metadata.managedFields?.filter(({ manager }) => manager === 'registry-token-operator');
      expect(writers).to.have.length(2);
    },
  );

  it('creates nothing when the operator is restarted, and reads no Secret that it wrote', async () => {
    const name = await world.createToken(namespace);
    const before = await world.whenReady(name);
    const secretBefore = await world.secret(name);
    const { issued } = world;
    await world.stopOperator();
    const lines = world.log.length;
    const read: string[] = [];
    world.intercept = ({ method, path }, pass) => {
      if (method === 'GET' && path.endsWith(`/secrets/${name.name}`)) read.push(path);
      return pass();
    };
    world.startOperator();
    await world.eventually('the operator works again', () =>
      Promise.resolve(
        world.log.slice(lines).some(({ msg }) => msg === 'working') ? { value: true } : { seen: 'not yet' },
      ),
    );
    const later = await world.createToken(namespace);
    await world.whenReady(later);
    expect((await world.token(name)).metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
    expect((await world.secret(name)).metadata.resourceVersion).to.equal(
      secretBefore.metadata.resourceVersion,
    );
    expect(world.issued).to.equal(issued + 1);
    world.intercept = undefined;
    expect(read).to.deep.equal([]);
  });
});
