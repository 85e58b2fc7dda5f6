import { expect } from 'chai';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import type { FakeRegistry } from '../../sandbox/registries/shared/fake-registry.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { registerSecret } from '../support/secrecy.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { CAPABILITIES, HAS_ENDPOINTS, prepareRegistry, REGION, where } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

/** Where nothing listens. */
const DEAD = { host: '127.0.0.1:1', url: 'http://127.0.0.1:1' };

/** Whether an account can be led to another API, with tokens that have to be revoked where they were issued. */
const MOVES = HAS_ENDPOINTS && CAPABILITIES.revoke;

/** A registry as an account names it. */
interface Address {
  host: string;
  /** Of its APIs. */
  url: string;
}

describe('an administrator edits where the registry of an account is', () => {
  let world: World;
  let namespace: string;
  /** Another registry, whose credentials are good at the first as well. */
  const { fake: service } = prepareRegistry();
  let server: Server;
  /** Another way to the first. */
  let proxy: TcpProxy;
  let here: Address;
  let other: Address;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
    server = await serve(service, { port: 0 });
    proxy = await TcpProxy.start(world.registryUrl);
    here = { host: world.registryHost, url: world.registryUrl };
    other = { host: new URL(server.url).host, url: server.url };
  });
  after(async () => {
    for (const value of service.values()) registerSecret(value);
    await Promise.all([server.close(), proxy.close()]);
  });

  interface Scene {
    account: string;
    name: ObjectName;
    before: RegistryToken;
  }

  /** A RegistryToken, ready, of an account of its own. */
  async function aScene(verify: 'Always' | 'Never', spec: RegistryTokenSpec = {}): Promise<Scene> {
    const account = world.uniqueName('edited');
    await world.createAccount(account, { verify, ...world.registryAt(here) });
    const rotation = { gracePeriod: '0s' };
    const name = await world.createToken(namespace, { accountRef: { name: account }, rotation, ...spec });
    return { account, name, before: await world.whenReady(name) };
  }
  const edit = async ({ account }: Scene, spec: object): Promise<void> => {
    await world.client.mergePatch(REGISTRY_ACCOUNTS, { name: account }, { spec });
  };
  const lead = (scene: Scene, to: Address): Promise<void> => {
    const { regions, ...block } = world.registryAt(to);
    return edit(scene, HAS_ENDPOINTS ? { regions } : { regions, ...block });
  };

  async function auths(name: ObjectName): Promise<string> {
    const { data } = await world.secret(name);
    const payload = Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    return Object.keys((JSON.parse(payload) as { auths: object }).auths).join();
  }
  const whenStatus = (
    { name }: Scene,
    what: string,
    is: (status: NonNullable<RegistryToken['status']>) => boolean,
  ): Promise<NonNullable<RegistryToken['status']>> =>
    world.eventually(what, async () => {
      const { status = {} } = await world.token(name);
      return is(status) ? { value: status } : { seen: JSON.stringify(status) };
    });
  const whenTold = (scene: Scene, host: string): ReturnType<typeof whenStatus> =>
    whenStatus(scene, `it says that it waits for ${host}`, ({ pendingHost }) => pendingHost?.host === host);
  const readyOf = ({ conditions }: NonNullable<RegistryToken['status']>) =>
    findCondition(conditions, 'Ready');
  const alive = (of: FakeRegistry, id: string | undefined): boolean =>
    of.tokens().some((token) => token.id === id);

  for (const verify of ['Always', 'Never'] as const) {
    describe(`with verification ${verify}`, () => {
      const hosts: [what: string, host: () => string, message: RegExp][] = [
        ['where nothing listens', () => DEAD.host, /127\.0\.0\.1:1 could not be asked/],
        [
          'of another registry, which does not know the token',
          () => other.host,
          /answered 40[01]|gave a bearer/,
        ],
      ];
      for (const [what, host, message] of hosts)
        it(`the host is one ${what}: the Secret keeps the one it has, and the RegistryToken says so`, async () => {
          const scene = await aScene(verify);
          const secret = await world.secret(scene.name);
          await lead(scene, { ...here, host: host() });
          const status = await whenTold(scene, host());
          expect(status.host).to.equal(here.host);
          expect(status.token).to.deep.equal(scene.before.status?.token);
          expect(readyOf(status)).to.include({ status: 'True' });
          expect(readyOf(status)?.message).to.match(message).and.include(`for ${here.host}`);
          expect((await world.secret(scene.name)).metadata.resourceVersion).to.equal(
            secret.metadata.resourceVersion,
          );
          const reasons = await world.eventually('an event says so', async () => {
            const seen = await world.eventReasons(scene.name);
            return seen.includes('HostNotAccepted') ? { value: seen } : { seen: seen.join() };
          });
          expect(reasons.filter((reason) => reason === 'HostNotAccepted')).to.have.length(1);

          await lead(scene, here);
          const after = await whenStatus(scene, 'it waits no more', ({ pendingHost }) => !pendingHost);
          expect(after.host).to.equal(here.host);
          expect(findCondition(after.conditions, 'Reconciling')).to.equal(undefined);
        });

      it('the host is another name of the registry: the Secret gets it, and nothing is issued', async () => {
        const scene = await aScene(verify);
        const host = new URL(proxy.through(world.registryUrl)).host;
        await lead(scene, { ...here, host });
        const status = await whenStatus(scene, 'the host is in force', (seen) => seen.host === host);
        expect(await auths(scene.name)).to.equal(host);
        expect(status.token).to.deep.equal(scene.before.status?.token);
      });

      where(HAS_ENDPOINTS).it('host and endpoint are mistyped: nothing happens to the Secret', async () => {
        const scene = await aScene(verify);
        await lead(scene, DEAD);
        const status = await whenStatus(
          scene,
          'it can not issue there',
          (seen) => (seen.failedAttempts ?? 0) > 0,
        );
        expect(readyOf(status)).to.include({ status: 'True' });
        expect(status.host).to.equal(here.host);
        expect(await auths(scene.name)).to.equal(here.host);
        await lead(scene, here);
        const after = await whenStatus(scene, 'all is well', (seen) => !seen.failedAttempts);
        expect(after.token).to.deep.equal(scene.before.status?.token);
        expect(after).to.not.have.property('mintIntent');
      });

      where(MOVES).it(
        'the endpoint is another registry’s, and its host is dead: the Secret waits with the token it has',
        async () => {
          const scene = await aScene(verify);
          await lead(scene, { host: DEAD.host, url: other.url });
          const status = await whenTold(scene, DEAD.host);
          expect(status.token).to.deep.equal(scene.before.status?.token);
          expect(readyOf(status)).to.include({ status: 'True' });
          expect(await auths(scene.name)).to.equal(here.host);
          expect(alive(world.registry, status.token?.id)).to.equal(true);
          await lead(scene, other);
          const after = await whenStatus(scene, 'it is there', (seen) => seen.host === other.host);
          expect(alive(service, after.token?.id)).to.equal(true);
          expect(await auths(scene.name)).to.equal(other.host);
        },
      );
    });
  }

  it('the host is dead: the account says so, and an event of it', async () => {
    const scene = await aScene('Always');
    await lead(scene, { ...here, host: DEAD.host });
    const ready = await world.eventually('the account says so', async () => {
      const account = await world.account(scene.account);
      const said = findCondition(account.status?.conditions, 'Ready');
      return said?.message.includes(DEAD.host) ? { value: said } : { seen: String(said?.message) };
    });
    expect(ready.status).to.equal('True');
    expect(ready.message).to.include('1 RegistryToken keeps the host in the Secret');
    if (!world.keepsAccountEvents) return;
    await world.eventually('an event says so', async () => {
      const seen = await world.eventReasons({ name: scene.account });
      return seen.includes('HostNotAccepted') ? { value: true } : { seen: seen.join() };
    });
  });

  it('extra hosts come and go beside the host in force', async () => {
    const scene = await aScene('Always');
    await lead(scene, { ...here, host: DEAD.host });
    await whenTold(scene, DEAD.host);
    await world.patchToken(scene.name, { spec: { secret: { extraHosts: ['mirror.test'] } } });
    await world.eventually('the Secret has the extra host', async () => {
      const seen = await auths(scene.name);
      return seen === `${here.host},mirror.test` ? { value: true } : { seen };
    });
  });

  it('a Secret that is deleted meanwhile comes back with the host that is good', async () => {
    const scene = await aScene('Always');
    await lead(scene, { ...here, host: DEAD.host });
    await whenTold(scene, DEAD.host);
    await world.client.delete(SECRETS, scene.name);
    await world.eventually('the Secret is back', async () =>
      (await world.exists(world.secret(scene.name))) ? { value: true } : { seen: 'none' },
    );
    expect(await auths(scene.name)).to.equal(here.host);
  });

  it('a rotation meanwhile puts the new token beside the host that is good', async () => {
    const scene = await aScene('Always');
    await lead(scene, { ...here, host: DEAD.host });
    await whenTold(scene, DEAD.host);
    await world.patchToken(scene.name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
    const status = await whenStatus(scene, 'it is rotated', (seen) => seen.lastHandledRotate === 'now');
    expect(status.token?.revision).to.equal(2);
    expect(status.host).to.equal(here.host);
    expect(await auths(scene.name)).to.equal(here.host);
  });

  where(MOVES).describe('to another registry', () => {
    async function moved(spec: RegistryTokenSpec = {}) {
      const scene = await aScene('Always', spec);
      const uid = (await world.secret(scene.name)).metadata.uid;
      await lead(scene, other);
      const status = await whenStatus(scene, 'it has a token there', (seen) => seen.host === other.host);
      expect((await world.secret(scene.name)).metadata.uid).to.equal(uid);
      return { scene, id: scene.before.status?.token?.id, status };
    }
    const pending = (scene: Scene) =>
      whenStatus(scene, 'its revocation is pending', ({ conditions }) =>
        Boolean(findCondition(conditions, 'RevocationPending')?.message.includes('was issued at')),
      );

    it('a token is issued there, and the one before is not called revoked by what that registry says', async () => {
      const { scene, id, status } = await moved();
      expect(status.token).to.deep.include({
        place: { ...scene.before.status?.token?.place, endpoint: other.url },
      });
      const { previousTokens, conditions } = await pending(scene);
      expect(previousTokens?.[0]).to.deep.include({
        id,
        place: scene.before.status?.token?.place,
      });
      expect(findCondition(conditions, 'RevocationPending')?.message)
        .to.include(here.url)
        .and.include('spec.abandonedEndpoints');
      expect(alive(world.registry, id)).to.equal(true);
    });

    it('it is revoked where it was issued once a region leads there, whatever that is called', async () => {
      const { scene, id } = await moved();
      await pending(scene);
      const regions = [other, here].map(({ host, url }, at) => ({
        name: [REGION, 'before'][at],
        host,
        endpoint: url,
      }));
      await edit(scene, { regions });
      await whenStatus(scene, 'nothing is left to revoke', ({ previousTokens }) => !previousTokens);
      expect(alive(world.registry, id)).to.equal(false);
    });

    it('and back again: a token is issued here once more, and the one there is left to be revoked there', async () => {
      const { scene, status } = await moved();
      await lead(scene, here);
      const back = await whenStatus(scene, 'it is back', (seen) => seen.host === here.host);
      expect(alive(world.registry, back.token?.id)).to.equal(true);
      expect(alive(service, status.token?.id)).to.equal(true);
    });

    it('it is given up where its endpoint is said to be gone for good', async () => {
      const { scene, id } = await moved({ lifetime: 'Never' });
      await pending(scene);
      await edit(scene, { abandonedEndpoints: [`${here.url}/`] });
      await whenStatus(scene, 'it is struck off', ({ previousTokens }) => !previousTokens);
      expect(await world.eventReasons(scene.name)).to.include('TokenGivenUp');
      expect(alive(world.registry, id)).to.equal(true);
    });

    it('a RegistryToken that is deleted leaves it, and says so', async () => {
      const { scene, id } = await moved();
      await pending(scene);
      await world.deleteToken(scene.name);
      await world.whenGone(scene.name);
      expect(alive(world.registry, id)).to.equal(true);
    });
  });
});
