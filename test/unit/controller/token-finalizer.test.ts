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
import type { SecretObject } from '../../../src/controller/token/secret-store.ts';
import { aCredential, anIntent, anIssuedToken, aPrevious, aSecret, at } from '../../support/builders.ts';
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

type Registry = 'up' | 'down' | 'silent';

/** A RegistryToken that is being deleted, with the registry as it is told to be. */
class Scene {
  readonly clock = new VirtualClock();
  readonly leftBehind: string[] = [];
  readonly revoked: string[] = [];
  readonly told: string[] = [];
  registry: Registry = 'up';
  /** What comes of changing ServiceAccounts. */
  webhook: 'up' | 'down' | 'silent' = 'up';
  secrets: SecretObject[] = [];
  readonly retained: string[] = [];
  /** Tokens at the registry that came of the open mint, by their tag. */
  results = ['token-2'];
  /** What comes of taking the finalizer away. */
  answer: 'given' | 'lost' = 'given';
  released = 0;
  /** Whether ServiceAccounts are to keep its Secrets. */
  entriesStay: boolean | undefined;
  noticedAt: number | undefined = 0;
  readonly #finalizer: TokenFinalizer;
  readonly #token: RegistryToken;

  constructor(token = TOKEN) {
    this.#token = token;
    const nothing = (): void => undefined;
    const options = {
      tokens: {
        read: () => Promise.resolve(this.#token),
        removeFinalizer: () => {
          this.released++;
          return this.answer === 'lost' ? Promise.reject(new Error('connection reset')) : Promise.resolve();
        },
      },
      secrets: {
        read: ({ name }: ObjectName) =>
          Promise.resolve(this.secrets.find(({ metadata }) => metadata.name === name)),
        remove: (gone: SecretObject) => {
          this.secrets = this.secrets.filter((each) => each !== gone);
          return Promise.resolve();
        },
      },
      linker: {
        release: (_: unknown, keepEntries: boolean, limited: AbortSignal) => {
          this.entriesStay = keepEntries;
          return this.#release(limited);
        },
      },
      sessions: { reach: () => ({ region: 'us-south' }) },
      minter: { resultsOf: () => Promise.resolve(this.results) },
      revoker: {
        revoke: (_: unknown, { id }: { id: string }, limited: AbortSignal) => this.#revoke(id, limited),
      },
      retention: { remember: (_: unknown, id: string) => Promise.resolve(void this.retained.push(id)) },
      memory: new Memory(),
      deletions: { noticedAt: () => this.noticedAt },
      events: { event: (_: unknown, __: unknown, reason: string) => void this.told.push(reason) },
      metrics: { revoked: nothing },
      logger: { error: nothing, warn: nothing, info: nothing, debug: nothing },
      clock: this.clock,
      random: () => 0,
      revocationDeadline: LIMIT,
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

  it('takes its Secret out of ServiceAccounts, and deletes it', async () => {
    const scene = new Scene();
    scene.secrets = [secret('app', 'token-1')];
    await scene.finish();
    expect([scene.entriesStay, scene.secrets]).to.deep.equal([false, []]);
  });

  it('leaves its Secret in ServiceAccounts where it is to stay', async () => {
    const retained = { ...TOKEN, spec: { ...TOKEN.spec, secret: { deletionPolicy: 'Retain' as const } } };
    const scene = new Scene(retained);
    const kept = [secret('app', 'token-1', { secret: { deletionPolicy: 'Retain' } })];
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
