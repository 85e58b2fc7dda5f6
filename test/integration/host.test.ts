import { expect } from 'chai';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { REGISTRY_ACCOUNTS } from '../../src/controller/resources.ts';
import { registerSecret } from '../support/secrecy.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { API_KEY, type World } from '../support/world.ts';

describe('the host of a region changes', () => {
  let world: World;
  let namespace: string;
  const service = new TokenService({
    clock: systemClock,
    apiKeys: [{ key: API_KEY, accountId: 'account-1' }],
    host: 'moved.test',
  });
  let other: Server;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
    other = await serve(service, { port: 0 });
  });
  after(async () => {
    for (const value of service.values()) registerSecret(value);
    await other.close();
  });

  const hosts = async (name: ObjectName): Promise<string> => {
    const { data } = await world.secret(name);
    const payload = Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    return Object.keys((JSON.parse(payload) as { auths: object }).auths).join();
  };
  async function moved(endpoint: string): Promise<{ name: ObjectName; before: RegistryToken }> {
    const account = world.uniqueName('account');
    await world.createAccount(account);
    const name = await world.createToken(namespace, { accountRef: { name: account } });
    const before = await world.whenReady(name);
    await world.client.mergePatch(
      REGISTRY_ACCOUNTS,
      { name: account },
      { spec: { regions: [{ name: 'us-south', host: 'moved.test', endpoint }] } },
    );
    await world.eventually('the Secret has the new host', async () => {
      const found = await hosts(name);
      return found === 'moved.test' ? { value: true } : { seen: found };
    });
    return { name, before };
  }

  it('and the registry knows the token: the Secret gets the host, and nothing is created', async () => {
    const { name, before } = await moved(world.serviceUrl);
    // The Secret is written before the status.
    const status = await world.eventually('the status names the new host', async () => {
      const { status: seen } = await world.whenReady(name);
      return seen?.host === 'moved.test' ? { value: seen } : { seen: String(seen?.host) };
    });
    expect(status.token).to.deep.equal(before.status?.token);
  });

  it('and it is another registry, which does not know the token: it creates one there', async () => {
    const { name } = await moved(other.url);
    // The Secret is written before the status.
    const status = await world.eventually('the status names the new token', async () => {
      const { status: seen } = await world.whenReady(name);
      return seen?.token?.revision === 2 ? { value: seen } : { seen: 'the former token' };
    });
    expect(service.tokens().map(({ id }) => id)).to.deep.equal([status.token?.id]);
  });
});
