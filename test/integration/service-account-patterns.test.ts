import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { PullSecret, ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { sharedWorld } from '../support/shared-world.ts';
import type { World } from '../support/world.ts';

describe('ServiceAccounts by pattern', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
  });

  const createAccounts = async (...names: string[]): Promise<void> => {
    for (const name of names) await createAccount(name);
  };
  const createAccount = (name: string, imagePullSecrets?: PullSecret[]): Promise<ServiceAccount> =>
    world.createServiceAccount({ namespace, name }, imagePullSecrets);
  const accounts = (): Promise<ServiceAccount[]> =>
    world.client.listAll<ServiceAccount>(SERVICE_ACCOUNTS, { namespace });
  /** Waits until each ServiceAccount has these pull secrets, and no other has any. */
  const whenHave = (expected: Record<string, string[]>): Promise<ServiceAccount[]> =>
    world.eventually(`ServiceAccounts have ${JSON.stringify(expected)}`, async () => {
      const found = await accounts();
      const seen = Object.fromEntries(
        found
          .filter(({ imagePullSecrets }) => imagePullSecrets?.length)
          .map(({ metadata, imagePullSecrets = [] }) => [
            metadata.name,
            imagePullSecrets.map(({ name }) => name),
          ])
          .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      ) as Record<string, string[]>;
      return JSON.stringify(seen) === JSON.stringify(expected)
        ? { value: found }
        : { seen: JSON.stringify(seen) };
    });
  const whenStatusHas = (name: ObjectName, ...entries: string[]): Promise<string> =>
    world.eventually(`the status has ${entries.join(', ')}`, async () => {
      const { metadata, status } = await world.token(name);
      return status?.serviceAccounts?.join() === entries.join()
        ? { value: metadata.resourceVersion }
        : { seen: JSON.stringify(status?.serviceAccounts) };
    });

  it('* is all of the namespace: those that come later have the Secret too, and all lose it with the RegistryToken', async () => {
    await createAccount('a');
    await createAccount('equipped', [{ name: 'others' }]);
    const name = await world.createToken(namespace, { serviceAccounts: ['*'] });
    const { name: app } = name;
    await whenHave({ a: [app], equipped: ['others', app] });
    await createAccounts('later', 'latest');
    await whenHave({ a: [app], equipped: ['others', app], later: [app], latest: [app] });
    await whenStatusHas(name, '*');
    await world.deleteToken(name);
    await world.whenGone(name);
    const left = await whenHave({ equipped: ['others'] });
    expect(left.map(({ metadata }) => metadata.annotations ?? {})).to.deep.equal([{}, {}, {}, {}]);
  });

  it('that no longer stands for one: that one loses the Secret, also when no operator ran meanwhile', async () => {
    await createAccounts('app', 'ci-1', 'ci-2');
    const name = await world.createToken(namespace, { serviceAccounts: ['*'] });
    const { name: app } = name;
    await whenHave({ app: [app], 'ci-1': [app], 'ci-2': [app] });
    await world.stopOperator();
    await world.patchToken(name, { spec: { serviceAccounts: ['ci-*'] } });
    world.startOperator();
    await whenHave({ 'ci-1': [app], 'ci-2': [app] });
    await whenStatusHas(name, 'ci-*');
    await world.patchToken(name, { spec: { serviceAccounts: ['app', 'ci-2'] } });
    await whenHave({ app: [app], 'ci-2': [app] });
    await whenStatusHas(name, 'app', 'ci-2');
  });

  it('when the Secret gets another name: all have that instead', async () => {
    await createAccounts('a', 'b');
    const name = await world.createToken(namespace, { serviceAccounts: ['*'] });
    await whenHave({ a: [name.name], b: [name.name] });
    await world.patchToken(name, { spec: { secret: { name: 'renamed' } } });
    await whenHave({ a: ['renamed'], b: ['renamed'] });
  });

  it('that a RegistryToken which is gone had: lose its Secret when the operator starts again, though no other names any', async () => {
    await createAccounts('a', 'b');
    const name = await world.createToken(namespace, { serviceAccounts: ['*'] });
    await whenHave({ a: [name.name], b: [name.name] });
    await world.stopOperator();
    await world.patchToken(name, { metadata: { finalizers: null } });
    await world.deleteToken(name);
    // Where there is a garbage collector it may have been faster.
    await world.client.delete(SECRETS, name).catch(() => undefined);
    world.startOperator();
    await whenHave({});
  });

  it('a restart changes nothing', async () => {
    await createAccounts('a', 'b');
    const name = await world.createToken(namespace, { serviceAccounts: ['*'] });
    const before = await whenHave({ a: [name.name], b: [name.name] });
    const version = await whenStatusHas(name, '*');
    await world.stopOperator();
    const begun = world.log.length;
    world.startOperator();
    await world.eventually('it works', () => {
      const works = world.log.slice(begun).some(({ msg }) => msg === 'working');
      return Promise.resolve(works ? { value: true } : { seen: 'it starts' });
    });
    await sleep(clock, 500);
    const versions = (list: ServiceAccount[]): string[] =>
      list.map(({ metadata }) => metadata.resourceVersion);
    expect(versions(await accounts())).to.deep.equal(versions(before));
    expect((await world.token(name)).metadata.resourceVersion).to.equal(version);
  });
});
