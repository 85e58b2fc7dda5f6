import { expect } from 'chai';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { refusal } from '../../src/kube/client/errors.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { sharedWorld } from '../support/shared-world.ts';
import type { SecretObject, World } from '../support/world.ts';

describe('the write of a Secret', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });
  afterEach(() => {
    world.intercept = undefined;
  });

  describe('is changed on its way into the cluster', () => {
    const EMPTY = Buffer.from('{"auths":{}}').toString('base64');
    let writes = 0;
    /** As a mutating webhook would. */
    const mutate = (name: string): void => {
      writes = 0;
      world.intercept = (call, pass) => {
        const body = call.body as { kind?: string; metadata?: { name?: string } } | undefined;
        if (call.method !== 'PATCH' || body?.kind !== 'Secret' || body.metadata?.name !== name) return pass();
        writes++;
        const altered = { ...body, data: { '.dockerconfigjson': EMPTY } };
        return world.client.apply(SECRETS, altered as unknown as Manifest, { force: true });
      };
    };
    it('at first: says so, tries again ever more rarely with one and the same token, and is well when that ends', async () => {
      const { issued } = world;
      const name = { namespace, name: world.uniqueName('mutated') };
      mutate(name.name);
      await world.createToken(namespace, {}, name.name);
      const { status } = await world.whenReady(name, {
        status: 'False',
        reason: 'SecretContested',
      });
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready?.message).to.include('was changed on its way into the cluster, by a webhook?');
      await sleep(systemClock, 1_500);
      expect(writes).to.equal(1);
      expect(world.issued - issued).to.be.at.most(1);
      world.intercept = undefined;
      await world.patchToken(name, { spec: { description: 'try again' } });
      const { status: after } = await world.whenReady(name);
      const { annotations } = (await world.secret(name)).metadata;
      expect(annotations?.['pullsecrets.dev/token-id']).to.equal(after?.token?.id);
      expect(world.issued - issued).to.be.at.most(1);
    });

    it('later, by a repair: is not Ready any more', async () => {
      const { issued } = world;
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      mutate(name.name);
      await world.patchToken(name, { spec: { secret: { labels: { tier: 'web' } } } });
      await world.whenReady(name, { status: 'False', reason: 'SecretContested' });
      await sleep(systemClock, 1_500);
      expect(writes).to.equal(1);
      expect(world.issued - issued).to.be.at.most(1);
    });
  });

  describe('is refused', () => {
    for (const [who, code, message, told] of [
      [
        'a quota',
        403,
        'secrets "x" is forbidden: exceeded quota: objects, requested: count/secrets=1, used: count/secrets=3, limited: count/secrets=3',
        'exceeded quota: objects, requested: count/secrets=1, used: count/secrets=3, limited: count/secrets=3',
      ],
      [
        'a webhook',
        400,
        'admission webhook "guard.test" denied the request: Secrets need an owner label, not DATA',
        'admission webhook "guard.test" denied the request: Secrets need an owner label, not [redacted]',
      ],
      [
        'a policy',
        422,
        "secrets \"x\" is forbidden: ValidatingAdmissionPolicy 'guard.test' with binding 'all' denied request: no DATA here",
        "ValidatingAdmissionPolicy 'guard.test' with binding 'all' denied request: no [redacted] here",
      ],
    ] as const)
      it(`by ${who}: the condition says why, without what is in it`, async () => {
        const name = { namespace, name: world.uniqueName('refused') };
        world.intercept = (call, pass) => {
          const body = call.body as SecretObject | undefined;
          if (call.method !== 'PATCH' || body?.kind !== 'Secret' || body.metadata.name !== name.name)
            return pass();
          const data = Object.values(body.data ?? {}).join();
          const status = { kind: 'Status', reason: 'Forbidden', message: message.replace('DATA', data) };
          return Promise.reject(refusal(call, code, status));
        };
        await world.createToken(namespace, {}, name.name);
        const { status } = await world.whenReady(name, { status: 'False', reason: 'SecretNotWritten' });
        expect(status?.conditions?.[0]?.message).to.include(told);
      });
  });
});
