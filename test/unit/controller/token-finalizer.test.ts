import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { abortable } from '../../../src/common/abortable.ts';
import type { ObjectName } from '../../../src/common/objects.ts';
import type { Issued } from '../../../src/controller/account/account-sessions.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { TokenFinalizer, type FinalizerOptions } from '../../../src/controller/token/token-finalizer.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { ReconcileResult } from '../../../src/kube/queue/worker-pool.ts';
import type { Failure } from '../../../src/token/lifecycle/failure.ts';
import type { TokenKey } from '../../../src/token/lifecycle/place.ts';
import type { SecretObject } from '../../../src/controller/token/secret-store.ts';
import {
  aCredential,
  anIntent,
  anIssuedToken,
  ANOTHER_PLACE,
  aPrevious,
  aSecret,
  at,
  PLACE,
} from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const LIMIT = 15_000;
const { signal } = new AbortController();
const DOWN: Failure = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true };
const TOKEN = anIssuedToken({
  metadata: { deletionTimestamp: at(0), finalizers: [FINALIZER] },
  status: { previousTokens: [aPrevious({ region: 'eu-de' })] },
});
const EVERYWHERE = ['default in us-south', 'default in eu-de'];

/** A Secret of the RegistryToken's. */
const secret = (name: string, tokenId: string, spec: RegistryToken['spec'] = {}): SecretObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  ...aSecret({ metadata: { name } }, { token: { ...TOKEN, spec }, credential: aCredential({ tokenId }) }),
});

const named =
  (name: string) =>
  ({ metadata }: SecretObject): boolean =>
    metadata.name === name;

/** What tells a token of another place than the builders'. */
const whereOf = ({ endpoint }: TokenKey['place']): string =>
  endpoint === ANOTHER_PLACE.endpoint ? ' at another' : '';

type Registry = 'up' | 'down' | 'silent';

/** A RegistryToken that is being deleted, with the registry as it is told to be. */
class Scene {
  readonly clock = new VirtualClock();
  readonly leftBehind: string[] = [];
  readonly revoked: string[] = [];
  /** Places where what tokens hung on was deleted, and what was to be kept of it. */
  readonly unhung: string[] = [];
  /** Why scopes can't be written down. */
  noting: Error | undefined;
  /** Notes of events. */
  readonly notes: string[] = [];
  /** What metrics were told of revocations. */
  readonly counted: string[] = [];
  /** What was done that the API server sees, in order. */
  readonly did: string[] = [];
  readonly told: string[] = [];
  registry: Registry = 'up';
  /** What comes of deleting what tokens hung on. */
  unhanging: Failure | undefined;
  /** What comes of changing ServiceAccounts. */
  webhook: 'up' | 'down' | 'silent' = 'up';
  secrets: SecretObject[] = [];
  /** Those that the watch knows as the status has them. */
  recorded: SecretObject[] = [];
  /** What was read from the API server, in order. */
  readonly read: string[] = [];
  /** What it has in place of the RegistryToken that the watch knows. */
  live: RegistryToken | 'gone' | undefined;
  readonly retained: string[] = [];
  /** Tokens at the registry that came of the open mint, by their tag. */
  results: string[] | undefined = ['token-2'];
  /** What comes of taking the finalizer away. */
  answer: 'given' | 'lost' = 'given';
  released = 0;
  /** Whether ServiceAccounts are to keep its Secrets. */
  entriesStay: boolean | undefined;
  noticedAt: number | undefined = 0;
  /** How the registry issues tokens. */
  issueAt: 'minted' | 'exchanged' = 'minted';
  readonly #finalizer: TokenFinalizer;
  readonly #token: RegistryToken;

  constructor(token = TOKEN) {
    this.#token = token;
    const nothing = (): void => undefined;
    const options = {
      tokens: {
        read: () => {
          this.read.push('RegistryToken');
          return Promise.resolve(this.live === 'gone' ? undefined : (this.live ?? this.#token));
        },
        removeFinalizer: (token: RegistryToken) => {
          if (this.live === 'gone') return Promise.reject(new KubeError('gone', { status: 404 }));
          if (this.live && token.metadata.resourceVersion !== this.live.metadata.resourceVersion)
            return Promise.reject(new KubeError('changed', { status: 409 }));
          this.released++;
          this.did.push('finalizer removed');
          return this.answer === 'lost' ? Promise.reject(new Error('connection reset')) : Promise.resolve();
        },
      },
      secrets: {
        asRecorded: (_: RegistryToken, name: string) => this.recorded.find(named(name)),
        read: ({ name }: ObjectName) => {
          this.read.push(`Secret ${name}`);
          return Promise.resolve(this.secrets.find(named(name)));
        },
        remove: (gone: SecretObject) => {
          this.secrets = this.secrets.filter((each) => each !== gone);
          return Promise.resolve();
        },
        removeUnchanged: ({ metadata: { name, resourceVersion } }: SecretObject) => {
          const there = this.secrets.find(named(name));
          if (there && there.metadata.resourceVersion !== resourceVersion)
            return Promise.reject(new KubeError('changed', { status: 409 }));
          this.secrets = this.secrets.filter((each) => each !== there);
          return Promise.resolve();
        },
      },
      linker: {
        release: (_: unknown, keepEntries: boolean, limited: AbortSignal) => {
          this.entriesStay = keepEntries;
          return this.#release(limited);
        },
      },
      sessions: { reach: () => ({ region: 'us-south' }), moment: () => ({ now: 0, registryNow: 0 }) },
      issueAt: () => this.issueAt,
      tagged: { resultsOf: () => Promise.resolve(this.results) },
      revoker: {
        revoke: (_: unknown, { id, place }: TokenKey, limited: AbortSignal) =>
          this.#revoke(id + whereOf(place), limited),
        release: (_: unknown, { account, region }: Issued, keep: readonly string[]) =>
          this.#unhang(`${account} in ${region}${keep.join()}`),
      },
      retention: {
        remember: (_: unknown, { id, place }: TokenKey) =>
          Promise.resolve(void this.retained.push(id + whereOf(place))),
      },
      memory: new Memory(),
      deletions: { noticedAt: () => this.noticedAt },
      events: {
        event: (_: unknown, __: unknown, reason: string, note: string) => {
          this.told.push(reason);
          this.notes.push(note);
        },
      },
      metrics: { revoked: (result: string) => void this.counted.push(result) },
      logger: { error: nothing, warn: nothing, info: nothing, debug: nothing },
      clock: this.clock,
      random: () => 0,
      revocationDeadline: LIMIT,
      noteScopes: () =>
        this.noting ? Promise.reject(this.noting) : Promise.resolve(void this.did.push('scopes noted')),
      onLeftBehind: (_: string, { account, region }: Issued) =>
        void this.leftBehind.push(`${account} in ${region}`),
    } as unknown as FinalizerOptions;
    this.#finalizer = new TokenFinalizer(options);
  }

  #release(limited: AbortSignal): Promise<void> {
    if (this.webhook === 'silent') return abortable(new Promise(() => undefined), limited);
    if (this.webhook === 'up') return Promise.resolve();
    return Promise.reject(new KubeError('failed calling webhook', { status: 500, reason: 'InternalError' }));
  }

  #revoke(id: string, limited: AbortSignal): Promise<Failure | undefined> {
    if (this.registry === 'silent') return abortable(new Promise(() => undefined), limited);
    if (this.registry === 'down') return Promise.resolve(DOWN);
    this.revoked.push(id);
    return Promise.resolve(undefined);
  }

  #unhang(what: string): Promise<Failure | undefined> {
    this.unhung.push(what);
    return Promise.resolve(this.unhanging);
  }

  /** @returns what came of it, and the milliseconds it took */
  async look(): Promise<{ result: ReconcileResult | Error; took: number }> {
    const begun = this.clock.monotonic();
    const results: (ReconcileResult | Error)[] = [];
    void this.#finalizer.finalize(this.#token, signal).then(
      (value) => results.push(value),
      (error: Error) => results.push(error),
    );
    await this.clock.advance(0);
    while (results.length === 0) await this.clock.advance(100);
    return { result: results[0], took: this.clock.monotonic() - begun };
  }

  /** Looks as often as it is asked to, until nothing is left to do. @returns milliseconds since the deletion was noticed */
  async finish(): Promise<number> {
    for (;;) {
      const { result } = await this.look();
      if (result === undefined || result instanceof Error)
        return this.clock.monotonic() - (this.noticedAt ?? 0);
      await this.clock.advance(result.requeueAfter ?? 0);
    }
  }
}

describe('the finalizer of a RegistryToken', () => {
  it('revokes its tokens, and leaves nothing', async () => {
    const scene = new Scene();
    expect(await scene.finish()).to.equal(0);
    expect(scene.revoked).to.have.length(2);
    expect([scene.released, scene.leftBehind, scene.told]).to.deep.equal([1, [], []]);
  });

  it('revokes a token that was minted, though its status says that nobody can', async () => {
    const { token, ...status } = TOKEN.status ?? {};
    const claimed = {
      ...TOKEN,
      status: { ...status, ...(token && { token: { ...token, revocable: false } }) },
    };
    const revokedBy = async (issueAt: Scene['issueAt']): Promise<string[]> => {
      const scene = new Scene(claimed);
      scene.issueAt = issueAt;
      await scene.finish();
      return scene.revoked;
    };
    expect(await revokedBy('minted')).to.have.members(['token-1', 'token-0']);
    expect(await revokedBy('exchanged')).to.deep.equal(['token-0']);
  });

  it('revokes each of two tokens to which two registries gave the same identifier', async () => {
    const previousTokens = [aPrevious({ id: 'token-1', place: ANOTHER_PLACE })];
    const token = { ...TOKEN, status: { ...TOKEN.status, previousTokens } };
    const scene = new Scene(token);
    await scene.finish();
    expect(scene.revoked).to.deep.equal(['token-1', 'token-1 at another']);
    const retained = new Scene({ ...token, spec: { deletionPolicy: 'Retain' } });
    retained.secrets = [secret('app', 'token-1', { deletionPolicy: 'Retain' })];
    await retained.finish();
    expect([retained.retained, retained.revoked]).to.deep.equal([['token-1'], ['token-1 at another']]);
  });

  it('takes its Secret out of ServiceAccounts, and deletes it', async () => {
    const scene = new Scene();
    scene.secrets = [secret('app', 'token-1')];
    await scene.finish();
    expect([scene.entriesStay, scene.secrets]).to.deep.equal([false, []]);
  });

  it('leaves its Secret in ServiceAccounts where it is to stay', async () => {
    const retained = { ...TOKEN, spec: { ...TOKEN.spec, deletionPolicy: 'Retain' as const } };
    const scene = new Scene(retained);
    const kept = [secret('app', 'token-1', { deletionPolicy: 'Retain' })];
    scene.secrets = kept;
    await scene.finish();
    expect([scene.entriesStay, scene.secrets]).to.deep.equal([true, kept]);
  });

  it('leaves a Secret of its name that is another’s by now', async () => {
    const scene = new Scene();
    const others = [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        ...aSecret({}, { token: anIssuedToken({ metadata: { uid: 'another' } }) }),
      },
    ];
    scene.secrets = others;
    await scene.finish();
    expect(scene.secrets).to.deep.equal(others);
  });

  it('waits for a registry that is down, and revokes once it is back', async () => {
    const scene = new Scene();
    scene.registry = 'down';
    expect(await scene.look()).to.deep.equal({ result: { requeueAfter: 2_000 }, took: 0 });
    expect(scene.released).to.equal(0);
    await scene.clock.advance(2_000);
    scene.registry = 'up';
    await scene.finish();
    expect([scene.released, scene.leftBehind]).to.deep.equal([1, []]);
  });

  for (const [what, registry, delay, least, most] of [
    ['a registry that is down', 'down', 0, LIMIT, LIMIT],
    ['a registry that is down, its turn a little late', 'down', 3_500, LIMIT, LIMIT],
    ['a registry that is down, its turn long after that', 'down', 60_000, 65_000, 65_000],
    ['a registry that hangs', 'silent', 0, LIMIT, LIMIT + 3_000],
    ['a registry that hangs, its turn a little late', 'silent', 3_500, LIMIT, LIMIT + 3_000],
  ] as const)
    it(`lets it go in time: ${what}; and tells the sweep where tokens may be left`, async () => {
      const scene = new Scene();
      scene.registry = registry;
      await scene.clock.advance(delay);
      expect(await scene.finish()).to.be.within(least, most);
      expect(scene.released).to.equal(1);
      expect(scene.leftBehind).to.deep.equal(EVERYWHERE);
      expect(scene.told).to.deep.equal(['RevocationFailed']);
    });

  it('revokes what came of an open mint once lists show it', async () => {
    const scene = new Scene({ ...TOKEN, status: { mintIntent: anIntent() } });
    scene.results = undefined;
    expect((await scene.look()).result).to.deep.equal({ requeueAfter: 2_000 });
    expect(scene.released).to.equal(0);
    scene.results = ['token-2'];
    await scene.finish();
    expect([scene.revoked, scene.leftBehind, scene.told]).to.deep.equal([['token-2'], [], []]);
  });

  it('lets it go at the deadline where lists may still lack what came of an open mint: that is left to the sweep', async () => {
    const scene = new Scene({ ...TOKEN, status: { mintIntent: anIntent() } });
    scene.results = undefined;
    expect(await scene.finish()).to.equal(LIMIT);
    expect(scene.did).to.deep.equal(['scopes noted', 'finalizer removed']);
    expect(scene.leftBehind).to.deep.equal(['default in us-south']);
    expect(scene.told).to.deep.equal(['RevocationFailed']);
  });

  it('counts from its first look where the watch tells later', async () => {
    const scene = new Scene();
    scene.registry = 'down';
    scene.noticedAt = undefined;
    await scene.look();
    await scene.clock.advance(14_000);
    scene.noticedAt = 14_000;
    await scene.finish();
    expect(scene.clock.monotonic()).to.equal(LIMIT);
  });

  it('counts from when its process began to lead, what a watch told a standby long before', async () => {
    const scene = new Scene();
    scene.registry = 'down';
    scene.noticedAt = -60_000;
    await scene.finish();
    expect(scene.clock.monotonic()).to.equal(LIMIT);
  });

  it('finds out in three seconds that a registry hangs', async () => {
    const scene = new Scene();
    scene.registry = 'silent';
    expect((await scene.look()).took).to.equal(3_000);
  });

  it('tells the sweep although the answer to its going is lost: it may have gone', async () => {
    const scene = new Scene();
    scene.registry = 'down';
    scene.answer = 'lost';
    await scene.finish();
    expect(scene.leftBehind).to.deep.equal(EVERYWHERE);
  });

  for (const [webhook, took, most] of [
    ['down', 0, LIMIT],
    ['silent', 3_000, LIMIT + 3_000],
  ] as const) {
    it(`deletes the Secret and revokes at once though ServiceAccounts can't be changed: a webhook is ${webhook}`, async () => {
      const scene = new Scene();
      scene.webhook = webhook;
      scene.secrets = [secret('app', 'token-1')];
      expect((await scene.look()).took).to.equal(took);
      expect(scene.secrets).to.deep.equal([]);
      expect(scene.revoked).to.have.length(2);
      expect(scene.released).to.equal(0);
    });

    it(`goes without them after the deadline, and says so: a webhook is ${webhook}`, async () => {
      const scene = new Scene();
      scene.webhook = webhook;
      expect(await scene.finish()).to.be.within(LIMIT, most);
      expect(scene.told).to.deep.equal(['ReleaseFailed']);
      expect([scene.released, scene.leftBehind]).to.deep.equal([1, []]);
    });
  }

  it('releases them when that succeeds in time', async () => {
    const scene = new Scene();
    scene.webhook = 'down';
    await scene.look();
    scene.webhook = 'up';
    await scene.finish();
    expect([scene.released, scene.told]).to.deep.equal([1, []]);
  });

  describe('after a crash between the Secret of another name, with another token, and the status', () => {
    const RETAIN = { deletionPolicy: 'Retain' } as const;
    const both = [secret('app', 'token-1'), secret('renamed', 'token-2')];
    const renamed = (spec: RegistryToken['spec']): RegistryToken => ({
      ...TOKEN,
      spec: { ...spec, secret: { name: 'renamed' } },
      status: { ...TOKEN.status, mintIntent: anIntent(), secretRef: { name: 'app', uid: 'secret-uid' } },
    });

    it('deletes both Secrets', async () => {
      const scene = new Scene(renamed({}));
      scene.secrets = both;
      await scene.finish();
      expect([scene.secrets, scene.revoked]).to.deep.equal([[], ['token-1', 'token-0', 'token-2']]);
    });

    it('keeps the tokens of both where they are to stay', async () => {
      const scene = new Scene(renamed(RETAIN));
      const kept = [secret('app', 'token-1', RETAIN), secret('renamed', 'token-2', RETAIN)];
      scene.secrets = kept;
      await scene.finish();
      expect(scene.secrets).to.deep.equal(kept);
      expect(scene.retained).to.have.members(['token-1', 'token-2']);
      expect(scene.revoked).to.deep.equal(['token-0']);
    });

    it('keeps none that its Secret names and that is another’s by its tag', async () => {
      const scene = new Scene(renamed(RETAIN));
      scene.results = [];
      scene.secrets = [secret('app', 'token-1', RETAIN), secret('renamed', 'token-2', RETAIN)];
      await scene.finish();
      expect(scene.retained).to.deep.equal(['token-1']);
    });

    it('revokes that of the first where it came to be retained in the same edit: Kubernetes collects that Secret', async () => {
      const scene = new Scene(renamed(RETAIN));
      scene.secrets = [secret('app', 'token-1'), secret('renamed', 'token-2', RETAIN)];
      await scene.finish();
      expect([scene.retained, scene.revoked]).to.deep.equal([['token-2'], ['token-1', 'token-0']]);
    });
  });
});

describe('what the watches know of a deleted RegistryToken', () => {
  const known = (): Scene => {
    const scene = new Scene();
    scene.recorded = scene.secrets = [secret('app', 'token-1')];
    return scene;
  };

  it('is enough to delete its Secret and to let it go: nothing is read', async () => {
    const scene = known();
    await scene.finish();
    expect([scene.read, scene.secrets, scene.released]).to.deep.equal([[], [], 1]);
  });

  it('is not enough where others have finalizers on it, which have to be kept', async () => {
    const scene = new Scene({ ...TOKEN, metadata: { ...TOKEN.metadata, finalizers: [FINALIZER, 'others'] } });
    await scene.finish();
    expect(scene.read).to.deep.equal(['RegistryToken', 'Secret app']);
    expect(scene.released).to.equal(1);
  });

  it('is not enough where it has changed since: what it left meanwhile goes too', async () => {
    const scene = known();
    scene.live = {
      ...TOKEN,
      metadata: { ...TOKEN.metadata, resourceVersion: 'later' },
      status: { ...TOKEN.status, previousTokens: [aPrevious({ id: 'token-of-late' })] },
    };
    await scene.finish();
    expect(scene.read).to.deep.equal(['RegistryToken', 'Secret app']);
    expect([scene.revoked.includes('token-of-late'), scene.released]).to.deep.equal([true, 1]);
  });

  it('is not enough where its Secret has changed since: that is read, and stays where it is another’s by now', async () => {
    const scene = known();
    const taken = {
      ...secret('app', 'token-1'),
      ...aSecret({}, { token: anIssuedToken({ metadata: { uid: 'another' } }) }),
    };
    scene.secrets = [{ ...taken, metadata: { ...taken.metadata, resourceVersion: 'later' } }];
    await scene.finish();
    expect(scene.secrets).to.have.length(1);
    expect([scene.read, scene.released]).to.deep.equal([['RegistryToken', 'Secret app'], 1]);
  });

  it('is old where it is gone: that is thrown for its controller to find out', async () => {
    const scene = known();
    scene.live = 'gone';
    expect((await scene.look()).result).to.have.property('status', 404);
  });
});

describe('what the tokens of a deleted RegistryToken hung on', () => {
  const FORBIDDEN: Failure = { reason: 'RegistryForbidden', message: 'not allowed', retryable: false };
  const RETAINED = { ...TOKEN, spec: { ...TOKEN.spec, deletionPolicy: 'Retain' as const } };

  it('is deleted after its tokens, at each place where it had some', async () => {
    const elsewhere = { ...PLACE, endpoint: 'https://de.icr.io' };
    const previousTokens = [
      aPrevious({ id: 'b', region: 'eu-de', place: elsewhere }),
      aPrevious({ id: 'c' }),
    ];
    const scene = new Scene({ ...TOKEN, status: { ...TOKEN.status, previousTokens } });
    await scene.finish();
    expect(scene.unhung).to.deep.equal(['default in us-south', 'default in eu-de']);
    expect(scene.revoked).to.deep.equal(['token-1', 'b', 'c']);
  });

  it('stays where its tokens could not be revoked, or are to stay', async () => {
    const failing = new Scene();
    failing.registry = 'down';
    await failing.finish();
    const retained = new Scene(RETAINED);
    retained.secrets = [secret('app', 'token-1', { deletionPolicy: 'Retain' })];
    await retained.finish();
    expect([failing.unhung, retained.unhung]).to.deep.equal([[], []]);
  });

  it('is deleted though the policy is Retain, where no token is left to stay', async () => {
    const scene = new Scene({ ...RETAINED, status: { mintIntent: anIntent() } });
    scene.results = [];
    await scene.finish();
    expect(scene.unhung).to.deep.equal(['default in us-south']);
  });

  it('is tried until the deadline, then left to the sweep, and nobody is told that tokens are left', async () => {
    const scene = new Scene();
    scene.unhanging = FORBIDDEN;
    expect((await scene.look()).result).to.have.property('requeueAfter');
    expect(scene.released).to.equal(0);
    expect(await scene.finish()).to.equal(LIMIT);
    expect([scene.released, scene.leftBehind]).to.deep.equal([1, EVERYWHERE]);
    expect(scene.notes).to.deep.equal([
      'deleted, but what its tokens hung on could not be deleted in time: not allowed',
    ]);
    expect(scene.counted).to.deep.equal([]);
    expect(scene.did).to.deep.equal(['finalizer removed']);
  });
});

describe('the scopes of a deleted RegistryToken', () => {
  it('are written down before it goes, where it leaves tokens', async () => {
    const scene = new Scene();
    scene.registry = 'down';
    await scene.finish();
    expect(scene.did).to.deep.equal(['scopes noted', 'finalizer removed']);
    expect(scene.counted).to.deep.equal(['abandoned']);
    expect(scene.notes).to.deep.equal(['deleted, but its tokens could not be revoked in time: no answer']);
  });

  it('are written down where a mint was begun, of which a token may come late', async () => {
    const scene = new Scene({ ...TOKEN, status: { ...TOKEN.status, mintIntent: anIntent() } });
    await scene.finish();
    expect(scene.did).to.deep.equal(['scopes noted', 'finalizer removed']);
    expect(scene.leftBehind).to.deep.equal([]);
  });

  it('are not written down where nothing is left', async () => {
    const scene = new Scene();
    await scene.finish();
    expect(scene.did).to.deep.equal(['finalizer removed']);
  });

  it('keep it from going as long as they can not be written down', async () => {
    const scene = new Scene();
    scene.registry = 'down';
    scene.noting = new KubeError('down', { status: 503 });
    await scene.finish();
    expect([scene.released, scene.leftBehind]).to.deep.equal([0, []]);
  });
});
