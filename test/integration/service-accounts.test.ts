import { expect } from 'chai';
import { LINKS_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import type { PullSecret, ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { CAPABILITIES } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

describe('the ServiceAccounts of a RegistryToken', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
  });
  afterEach(() => {
    world.intercept = undefined;
  });

  const createAccount = (name: string, imagePullSecrets?: PullSecret[]): Promise<ServiceAccount> =>
    world.createServiceAccount({ namespace, name }, imagePullSecrets);
  const account = (name: string): Promise<ServiceAccount> =>
    world.client.get<ServiceAccount>(SERVICE_ACCOUNTS, { namespace, name });
  const namesOf = ({ imagePullSecrets = [] }: ServiceAccount): (string | undefined)[] =>
    imagePullSecrets.map(({ name }) => name);
  const whenHas = (name: string, ...expected: string[]): Promise<ServiceAccount> =>
    world.eventually(`ServiceAccount ${name} has ${expected.join(', ')}`, async () => {
      const found = await account(name);
      return namesOf(found).join() === expected.join()
        ? { value: found }
        : { seen: JSON.stringify(found.imagePullSecrets ?? []) };
    });
  const whenSays = (name: ObjectName, words: RegExp | undefined): Promise<RegistryToken> =>
    world.eventually(
      `Ready of ${name.name} says ${words?.source ?? 'nothing of ServiceAccounts'}`,
      async () => {
        const token = await world.token(name);
        const ready = token.status?.conditions?.find(({ type }) => type === 'Ready');
        const told = ready?.status === 'True' ? ready.message : '';
        const matches = words ? words.test(told) : told !== '' && !told.includes('ServiceAccount');
        return matches ? { value: token } : { seen: JSON.stringify(ready) };
      },
    );

  it('get its Secret beside what they have, and lose it when the RegistryToken goes', async () => {
    await createAccount('plain');
    await createAccount('equipped', [{ name: 'others' }]);
    const name = await world.createToken(namespace, { serviceAccounts: ['plain', 'equipped'] });
    await whenHas('plain', name.name);
    await whenHas('equipped', 'others', name.name);
    expect((await world.token(name)).status?.serviceAccounts).to.deep.equal(['plain', 'equipped']);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(namesOf(await account('plain'))).to.deep.equal([]);
    expect(namesOf(await account('equipped'))).to.deep.equal(['others']);
    expect((await account('plain')).metadata.annotations ?? {}).to.deep.equal({});
  });

  it('created later: get it when they appear, and again when they are made anew; until then Ready says what is missing', async () => {
    const name = await world.createToken(namespace, { serviceAccounts: ['late'] });
    await whenSays(name, /waits for ServiceAccount late to be created/);
    await createAccount('late');
    const first = await whenHas('late', name.name);
    await whenSays(name, undefined);
    await world.client.delete(SERVICE_ACCOUNTS, { namespace, name: 'late' });
    await whenSays(name, /waits for ServiceAccount late/);
    await createAccount('late', [{ name: 'others' }]);
    const second = await whenHas('late', 'others', name.name);
    expect(second.metadata.uid).to.not.equal(first.metadata.uid);
  });

  it('no longer named: lose it, and the status forgets them', async () => {
    await createAccount('a');
    await createAccount('b');
    const name = await world.createToken(namespace, { serviceAccounts: ['a', 'b'] });
    await whenHas('a', name.name);
    await whenHas('b', name.name);
    await world.patchToken(name, { spec: { serviceAccounts: ['b'] } });
    await whenHas('a');
    await world.eventually('the status forgets a', async () => {
      const { status } = await world.token(name);
      return status?.serviceAccounts?.join() === 'b' ? { value: true } : { seen: JSON.stringify(status) };
    });
    expect(namesOf(await account('b'))).to.deep.equal([name.name]);
  });

  it('no longer named while no operator ran: lose it when one runs again', async () => {
    await createAccount('a');
    const name = await world.createToken(namespace, { serviceAccounts: ['a'] });
    await whenHas('a', name.name);
    await world.stopOperator();
    await world.patchToken(name, { spec: { serviceAccounts: [] } });
    world.startOperator();
    await whenHas('a');
  });

  it('that had the same entry before: keep it for ever', async () => {
    const name = { namespace, name: world.uniqueName('app') };
    const before = await createAccount('own', [{ name: name.name }]);
    await world.createToken(namespace, { serviceAccounts: ['own'] }, name.name);
    await world.whenReady(name);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect((await account('own')).metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
  });

  it('when the Secret gets another name: have that instead, and the old Secret stays until they have', async () => {
    await createAccount('a', [{ name: 'others' }]);
    const name = await world.createToken(namespace, { serviceAccounts: ['a'] });
    await whenHas('a', 'others', name.name);
    const { embedded } = world.apiServer;
    const match = { method: 'PATCH', path: new RegExp(`/namespaces/${namespace}/serviceaccounts/`) };
    embedded?.faults.add({ kind: 'status', code: 500, match, times: 6 });
    await world.patchToken(name, { spec: { secret: { name: 'renamed' } } });
    const names = await world.eventually('the old Secret is gone', async () => {
      if (await world.exists(world.secret(name))) return { seen: 'it is there' };
      return { value: namesOf(await account('a')) };
    });
    expect(names).to.deep.equal(['others', 'renamed']);
  });

  it('when the Secret gets another name while a policy protects them: keep the old one, which is gone', async function () {
    const { embedded } = world.apiServer;
    if (!embedded) this.skip();
    await createAccount('a');
    const name = await world.createToken(namespace, { serviceAccounts: ['a'] });
    await whenHas('a', name.name);
    const match = { method: 'PATCH', path: new RegExp(`/namespaces/${namespace}/serviceaccounts/`) };
    const allow = embedded.faults.add({ kind: 'status', code: 403, match });
    await world.patchToken(name, { spec: { secret: { name: 'renamed' } } });
    await whenSays(name, /ServiceAccount a could not be changed/);
    await world.eventually('the old Secret is gone', async () =>
      (await world.exists(world.secret(name))) ? { seen: 'it is there' } : { value: true },
    );
    expect(namesOf(await account('a'))).to.deep.equal([name.name]);
    allow();
  });

  it('made from a copy of one that has it: keep what was copied, which is their own', async () => {
    await createAccount('a');
    const name = await world.createToken(namespace, { serviceAccounts: ['a'] });
    const { metadata, imagePullSecrets } = await whenHas('a', name.name);
    const elsewhere = { name: 'copy', namespace: await world.createNamespace() };
    const copy = await world.client.create<ServiceAccount>(SERVICE_ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...elsewhere, annotations: metadata.annotations },
      imagePullSecrets,
    } as Manifest);
    expect(copy.metadata.annotations).to.have.property(LINKS_ANNOTATION);
    const other = await world.createToken(elsewhere.namespace, { serviceAccounts: ['copy'] });
    await world.eventually('the copy has another Secret too', async () => {
      const names = namesOf(await world.client.get<ServiceAccount>(SERVICE_ACCOUNTS, elsewhere));
      return names.join() === `${name.name},${other.name}` ? { value: true } : { seen: names.join() };
    });
  });

  it('named by two RegistryTokens: have both Secrets, and lose each with its own', async () => {
    await createAccount('a');
    const one = await world.createToken(namespace, { serviceAccounts: ['a'] }, 'one');
    await whenHas('a', 'one');
    const two = await world.createToken(namespace, { serviceAccounts: ['a'] }, 'two');
    await whenHas('a', 'one', 'two');
    await world.deleteToken(one);
    await whenHas('a', 'two');
    await world.deleteToken(two);
    await whenHas('a');
  });

  it('while suspended: are left alone, and still released on deletion', async () => {
    await createAccount('a');
    const name = await world.createToken(namespace, { serviceAccounts: ['a'] });
    await whenHas('a', name.name);
    await world.patchToken(name, { spec: { suspend: true, serviceAccounts: [] } });
    await world.whenReady(name, { reason: 'Suspended' });
    expect(namesOf(await account('a'))).to.deep.equal([name.name]);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(namesOf(await account('a'))).to.deep.equal([]);
  });

  it('when the Secret outlives the RegistryToken: keep the entry, as their own', async () => {
    await createAccount('a');
    const name = await world.createToken(namespace, {
      serviceAccounts: ['a'],
      deletionPolicy: 'Retain',
    });
    await whenHas('a', name.name);
    await world.deleteToken(name);
    await world.whenGone(name);
    const left = await account('a');
    expect(namesOf(left)).to.deep.equal([name.name]);
    expect(left.metadata.annotations ?? {}).to.not.have.property(LINKS_ANNOTATION);
  });

  for (const [deletionPolicy, ...left] of [['Delete'], ['Retain', 'app']] as const)
    it(`that can't be changed: hold neither its tokens nor, for long, its deletion; put right afterwards with ${deletionPolicy}`, async function () {
      const { embedded } = world.apiServer;
      if (!embedded) this.skip();
      await createAccount('a');
      const name = await world.createToken(namespace, { serviceAccounts: ['a'], deletionPolicy }, 'app');
      await whenHas('a', 'app');
      const { metadata } = await world.whenReady(name);
      const match = { method: 'PATCH', path: new RegExp(`/namespaces/${namespace}/serviceaccounts/`) };
      const mend = embedded.faults.add({ kind: 'status', code: 500, match });
      await world.deleteToken(name);
      await world.whenGone(name);
      expect(await world.exists(world.secret(name))).to.equal(deletionPolicy === 'Retain');
      if (CAPABILITIES.issue === 'minted')
        expect(world.tokensOf(metadata.uid)).to.have.length(deletionPolicy === 'Retain' ? 1 : 0);
      expect(await world.eventReasons(name)).to.include('ReleaseFailed');
      expect(namesOf(await account('a'))).to.deep.equal(['app']);
      mend();
      const released = await world.eventually('the ServiceAccount is released', async () => {
        const found = await account('a');
        return found.metadata.annotations?.[LINKS_ANNOTATION] === undefined
          ? { value: found }
          : { seen: JSON.stringify(found.metadata.annotations) };
      });
      expect(namesOf(released)).to.deep.equal(left);
    });

  it('that are gone: do not hold its deletion', async () => {
    await createAccount('a');
    const name = await world.createToken(namespace, { serviceAccounts: ['a', 'never'] });
    await whenHas('a', name.name);
    await world.client.delete(SERVICE_ACCOUNTS, { namespace, name: 'a' });
    await world.deleteToken(name);
    await world.whenGone(name);
  });

  it('a restart changes nothing', async () => {
    await createAccount('a');
    const name = await world.createToken(namespace, { serviceAccounts: ['a', 'missing'] });
    await whenHas('a', name.name);
    const { metadata } = await whenSays(name, /waits for ServiceAccount missing/);
    const before = await account('a');
    await world.stopOperator();
    const begun = world.log.length;
    world.startOperator();
    await world.eventually('it works', () => {
      const works = world.log.slice(begun).some(({ msg }) => msg === 'working');
      return Promise.resolve(works ? { value: true } : { seen: 'it starts' });
    });
    await sleep(clock, 500);
    expect((await account('a')).metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
    expect((await world.token(name)).metadata.resourceVersion).to.equal(metadata.resourceVersion);
  });

  it('written by somebody else ten times a second, and between the reading and the writing of the operator: nothing of either is lost', async () => {
    const serviceAccount = { namespace, name: 'busy' };
    await createAccount('busy');
    let writes = 0;
    // As a program does that reads, adds its entry and replaces the object: what it does not know of it keeps.
    const add = async (): Promise<void> => {
      const { imagePullSecrets = [], metadata } = await account('busy');
      const { resourceVersion } = metadata;
      await world.client.mergePatch(SERVICE_ACCOUNTS, serviceAccount, {
        metadata: { resourceVersion },
        imagePullSecrets: [...imagePullSecrets, { name: `others-${writes}` }],
      });
      writes++;
    };
    const addOrReadAgain = (): Promise<void> =>
      add().catch((error: unknown) => {
        if (error instanceof KubeError && error.isConflict) return addOrReadAgain();
        throw error;
      });
    let turn = Promise.resolve();
    const write = (): Promise<void> => (turn = turn.then(addOrReadAgain));

    let patches = 0;
    let refused = 0;
    world.intercept = async ({ method, path }, pass) => {
      if (method !== 'PATCH' || !path.endsWith('/serviceaccounts/busy')) return pass();
      // Every other one, so that the operator gets on.
      if (patches++ % 2 === 0) await write();
      return pass().catch((error: unknown) => {
        if (error instanceof KubeError && (error.isInvalid || error.isConflict)) refused++;
        throw error;
      });
    };
    const stop = new AbortController();
    const writer = (async () => {
      while (!stop.signal.aborted) {
        await write();
        await sleep(clock, 100);
      }
    })();
    const names = ['one', 'two', 'three'];
    try {
      for (const name of names) await world.createToken(namespace, { serviceAccounts: ['busy'] }, name);
      await world.eventually('all are in', async () => {
        const found = namesOf(await account('busy'));
        return names.every((name) => found.includes(name)) ? { value: true } : { seen: found.join() };
      });
      await world.deleteToken({ namespace, name: 'two' });
      await world.whenGone({ namespace, name: 'two' });
    } finally {
      stop.abort();
      await writer;
    }
    const expected = [...Array.from({ length: writes }, (_, number) => `others-${number}`), 'one', 'three'];
    expect(namesOf(await account('busy'))).to.have.members(expected);
    // A patch at least to put in and one to take out, each with a collision, unless the operator writes what it has not read.
    expect(patches).to.be.greaterThan(2);
    expect(refused).to.be.at.least(Math.ceil(patches / 2));
  });

  it('reset by somebody else ten times a second: the operator holds back and says who it is', async () => {
    const serviceAccount = { namespace, name: 'contested' };
    await createAccount('contested', [{ name: 'others' }]);
    const name = await world.createToken(namespace, { serviceAccounts: ['contested'] });
    await whenHas('contested', 'others', name.name);
    for (let round = 0; round < 20; round++) {
      await world.client.mergePatch(SERVICE_ACCOUNTS, serviceAccount, {
        imagePullSecrets: [{ name: 'others' }],
      });
      await sleep(clock, 100);
    }
    const note = `Secret ${name.name} put into imagePullSecrets of ServiceAccount contested`;
    expect(world.log.filter(({ msg }) => msg === note).length).to.be.within(2, 3);
    await whenSays(name, /; test keeps taking the Secret out of ServiceAccount contested/);
  });
});
