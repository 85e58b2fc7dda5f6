import { expect } from 'chai';
import { Ecr } from '../../sandbox/registries/ecr/ecr.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { FINALIZER, ROTATE_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryTokenStatus } from '../../src/api/registry-token.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import { registerSecret } from '../support/secrecy.ts';
import { World } from '../support/world.ts';

const REGISTRY_ID = '123456789012';
const ROLE = `arn:aws:iam::${REGISTRY_ID}:role/puller`;
const ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE';
const SECRET_KEY = 'a-secret-access-key-that-nobody-may-see';
registerSecret(SECRET_KEY);
const ANYTHING = { effect: 'Allow', actions: ['*'], resources: ['*'] } as const;
const user = `arn:aws:iam::${REGISTRY_ID}:user/operator`;

describe('a registry that exchanges credentials, with nothing to list or revoke (Amazon ECR)', () => {
  let world: World;
  let ecr: Ecr;
  let server: Server;
  let namespace: string;
  let exchanges = 0;

  before(async () => {
    world = await World.start();
    ecr = new Ecr({
      clock,
      registryId: REGISTRY_ID,
      region: 'eu-central-1',
      users: [{ arn: user, accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY, permissions: [ANYTHING] }],
      roles: [{ arn: ROLE, trusts: [user], maxSessionDuration: 43_200_000, permissions: [ANYTHING] }],
    });
    ecr.on('issued', () => exchanges++);
    server = await serve(ecr, { port: 0 });
    await world.setCredentials('aws', { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY });
    const host = new URL(server.url).host;
    await world.createAccount('ecr', {
      ecr: { registryId: REGISTRY_ID, roleArn: ROLE, stsEndpoint: server.url },
      credentialsSecretRef: { name: 'aws' },
      regions: [{ name: 'eu-central-1', host, endpoint: server.url }],
      verify: 'Always',
    });
    namespace = await world.createNamespace();
    world.startOperator({ sweep: 'revoke', sweepInterval: 1_000, sweepDelay: 100 });
  });
  after(async () => {
    for (const value of ecr.values()) registerSecret(value);
    await world.close();
    await server.close();
  });

  const create = (scope: string[] = []): Promise<ObjectName> =>
    world.createToken(namespace, { accountRef: { name: 'ecr' }, ...(scope.length > 0 && { scope }) });
  const passwordOf = async (name: ObjectName): Promise<string | undefined> => {
    const payload = Buffer.from((await world.secret(name)).data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    const { auths } = JSON.parse(payload) as { auths: Record<string, { password?: string }> };
    return Object.values(auths)[0]?.password;
  };
  const forgetsNothing = (status: RegistryTokenStatus | undefined): void => {
    expect(status).to.not.have.any.keys('mintIntent', 'previousTokens', 'mintTimes', 'lostIntents');
    expect(status?.token).to.include({ revocable: false });
  };

  it('gives a token that status says nobody can revoke, and records no request', async () => {
    const name = await create(['team/app']);
    const { status } = await world.whenReady(name);
    forgetsNothing(status);
    expect(status?.token?.scope).to.deep.equal(['team/app']);
    expect(status?.token?.expiresAt).to.be.a('string');
    expect(status?.nextRotationTime).to.be.a('string');
    expect(ecr.values()).to.include(await passwordOf(name));
    expect((await world.account('ecr')).status?.provider).to.deep.equal({
      name: 'ecr',
      identity: REGISTRY_ID,
    });
  });

  it('one exchange serves all that ask for the same', async () => {
    const before = exchanges;
    const names = await Promise.all([
      create(['team/shared']),
      create(['team/shared']),
      create(['team/shared']),
    ]);
    const passwords = new Set<string | undefined>();
    for (const name of names) {
      await world.whenReady(name);
      passwords.add(await passwordOf(name));
    }
    expect([exchanges - before, passwords.size]).to.deep.equal([1, 1]);
  });

  it('a rotation that is asked for a moment after the exchange waits, and says until when', async () => {
    const name = await create(['team/rotated']);
    await world.whenReady(name);
    await world.patchToken(name, { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } });
    const status = await world.eventually('the rotation waits', async () => {
      const { status: seen } = await world.token(name);
      const waits = seen?.conditions?.some(({ message }) => message.includes('exchanged a moment ago'));
      return waits ? { value: seen } : { seen: JSON.stringify(seen) };
    });
    forgetsNothing(status);
    expect(status).to.not.have.property('lastHandledRotate');
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    await world.deleteToken(name);
  });

  it('another scope is another token', async () => {
    const name = await create(['team/one']);
    const { status } = await world.whenReady(name);
    const before = await passwordOf(name);
    await world.patchToken(name, { spec: { scope: ['team/two'] } });
    const changed = await world.eventually('there is a token for the other scope', async () => {
      const { status: seen } = await world.token(name);
      return seen?.token?.scope?.[0] === 'team/two' ? { value: seen } : { seen: JSON.stringify(seen) };
    });
    forgetsNothing(changed);
    expect(changed.token?.specHash).to.not.equal(status?.token?.specHash);
    expect(await passwordOf(name)).to.not.equal(before);
  });

  it('a Secret that was deleted comes back with what is known, and without an exchange', async () => {
    const name = await create(['team/repaired']);
    await world.whenReady(name);
    const [before, password] = [exchanges, await passwordOf(name)];
    await world.client.delete(SECRETS, name);
    await world.eventually('the Secret is there', async () =>
      (await world.exists(world.secret(name))) ? { value: true } : { seen: 'none' },
    );
    expect([exchanges, await passwordOf(name)]).to.deep.equal([before, password]);
  });

  it('deletion is immediate, and takes the Secret along', async () => {
    const name = await create(['team/gone']);
    const { metadata } = await world.whenReady(name);
    expect(metadata.finalizers).to.include(FINALIZER);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(await world.exists(world.secret(name))).to.equal(false);
  });

  it('a restart exchanges nothing, and the sweep finds nothing that it misses', async () => {
    const name = await create(['team/kept']);
    const { metadata } = await world.whenReady(name);
    const before = exchanges;
    await world.stopOperator();
    world.startOperator({ sweep: 'revoke', sweepInterval: 200, sweepDelay: 100 });
    const again = await create(['team/later']);
    await world.whenReady(again);
    expect(exchanges - before).to.equal(1);
    expect((await world.token(name)).metadata.resourceVersion).to.equal(metadata.resourceVersion);
  });
});
