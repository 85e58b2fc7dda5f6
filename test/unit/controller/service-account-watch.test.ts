import { expect } from 'chai';
import { LINKS_ANNOTATION } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import {
  ServiceAccountWatch,
  type ServiceAccountWatchOptions,
} from '../../../src/controller/service-accounts/service-account-watch.ts';
import type { ObjectName } from '../../../src/common/objects.ts';
import type { Change } from '../../../src/kube/cache/replica.ts';
import { recordText, type ServiceAccount } from '../../../src/token/workloads/service-accounts.ts';
import { anIssuedToken, at, type Part } from '../../support/builders.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const NOBODYS: Record<string, string> = {};

function aServiceAccount(name: string, record = NOBODYS): ServiceAccount {
  const uid = `uid of ${name}`;
  const annotations = { [LINKS_ANNOTATION]: recordText(uid, record) };
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: 'team', name, uid, resourceVersion: '1', creationTimestamp: at(0), annotations },
  };
}

/** A RegistryToken with its Secret, that names these ServiceAccounts. */
function naming(names: string[], part: Part<RegistryToken> = {}): RegistryToken {
  return anIssuedToken({
    spec: { serviceAccounts: names },
    status: { serviceAccounts: names, secretRef: { name: 'app', uid: 'secret-uid' } },
    ...part,
  });
}

class Stage {
  readonly enqueued: string[] = [];
  readonly stale: string[] = [];
  readonly accounts: ServiceAccount[] = [];
  readonly clock = new VirtualClock();
  claimants: RegistryToken[] = [];
  /** By namespace. */
  tokens: Record<string, RegistryToken[]> = {};
  /** A namespace, or undefined for all of them, can be read again. */
  readable: (namespace: string | undefined) => void = () => expect.fail('nobody listens');
  running = false;
  lists = 0;
  /** What a list of all ServiceAccounts throws. */
  failure: Error | undefined;
  #tell: (change: Change<ServiceAccount>) => void = () => expect.fail('nobody listens');
  readonly watch: ServiceAccountWatch;

  constructor() {
    const health = { synced: false, live: false, lastHeard: 0, refused: true, excused: false };
    this.watch = new ServiceAccountWatch({
      reflectors: {
        onChange: (listener: (change: Change<ServiceAccount>) => void) => {
          this.#tell = listener;
        },
        onReadable: (listener: (namespace: string | undefined) => void) => {
          this.readable = listener;
        },
        watches: [{ title: 'serviceaccounts', health }],
        sees: (namespace: string) => namespace === 'team',
        get: ({ name }: ObjectName) => this.accounts.find(({ metadata }) => metadata.name === name),
        list: () => this.accounts,
        byIndex: (_: string, namespace: string) =>
          this.accounts.filter(({ metadata }) => metadata.namespace === namespace),
        run: async () => void (this.running = true),
        whenSynced: (signal: AbortSignal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      },
      enqueue: ({ name }: { name: string }, priority: string) =>
        void this.enqueued.push(`${name} ${priority}`),
      claimants: () => this.claimants,
      tokensIn: (namespace: string | undefined) =>
        namespace === undefined ? Object.values(this.tokens).flat() : (this.tokens[namespace] ?? []),
      onStale: ({ metadata }: RegistryToken) => void this.stale.push(metadata.name),
      listAll: async (visit: (account: ServiceAccount) => void) => {
        this.lists++;
        if (this.failure) throw this.failure;
        for (const account of this.accounts) visit(account);
      },
      logger: new Logs(),
      clock: this.clock,
    } as unknown as ServiceAccountWatchOptions);
  }

  /** A ServiceAccount changes. */
  change(type: Change<ServiceAccount>['type'], object: ServiceAccount, initial = false): void {
    this.#tell({ type, object, initial });
  }
}

describe('the watch of ServiceAccounts', () => {
  it('knows those it has seen, and in which namespaces there are no others', () => {
    const stage = new Stage();
    const builder = aServiceAccount('builder');
    stage.accounts.push(builder);
    expect(stage.watch.get({ namespace: 'team', name: 'builder' })).to.equal(builder);
    expect(['team', 'other'].map((namespace) => stage.watch.sees(namespace))).to.deep.equal([true, false]);
  });

  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('begins once a RegistryToken names one, and lacks nothing until then', async () => {
    const [watch] = stage.watch.watches;
    const { signal } = new AbortController();
    void stage.watch.run(signal);
    await settle();
    expect(stage.running).to.equal(false);
    expect(watch?.health).to.include({ synced: true, live: true, refused: false, excused: false });
    stage.watch.onToken(naming([]), undefined);
    await settle();
    expect(stage.running).to.equal(false);
    stage.watch.onToken(naming(['builder']), undefined);
    await settle();
    expect([stage.running, watch?.health.synced, watch?.health.refused]).to.deep.equal([true, false, true]);
  });

  it('ends with its signal though none was ever named', async () => {
    const stop = new AbortController();
    const running = stage.watch.run(stop.signal);
    stop.abort();
    await running;
  });

  it('is given a while to know them all, where it is needed', async () => {
    const { signal } = new AbortController();
    await stage.watch.settle(1_000, signal);
    stage.watch.onToken(naming(['builder']), undefined);
    let settled = false;
    const waiting = stage.watch.settle(1_000, signal).then(() => (settled = true));
    await stage.clock.advance(999);
    expect(settled).to.equal(false);
    await stage.clock.advance(1);
    await waiting;
  });
});

describe('what RegistryTokens that are gone left in ServiceAccounts', () => {
  const { signal } = new AbortController();
  const isWatched = async (stage: Stage): Promise<boolean> => {
    void stage.watch.run(signal);
    await stage.watch.lookForLeft(signal);
    await settle();
    return stage.running;
  };

  it('is a reason to watch, though none names one', async () => {
    const stage = new Stage();
    stage.accounts.push(aServiceAccount('default'), aServiceAccount('left', { gone: 'app' }));
    expect([await isWatched(stage), stage.lists]).to.deep.equal([true, 1]);
  });

  it('is none where nothing was left', async () => {
    const stage = new Stage();
    stage.accounts.push(aServiceAccount('default'));
    expect(await isWatched(stage)).to.equal(false);
  });

  it('is not looked for where the watch shows it', async () => {
    const stage = new Stage();
    stage.watch.onToken(naming(['builder']), undefined);
    expect([await isWatched(stage), stage.lists]).to.deep.equal([true, 0]);
  });

  it('stays until the next start where it can not be looked for', async () => {
    const stage = new Stage();
    stage.failure = new KubeError('serviceaccounts is forbidden', { status: 403, reason: 'Forbidden' });
    expect(await isWatched(stage)).to.equal(false);
  });
});

describe('a change of a RegistryToken', () => {
  const cases: [what: string, now: RegistryToken, before: RegistryToken | undefined, enqueued: string[]][] = [
    ['that is new concerns those that it names', naming(['a', 'b']), undefined, ['a high', 'b high']],
    ['that names another concerns that one', naming(['a', 'b']), naming(['a']), ['b high']],
    ['that names one less concerns that one', naming(['a']), naming(['a', 'b']), ['b high']],
    ['that changes nothing for them concerns none', naming(['a']), naming(['a']), []],
    [
      'that is suspended concerns those that it names',
      naming(['a'], { spec: { serviceAccounts: ['a'], suspend: true } }),
      naming(['a']),
      ['a high'],
    ],
  ];
  cases.push(
    [
      'that is new, with a pattern, concerns those that it stands for, after those that are named',
      naming(['a', 'ci-*']),
      undefined,
      ['a high', 'ci-1 low', 'ci-2 low'],
    ],
    [
      'that names all instead of one concerns the others, and the one, which it does not wait for any more',
      naming(['*']),
      naming(['a']),
      ['ci-1 low', 'ci-2 low', 'a high'],
    ],
    [
      'that names one of those that its pattern stood for concerns that one and those it gives up',
      naming(['ci-1']),
      naming(['ci-*']),
      ['ci-1 high', 'ci-2 low'],
    ],
    ['with a pattern that changes nothing for them concerns none', naming(['*']), naming(['*']), []],
  );
  for (const [what, now, before, enqueued] of cases) {
    it(what, () => {
      const stage = new Stage();
      stage.accounts.push(...['a', 'ci-1', 'ci-2'].map((name) => aServiceAccount(name)));
      stage.watch.onToken(now, before);
      expect(stage.enqueued).to.deep.equal(enqueued);
    });
  }
});

describe('a change of a ServiceAccount', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('that no RegistryToken has to do with concerns nobody', () => {
    stage.change('updated', aServiceAccount('builder'));
    expect([stage.enqueued, stage.stale]).to.deep.equal([[], []]);
  });

  it('that has something of a RegistryToken that is no more is looked at', () => {
    stage.change('updated', aServiceAccount('builder', { gone: 'app' }));
    expect([stage.enqueued, stage.stale]).to.deep.equal([['builder high'], []]);
  });

  it('is looked at; what the RegistryToken that names it says of it stays true', () => {
    stage.claimants = [naming(['builder'])];
    stage.change('updated', aServiceAccount('builder'));
    expect([stage.enqueued, stage.stale]).to.deep.equal([['builder high'], []]);
  });

  for (const type of ['added', 'deleted'] as const) {
    it(`that is ${type} is for the RegistryToken that names it to tell`, () => {
      stage.claimants = [naming(['builder'])];
      stage.change(type, aServiceAccount('builder'));
      expect([stage.enqueued, stage.stale]).to.deep.equal([['builder high'], ['app']]);
    });
  }

  it('is for the RegistryToken that named it before to tell: it may have nothing of it any more', () => {
    stage.claimants = [naming(['builder'], { spec: { serviceAccounts: [] } })];
    stage.change('updated', aServiceAccount('builder'));
    expect(stage.stale).to.deep.equal(['app']);
  });

  it('that a pattern stands for is looked at, and only one that is to be released is to tell of', () => {
    stage.claimants = [naming(['*'])];
    stage.change('added', aServiceAccount('builder'));
    stage.change('deleted', aServiceAccount('builder'));
    expect([stage.enqueued, stage.stale]).to.deep.equal([['builder high', 'builder high'], []]);
    stage.claimants = [naming(['*'], { spec: { serviceAccounts: [] } })];
    stage.change('updated', aServiceAccount('builder'));
    expect(stage.stale).to.deep.equal(['app']);
  });

  it('that is seen for the first time is looked at after all others, and is nothing to tell', () => {
    stage.claimants = [naming(['builder'])];
    stage.change('added', aServiceAccount('builder'), true);
    expect([stage.enqueued, stage.stale]).to.deep.equal([['builder low'], []]);
  });
});

describe('ServiceAccounts that can be read again', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
    stage.tokens = {
      team: [naming(['builder']), naming([], { metadata: { name: 'plain' } })],
      other: [naming(['runner'], { metadata: { name: 'theirs' } })],
    };
  });

  it('in one namespace are looked at, and the RegistryTokens there that name some', () => {
    stage.readable('team');
    expect([stage.enqueued, stage.stale]).to.deep.equal([['builder low'], ['app']]);
  });

  it('in all namespaces are looked at, and every RegistryToken that names some', () => {
    stage.readable(undefined);
    expect([stage.enqueued, stage.stale]).to.deep.equal([
      ['builder low', 'runner low'],
      ['app', 'theirs'],
    ]);
  });
});

describe('all ServiceAccounts', () => {
  it('that are named or have something of a RegistryToken are looked at, after all others', () => {
    const stage = new Stage();
    stage.accounts.push(aServiceAccount('left', { gone: 'app' }), aServiceAccount('default'));
    stage.watch.enqueueAll([naming(['builder'])]);
    expect(stage.enqueued).to.deep.equal(['builder low', 'left low']);
  });

  it('that a pattern stands for are looked at', () => {
    const stage = new Stage();
    stage.accounts.push(aServiceAccount('ci-1'), aServiceAccount('default'), aServiceAccount('ci-2'));
    stage.watch.enqueueAll([naming(['ci-*'])]);
    expect(stage.enqueued).to.deep.equal(['ci-1 low', 'ci-2 low']);
  });
});
