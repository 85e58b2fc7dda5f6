import { expect } from 'chai';
import type { RegistryAccount, RegistryAccountStatus } from '../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { sleep } from '../../../src/common/clock.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import type { AccountSessions } from '../../../src/controller/account-sessions.ts';
import { Sweeper } from '../../../src/controller/sweeper.ts';
import { TokenUsers } from '../../../src/controller/token-users.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { EventRecorder } from '../../../src/kube/event-recorder.ts';
import { LeadershipLost } from '../../../src/kube/leadership-lost.ts';
import type { Call, Transport } from '../../../src/kube/transport.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { ListedToken, Registry } from '../../../src/registry/port.ts';
import { describe as describeToken } from '../../../src/token/tag.ts';
import { anAccount, anIssuedToken, aRecord, aSecret, HOUR, MINUTE } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const CLUSTER = 'this-cluster';
const DELAY = 10 * MINUTE;

/** The registries of one account by region, a cluster, and a sweeper between them. */
class Stage {
  readonly clock = new VirtualClock();
  readonly regions = new Map<string, ListedToken[]>();
  /** Regions that fail, and what with. */
  readonly down = new Map<string, RegistryError>();
  readonly revoked: string[] = [];
  /** What the metrics were told of revocations. */
  readonly counted: string[] = [];
  readonly listed: string[] = [];
  readonly events: string[] = [];
  readonly lines: string[] = [];
  readonly enqueued: string[] = [];
  /** What the API server has. The watches saw the same unless `watched` says otherwise. */
  tokens: RegistryToken[] = [];
  secrets: KubeObject[] = [];
  account: RegistryAccount | undefined = anAccount({ spec: { iamEndpoint: 'https://iam.example' } });
  watched: { tokens?: RegistryToken[]; deleted?: string[] } = {};
  orphans: ReadonlyMap<string, number> = new Map();
  mayRevoke = true;
  /** Milliseconds that a revocation takes. */
  revocationTime = 0;
  /** How far the registries' clocks are ahead, in milliseconds. */
  skew = 0;
  /** Happens once, during the next list. */
  whileListing: (() => void) | undefined;
  apiServerFails = false;
  readonly #deleted = new Set<string>();
  sweeper: Sweeper;

  constructor({
    sweep = 'revoke',
    namespaces = [],
  }: { sweep?: 'revoke' | 'report'; namespaces?: string[] } = {}) {
    this.sweeper = this.#sweeper(sweep, namespaces);
  }

  /** The operator starts again: everything in memory is gone. */
  restart(): void {
    this.sweeper = this.#sweeper('revoke', []);
  }

  add(region: string, id: string, description = orphanTag(), expiresAt: number | null = null): void {
    const rows = this.regions.get(region) ?? [];
    this.regions.set(region, [...rows, { id, description, expiresAt, revoked: false }]);
  }

  look(): ReturnType<Sweeper['reconcile']> {
    return this.sweeper.reconcile('default', new AbortController().signal);
  }

  /** Looks, and as often again as asked to, for so long. */
  async run(milliseconds: number): Promise<void> {
    const end = this.clock.monotonic() + milliseconds;
    for (;;) {
      const { requeueAfter = Infinity } = (await this.look()) ?? {};
      const left = end - this.clock.monotonic();
      await this.clock.advance(Math.min(requeueAfter, left));
      if (requeueAfter >= left) return;
    }
  }

  get status(): RegistryAccountStatus {
    return this.account?.status ?? {};
  }

  #sweeper(sweep: 'revoke' | 'report', namespaces: string[]): Sweeper {
    const { clock } = this;
    const client = new KubeClient(this.#transport(), { fieldManager: 'test' });
    const note = (line: unknown, message?: string): void => {
      this.lines.push(message ?? String(line));
    };
    return new Sweeper({
      client,
      clock,
      sweep,
      clusterId: CLUSTER,
      sweepDelay: DELAY,
      sweepInterval: HOUR,
      skew: () => this.skew,
      random: () => 0,
      account: () => this.account,
      allTokens: () => this.watched.tokens ?? this.tokens,
      users: new TokenUsers(
        client,
        {
          tokens: () => this.watched.tokens ?? this.tokens,
          secrets: () => this.secrets,
          accounts: () => (this.account ? [this.account] : []),
          deletions: { gone: () => this.watched.deleted ?? this.#deleted },
        },
        namespaces,
      ),
      sessions: {
        registry: (_: string, region: string) => this.#registry(region),
      } as unknown as AccountSessions,
      events: {
        event: (_: KubeObject, __: string, reason: string) => void this.events.push(reason),
      } as unknown as EventRecorder,
      metrics: {
        minted: () => undefined,
        repaired: () => undefined,
        revoked: (result) => void this.counted.push(result),
        orphans: () => undefined,
      },
      logger: { debug: () => undefined, info: note, warn: note, error: note },
      onOrphans: (_, byRegion) => {
        this.orphans = byRegion;
      },
      enqueue: (account) => void this.enqueued.push(account),
    });
  }

  #registry(region: string): Registry {
    const fail = (): void => {
      const error = this.down.get(region);
      if (error) throw error;
    };
    const registry: Pick<Registry, 'list' | 'revoke'> = {
      list: async () => {
        this.listed.push(region);
        const { whileListing } = this;
        this.whileListing = undefined;
        whileListing?.();
        fail();
        return this.regions.get(region) ?? [];
      },
      revoke: async (id) => {
        fail();
        if (!this.mayRevoke) throw new LeadershipLost('another process leads');
        if (this.revocationTime > 0) await sleep(this.clock, this.revocationTime, new AbortController().signal);
        this.revoked.push(id);
        this.regions.set(
          region,
          (this.regions.get(region) ?? []).filter((row) => row.id !== id),
        );
      },
    };
    return registry as Registry;
  }

  #transport(): Transport {
    const request = async ({ method, path, body }: Call): Promise<unknown> => {
      if (this.apiServerFails) throw new KubeError('down', { status: 503 });
      if (method === 'PATCH') {
        const [, { value }] = body as [unknown, { value: RegistryAccountStatus }];
        if (this.account) this.account = { ...this.account, status: value };
        return this.account;
      }
      if (path.endsWith('/registryaccounts')) return list(this.account ? [this.account] : []);
      if (path.endsWith('/registrytokens')) return list(this.tokens);
      if (path.endsWith('/secrets')) return list(this.secrets);
      if (!this.account) throw new KubeError('gone', { status: 404 });
      return this.account;
    };
    return { request, stream: () => expect.fail('nothing is watched'), close: async () => undefined };
  }
}

const list = (items: KubeObject[]): object => ({ metadata: { resourceVersion: '1' }, items });

const orphanTag = (part: Partial<{ clusterId: string; uid: string; revision: number }> = {}): string =>
  describeToken('', { clusterId: CLUSTER, uid: 'gone', revision: 1, ...part });

const outage = new RegistryError('Unavailable', 'the registry is down');

describe('sweeper', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('revokes what was unused for the delay, says so once, and counts meanwhile', async () => {
    stage.add('us-south', 'a');
    expect(await stage.look()).to.deep.equal({ requeueAfter: DELAY });
    expect(stage.status).to.include({ orphans: 1, lastSweepTime: '2026-01-01T00:00:00Z' });
    expect(stage.orphans.get('us-south')).to.equal(1);
    await stage.clock.advance(DELAY - 1);
    await stage.look();
    expect(stage.revoked).to.deep.equal([]);
    await stage.clock.advance(1);
    expect(await stage.look()).to.deep.equal({ requeueAfter: HOUR });
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.events).to.deep.equal(['OrphanRevoked']);
    expect(stage.lines).to.deep.equal(['orphan token revoked']);
    expect(stage.status).to.include({ orphans: 0, lastSweepTime: '2026-01-01T00:10:00Z' });
    expect(stage.orphans.get('us-south')).to.equal(0);
  });

  for (const [clock, skew, revoked] of [
    ['is behind this machine’s', -2 * HOUR, ['a']],
    ['is ahead of it', 2 * HOUR, []],
  ] as const)
    it(`takes for expired what is so by the registry’s clock, which ${clock}`, async () => {
      stage.skew = skew;
      stage.add('us-south', 'a', orphanTag(), stage.clock.now() + (skew < 0 ? -HOUR : HOUR));
      await stage.run(DELAY);
      await stage.look();
      expect(stage.revoked).to.deep.equal(revoked);
    });

  it('finds after a restart what was left before it', async () => {
    stage.add('us-south', 'a');
    await stage.run(DELAY - 1);
    stage.restart();
    await stage.run(DELAY - 1);
    expect(stage.revoked).to.deep.equal([]);
    await stage.run(MINUTE);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('--sweep=report revokes nothing and tells of each once', async () => {
    stage = new Stage({ sweep: 'report' });
    stage.add('us-south', 'a');
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.events).to.deep.equal(['OrphanFound']);
    expect(stage.status.orphans).to.equal(1);
  });

  it('leaves other clusters, hand-made and damaged tokens alone', async () => {
    stage.add('us-south', 'a', orphanTag({ clusterId: 'another' }));
    stage.add('us-south', 'b', 'made by hand');
    stage.add('us-south', 'c', orphanTag().slice(0, -2));
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
  });

  describe('looks at the API server itself before it revokes', () => {
    const uses: [string, () => void][] = [
      [
        'a RegistryToken',
        () => (stage.tokens = [anIssuedToken({ status: { token: aRecord({ id: 'a' }) } })]),
      ],
      [
        'a Secret',
        () =>
          (stage.secrets = [
            {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: aSecret({ metadata: { annotations: { 'pullsecrets.dev/token-id': 'a' } } }).metadata,
            },
          ]),
      ],
    ];
    for (const [what, use] of uses) {
      it(`${what} that the watches did not show keeps a token alive`, async () => {
        stage.add('us-south', 'a');
        stage.watched = { tokens: [] };
        await stage.look();
        await stage.clock.advance(DELAY);
        use();
        await stage.look();
        expect(stage.revoked).to.deep.equal([]);
        expect(stage.status.orphans).to.equal(0);
      });
    }

    it('revokes nothing while it can not be asked, and goes on once it can', async () => {
      stage.add('us-south', 'a');
      await stage.look();
      await stage.clock.advance(DELAY);
      stage.apiServerFails = true;
      const error = await stage.look().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(KubeError);
      expect(stage.revoked).to.deep.equal([]);
      stage.apiServerFails = false;
      await stage.look();
      expect(stage.revoked).to.deep.equal(['a']);
    });
  });

  it('a process that lost its lease stops, and counts no failure of the registry', async () => {
    stage.add('us-south', 'a');
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.mayRevoke = false;
    const error = await stage.look().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(LeadershipLost);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.counted).to.deep.equal([]);
  });

  it('a list that fails revokes nothing and forgets nothing', async () => {
    stage.add('us-south', 'a');
    await stage.look();
    stage.down.set('us-south', outage);
    await stage.run(DELAY + MINUTE);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.status.orphans).to.equal(1);
    stage.down.clear();
    await stage.run(10 * MINUTE);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('a region that is down delays no other, and is asked ever more rarely', async () => {
    stage.tokens = [anIssuedToken({ spec: { region: 'eu-de' } })];
    stage.add('us-south', 'a');
    stage.down.set('eu-de', outage);
    await stage.run(HOUR - 1);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.listed.filter((region) => region === 'us-south')).to.have.length(2);
    expect(stage.listed.filter((region) => region === 'eu-de').length).to.be.within(10, 30);
  });

  it('regions that nothing names are looked at only where they are IBM Cloud’s, and not again before their time', async () => {
    await stage.look();
    expect(stage.listed).to.deep.equal(['us-south']);
    stage = new Stage();
    stage.account = anAccount();
    stage.down.set('jp-tok', outage);
    stage.add('eu-es', 'a');
    await stage.run(HOUR - 1);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.listed.filter((region) => region === 'jp-tok')).to.have.length(1);
    expect(stage.lines).to.deep.equal(['orphan token revoked']);
  });

  it('looks at once where a RegistryToken left tokens, and there until it has seen them', async () => {
    stage.down.set('eu-de', outage);
    await stage.look();
    expect(stage.listed).to.deep.equal(['us-south']);
    stage.sweeper.leftBehind('gone', 'default', 'eu-central');
    expect(stage.enqueued).to.deep.equal(['default']);
    await stage.run(DELAY);
    expect(stage.listed.filter((region) => region === 'us-south')).to.have.length(1);
    stage.add('eu-de', 'a');
    stage.down.clear();
    await stage.run(20 * MINUTE);
    expect(stage.revoked).to.deep.equal(['a']);
    await stage.run(3 * HOUR);
    expect(stage.orphans.has('eu-de')).to.equal(false);
  });

  describe('what a RegistryToken left is found', () => {
    const left = anIssuedToken({ metadata: { uid: 'gone' }, status: { token: aRecord({ id: 'a' }) } });
    beforeEach(async () => {
      await stage.look();
      stage.add('us-south', 'a');
    });

    it('though the watches have not noticed yet that it is gone', async () => {
      stage.watched = { tokens: [left] };
      stage.sweeper.leftBehind('gone', 'default', 'us-south');
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('also by an operator of a few namespaces', async () => {
      stage = new Stage({ namespaces: ['team'] });
      await stage.look();
      stage.add('us-south', 'a');
      stage.watched = { tokens: [left], deleted: [] };
      stage.sweeper.leftBehind('gone', 'default', 'us-south');
      await stage.look();
      stage.watched = { tokens: [], deleted: ['gone'] };
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('though it was still there at the first look: its finalizer was just being removed', async () => {
      stage.tokens = [left];
      stage.sweeper.leftBehind('gone', 'default', 'us-south');
      expect(await stage.look()).to.deep.equal({ requeueAfter: 10_000 });
      stage.tokens = [];
      await stage.run(DELAY + 10_001);
      expect(stage.revoked).to.deep.equal(['a']);
      expect(await stage.look())
        .to.have.property('requeueAfter')
        .greaterThan(30 * MINUTE);
    });

    it('though somebody else’s finalizer holds it up', async () => {
      const deletionTimestamp = new Date(stage.clock.now()).toISOString();
      const { metadata } = left;
      stage.tokens = [{ ...left, metadata: { ...metadata, deletionTimestamp, finalizers: ['others/own'] } }];
      stage.sweeper.leftBehind('gone', 'default', 'us-south');
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('though it was reported while a look was under way', async () => {
      await stage.clock.advance(HOUR);
      stage.whileListing = () => stage.sweeper.leftBehind('gone', 'default', 'us-south');
      stage.watched = { tokens: [left] };
      expect(await stage.look()).to.deep.equal({ requeueAfter: 0 });
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });
  });

  it('many that go while the registry is down do not put off its next try', async () => {
    stage.down.set('us-south', outage);
    for (let gone = 0; gone < 10; gone++) {
      stage.sweeper.leftBehind(`gone-${gone}`, 'default', 'us-south');
      await stage.look();
    }
    expect(stage.listed).to.deep.equal(['us-south']);
    stage.down.clear();
    await stage.run(2_001);
    expect(stage.listed).to.deep.equal(['us-south', 'us-south']);
  });

  it('an account that went and came back: what it owes is revoked', async () => {
    const { account } = stage;
    stage.account = undefined;
    stage.add('eu-de', 'a');
    stage.sweeper.leftBehind('gone', 'default', 'eu-de');
    expect(await stage.look()).to.equal(undefined);
    expect(stage.orphans.size).to.equal(0);
    stage.account = account;
    stage.sweeper.accountChanged('default');
    await stage.run(2 * DELAY);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('an account that went and came back is looked at at once, whenever it was due', async () => {
    const { account } = stage;
    await stage.look();
    stage.account = undefined;
    await stage.look();
    stage.account = account;
    // What an intent gave that was given up while the account was gone.
    stage.add('us-south', 'a');
    await stage.run(DELAY + 1);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('credentials that came back end the pause after a failure', async () => {
    stage.down.set('us-south', new RegistryError('Unauthorized', 'the key was refused'));
    await stage.look();
    stage.down.clear();
    stage.add('us-south', 'a');
    stage.sweeper.accountChanged('default');
    await stage.look();
    expect(stage.status.orphans).to.equal(1);
  });

  it('a token kept on purpose stays, though nothing else holds it, and is struck off once it is gone', async () => {
    const retainedTokens = [{ id: 'a', region: 'us-south', namespace: 'team', name: 'app' }];
    stage.account = anAccount({ spec: { iamEndpoint: 'https://iam.example' }, status: { retainedTokens } });
    stage.add('us-south', 'a');
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.status.retainedTokens).to.deep.equal(retainedTokens);
    stage.regions.clear();
    await stage.run(2 * HOUR);
    expect(stage.status).to.not.have.property('retainedTokens');
  });

  it('with some namespaces in view, it speaks only for RegistryTokens it sees or saw deleted', async () => {
    stage = new Stage({ namespaces: ['team'] });
    stage.watched = { deleted: ['seen'] };
    stage.add('us-south', 'a', orphanTag({ uid: 'elsewhere' }));
    stage.add('us-south', 'b', orphanTag({ uid: 'seen' }));
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal(['b']);
  });

  it('many orphans are all revoked, in looks of two minutes', async () => {
    for (let n = 0; n < 45; n++) stage.add('us-south', `token-${n}`);
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.revocationTime = 6_000;
    for (const [revoked, requeueAfter] of [
      [20, 0],
      [40, 0],
      [45, HOUR],
    ] as const) {
      const look = stage.look();
      await stage.clock.advance(2 * MINUTE);
      expect(await look).to.deep.equal({ requeueAfter });
      expect(stage.revoked).to.have.length(revoked);
    }
  });

  it('a second sweep that finds what the first found writes nothing but the time', async () => {
    await stage.look();
    const { lastSweepTime: _, ...before } = stage.status;
    await stage.run(2 * HOUR + MINUTE);
    const { lastSweepTime, ...after } = stage.status;
    expect(after).to.deep.equal(before);
    expect(lastSweepTime).to.equal('2026-01-01T02:00:00Z');
  });
});
