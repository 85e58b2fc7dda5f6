import { expect } from 'chai';
import { MANAGED_BY_LABEL, OPERATOR, OWNER_UID_LABEL } from '../../../src/api/names.ts';
import type { FedQueues } from '../../../src/controller/shared/watched-changes.ts';
import type { Watches } from '../../../src/controller/shared/watches.ts';
import type { WorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { refuse, type ModelServer } from '../kube/support/model-server.ts';
import { settle, type VirtualClock } from '../../support/virtual-clock.ts';
import { ACCOUNTS, tokensIn, WatchStage } from './support/watch-stage.ts';

describe('watches', () => {
  let stage: WatchStage;
  let server: ModelServer;
  let clock: VirtualClock;
  let stop: AbortController;

  beforeEach(() => {
    stage = new WatchStage();
    ({ server, clock, stop } = stage);
  });
  afterEach(() => stage.end());

  const create = (watchNamespaces: string[]): Watches => stage.create(watchNamespaces);
  const start = (watchNamespaces: string[] = []): Promise<Watches> => stage.start(watchNamespaces);
  const queues = (): FedQueues => stage.queues();
  const drain = (queue: WorkQueue): Promise<string[]> => stage.drain(queue);
  const titles = (watchNamespaces: string[]): string[] =>
    create(watchNamespaces).watches.map(({ title }) => title);

  it('each have a title of their own, by which health pages and metrics tell them apart', () => {
    expect(titles([])).to.have.members([
      'registrytokens.pullsecrets.dev',
      'secrets',
      'registryaccounts.pullsecrets.dev',
      'namespaces',
      'credentials',
      'serviceaccounts',
    ]);
    expect(titles(['one', 'system'])).to.have.members([
      'registrytokens.pullsecrets.dev in one',
      'registrytokens.pullsecrets.dev in system',
      'secrets in one',
      'secrets in system',
      'registryaccounts.pullsecrets.dev',
      'namespaces',
      'credentials',
      'serviceaccounts in one',
      'serviceaccounts in system',
    ]);
  });

  it('remember nothing of what changes before this process leads, and then enqueue what there is', async () => {
    const watches = await start(['a']);
    for (let n = 0; n < 50; n++) {
      server.put(tokensIn('a'), `gone-${n}`, { spec: { serviceAccounts: [`gone-${n}`] } });
      server.remove(tokensIn('a'), `gone-${n}`);
    }
    server.put(tokensIn('a'), 'app', { spec: { serviceAccounts: ['builder'] } });
    await settle();
    const fed = queues();
    watches.feed(fed);
    expect(await drain(fed.token)).to.deep.equal(['a/app']);
    expect(await drain(fed.link)).to.deep.equal(['a/builder']);
    server.put(tokensIn('a'), 'next', { spec: {} });
    await settle();
    expect(await drain(fed.token)).to.deep.equal(['a/next']);
  });

  it('enqueue the RegistryTokens of a namespace that could not be read, once it can be', async () => {
    let forbidden = true;
    server.fault = (call) => {
      if (forbidden && call.path.includes('/namespaces/b/')) throw refuse(call, 403, 'Forbidden');
      return undefined;
    };
    server.put(tokensIn('a'), 'one', { spec: {} });
    server.put(tokensIn('b'), 'two', { spec: {} });
    const watches = await start(['a', 'b']);
    expect(['a', 'b'].map((each) => watches.isUnreadable(each))).to.deep.equal([false, true]);
    expect(watches.unreadable).to.equal(true);
    const fed = queues();
    watches.feed(fed);
    expect(await drain(fed.token)).to.deep.equal(['a/one']);
    forbidden = false;
    await clock.advance(60_000);
    expect([watches.isUnreadable('b'), watches.unreadable]).to.deep.equal([false, false]);
    expect(await drain(fed.token)).to.deep.equal(['b/two']);
  });

  describe('of all namespaces, that the API server refuses,', () => {
    let forbidden: boolean;
    beforeEach(() => {
      forbidden = true;
      server.fault = (call) => {
        if (forbidden && call.path.endsWith('/registrytokens')) throw refuse(call, 403, 'Forbidden');
        return undefined;
      };
    });

    it('are not synced before it no longer does', async () => {
      const watches = create([]);
      stage.run(watches);
      let synced = false;
      const waiting = watches.whenSynced(stop.signal).then(() => (synced = true));
      await clock.advance(60_000);
      expect([synced, watches.unreadable, watches.isUnreadable('a')]).to.deep.equal([false, true, true]);
      forbidden = false;
      await clock.advance(60_000);
      await waiting;
      expect([watches.unreadable, watches.isUnreadable('a')]).to.deep.equal([false, false]);
    });

    it('leave every namespace unreadable, and enqueue all RegistryTokens once they can be read again', async () => {
      forbidden = false;
      server.put('/apis/pullsecrets.dev/v1alpha1/registrytokens', 'app', { spec: {} });
      const watches = await start();
      const fed = queues();
      watches.feed(fed);
      expect(await drain(fed.token)).to.have.length(1);
      forbidden = true;
      for (const watch of server.watches) watch.end();
      await clock.advance(5_000);
      expect([watches.unreadable, watches.isUnreadable('a')]).to.deep.equal([true, true]);
      forbidden = false;
      await clock.advance(60_000);
      expect(watches.unreadable).to.equal(false);
      expect(await drain(fed.token)).to.have.length(1);
    });
  });

  it('enqueue of many that name one Secret the others only when another one gets it', async () => {
    const shared = { spec: { secret: { name: 'shared' } } };
    for (let n = 0; n < 200; n++) server.put(tokensIn('a'), `app-${n}`, shared);
    const watches = await start(['a']);
    const fed = queues();
    watches.feed(fed);
    await drain(fed.token);
    // Of the same second as they are, it comes last by its name.
    server.put(tokensIn('a'), 'next', shared);
    await settle();
    expect(await drain(fed.token)).to.deep.equal(['a/next']);
    server.remove(tokensIn('a'), 'next');
    await settle();
    expect(await drain(fed.token)).to.deep.equal(['a/next']);
    server.remove(tokensIn('a'), 'app-0');
    await settle();
    const keys = await drain(fed.token);
    expect(keys.slice(0, 2)).to.have.members(['a/app-0', 'a/app-1']);
    expect(keys).to.have.length(200);
  });

  it('call a namespace unreadable while its Secrets are, although its RegistryTokens are not', async () => {
    server.fault = (call) => {
      if (call.path.includes('/namespaces/b/secrets')) throw refuse(call, 403, 'Forbidden');
      return undefined;
    };
    const watches = await start(['a', 'b']);
    expect(['a', 'b'].map((each) => watches.isUnreadable(each))).to.deep.equal([false, true]);
  });

  it('take a Secret that bears a RegistryToken’s uid for its own in its namespace alone', async () => {
    server.put(tokensIn('a'), 'app', { spec: {} });
    const watches = await start(['a', 'b']);
    const [app] = watches.tokens();
    if (!app) expect.fail('it is not known');
    const fed = queues();
    watches.feed(fed);
    await drain(fed.token);
    const labels = { [OWNER_UID_LABEL]: app.metadata.uid, [MANAGED_BY_LABEL]: OPERATOR };
    server.put('/api/v1/namespaces/b/secrets', 'copy', { metadata: { labels } });
    await settle();
    expect(watches.secrets()).to.have.length(1);
    expect([watches.secretsOf(app), await drain(fed.token)]).to.deep.equal([[], []]);
  });

  it('know the ServiceAccounts that a pattern stands for, those of its namespace alone', async () => {
    server.put(tokensIn('a'), 'app', { spec: { serviceAccounts: ['ci-*'] } });
    for (const [namespace, name] of [
      ['a', 'ci-1'],
      ['a', 'other'],
      ['b', 'ci-2'],
    ] as const)
      server.put(`/api/v1/namespaces/${namespace}/serviceaccounts`, name);
    const watches = await start(['a', 'b']);
    watches.feed(queues());
    await settle();
    const found = watches.serviceAccounts.named('a', 'ci-*');
    expect(found.map(({ metadata }) => metadata.name)).to.deep.equal(['ci-1']);
  });

  describe('enqueue, once this process leads,', () => {
    const SECRETS = '/api/v1/namespaces/a/secrets';
    let fed: FedQueues;

    beforeEach(async () => {
      server.put(ACCOUNTS, 'default', { metadata: { generation: 1 }, spec: {} });
      server.put(tokensIn('a'), 'app', { spec: {} });
      server.put(tokensIn('a'), 'rival', { spec: { secret: { name: 'app' } } });
      server.put(tokensIn('a'), 'other', { spec: { accountRef: { name: 'another' } } });
      const watches = await start(['a']);
      fed = queues();
      watches.feed(fed);
      await drain(fed.token);
      await drain(fed.account);
    });

    const app = () => server.objects(tokensIn('a'))[0]?.metadata;
    /** As the operator made it for `app`. */
    const putSecret = (): void => {
      const labels = { [OWNER_UID_LABEL]: app()?.uid, [MANAGED_BY_LABEL]: OPERATOR };
      server.put(SECRETS, 'app', { metadata: { labels } });
    };

    it('the RegistryToken whose Secret has changed', async () => {
      putSecret();
      await settle();
      expect(await drain(fed.token)).to.deep.equal(['a/app']);
      server.remove(SECRETS, 'app');
      await settle();
      expect(await drain(fed.token)).to.deep.equal(['a/app']);
    });

    it('besides, the RegistryToken that gets a Secret which its own one gives up', async () => {
      putSecret();
      const given = {
        ...app(),
        deletionTimestamp: '2026-01-01T00:00:00Z',
        finalizers: ['test/waits'],
      };
      server.put(tokensIn('a'), 'app', { metadata: given, spec: {} });
      await settle();
      await drain(fed.token);
      server.remove(SECRETS, 'app');
      await settle();
      expect(await drain(fed.token)).to.have.members(['a/app', 'a/rival']);
    });

    it('those that want the same Secret as one that has changed', async () => {
      server.remove(tokensIn('a'), 'app');
      await settle();
      expect(await drain(fed.token)).to.have.members(['a/app', 'a/rival']);
    });

    it('an account whose spec has changed, which enqueues the RegistryTokens that use it once it was looked at', async () => {
      server.put(ACCOUNTS, 'default', { metadata: { generation: 2 }, spec: {} });
      await settle();
      expect(await drain(fed.account)).to.deep.equal(['default']);
      expect(await drain(fed.token)).to.deep.equal([]);
    });

    it('nothing when only the status of an account has', async () => {
      server.put(ACCOUNTS, 'default', { metadata: { generation: 1 }, spec: {}, status: { tokens: 1 } });
      await settle();
      expect([await drain(fed.account), await drain(fed.token)]).to.deep.equal([[], []]);
    });
  });
});
