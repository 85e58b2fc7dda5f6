import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Failure } from '../../../src/token/lifecycle/failure.ts';
import { anIntent, anIssuedToken, ANOTHER_PLACE, aPrevious, aSecret, PLACE } from '../../support/builders.ts';
import { EVERYWHERE, FinalizerStage, LIMIT, secret, TOKEN } from './support/finalizer-stage.ts';

describe('the finalizer of a RegistryToken', () => {
  it('revokes its tokens, and leaves nothing', async () => {
    const scene = new FinalizerStage();
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
    const revokedBy = async (issueAt: FinalizerStage['issueAt']): Promise<string[]> => {
      const scene = new FinalizerStage(claimed);
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
    const scene = new FinalizerStage(token);
    await scene.finish();
    expect(scene.revoked).to.deep.equal(['token-1', 'token-1 at another']);
    const retained = new FinalizerStage({ ...token, spec: { deletionPolicy: 'Retain' } });
    retained.secrets = [secret('app', 'token-1', { deletionPolicy: 'Retain' })];
    await retained.finish();
    expect([retained.retained, retained.revoked]).to.deep.equal([['token-1'], ['token-1 at another']]);
  });

  it('takes its Secret out of ServiceAccounts, and deletes it', async () => {
    const scene = new FinalizerStage();
    scene.secrets = [secret('app', 'token-1')];
    await scene.finish();
    expect([scene.entriesStay, scene.secrets]).to.deep.equal([false, []]);
  });

  it('leaves its Secret in ServiceAccounts where it is to stay', async () => {
    const retained = { ...TOKEN, spec: { ...TOKEN.spec, deletionPolicy: 'Retain' as const } };
    const scene = new FinalizerStage(retained);
    const kept = [secret('app', 'token-1', { deletionPolicy: 'Retain' })];
    scene.secrets = kept;
    await scene.finish();
    expect([scene.entriesStay, scene.secrets]).to.deep.equal([true, kept]);
  });

  it('leaves a Secret of its name that is another’s by now', async () => {
    const scene = new FinalizerStage();
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
    const scene = new FinalizerStage();
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
      const scene = new FinalizerStage();
      scene.registry = registry;
      await scene.clock.advance(delay);
      expect(await scene.finish()).to.be.within(least, most);
      expect(scene.released).to.equal(1);
      expect(scene.leftBehind).to.deep.equal(EVERYWHERE);
      expect(scene.told).to.deep.equal(['RevocationFailed']);
    });

  it('revokes what came of an open mint once lists show it', async () => {
    const scene = new FinalizerStage({ ...TOKEN, status: { mintIntent: anIntent() } });
    scene.results = undefined;
    expect((await scene.look()).result).to.deep.equal({ requeueAfter: 2_000 });
    expect(scene.released).to.equal(0);
    scene.results = ['token-2'];
    await scene.finish();
    expect([scene.revoked, scene.leftBehind, scene.told]).to.deep.equal([['token-2'], [], []]);
  });

  it('lets it go at the deadline where lists may still lack what came of an open mint: that is left to the sweep', async () => {
    const scene = new FinalizerStage({ ...TOKEN, status: { mintIntent: anIntent() } });
    scene.results = undefined;
    expect(await scene.finish()).to.equal(LIMIT);
    expect(scene.did).to.deep.equal(['scopes noted', 'finalizer removed']);
    expect(scene.leftBehind).to.deep.equal(['default in us-south']);
    expect(scene.told).to.deep.equal(['RevocationFailed']);
  });

  it('counts from its first look where the watch tells later', async () => {
    const scene = new FinalizerStage();
    scene.registry = 'down';
    scene.noticedAt = undefined;
    await scene.look();
    await scene.clock.advance(14_000);
    scene.noticedAt = 14_000;
    await scene.finish();
    expect(scene.clock.monotonic()).to.equal(LIMIT);
  });

  it('counts from when its process began to lead, what a watch told a standby long before', async () => {
    const scene = new FinalizerStage();
    scene.registry = 'down';
    scene.noticedAt = -60_000;
    await scene.finish();
    expect(scene.clock.monotonic()).to.equal(LIMIT);
  });

  it('finds out in three seconds that a registry hangs', async () => {
    const scene = new FinalizerStage();
    scene.registry = 'silent';
    expect((await scene.look()).took).to.equal(3_000);
  });

  it('tells the sweep although the answer to its going is lost: it may have gone', async () => {
    const scene = new FinalizerStage();
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
      const scene = new FinalizerStage();
      scene.webhook = webhook;
      scene.secrets = [secret('app', 'token-1')];
      expect((await scene.look()).took).to.equal(took);
      expect(scene.secrets).to.deep.equal([]);
      expect(scene.revoked).to.have.length(2);
      expect(scene.released).to.equal(0);
    });

    it(`goes without them after the deadline, and says so: a webhook is ${webhook}`, async () => {
      const scene = new FinalizerStage();
      scene.webhook = webhook;
      expect(await scene.finish()).to.be.within(LIMIT, most);
      expect(scene.told).to.deep.equal(['ReleaseFailed']);
      expect([scene.released, scene.leftBehind]).to.deep.equal([1, []]);
    });
  }

  it('releases them when that succeeds in time', async () => {
    const scene = new FinalizerStage();
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
      const scene = new FinalizerStage(renamed({}));
      scene.secrets = both;
      await scene.finish();
      expect([scene.secrets, scene.revoked]).to.deep.equal([[], ['token-1', 'token-0', 'token-2']]);
    });

    it('keeps the tokens of both where they are to stay', async () => {
      const scene = new FinalizerStage(renamed(RETAIN));
      const kept = [secret('app', 'token-1', RETAIN), secret('renamed', 'token-2', RETAIN)];
      scene.secrets = kept;
      await scene.finish();
      expect(scene.secrets).to.deep.equal(kept);
      expect(scene.retained).to.have.members(['token-1', 'token-2']);
      expect(scene.revoked).to.deep.equal(['token-0']);
    });

    it('keeps none that its Secret names and that is another’s by its tag', async () => {
      const scene = new FinalizerStage(renamed(RETAIN));
      scene.results = [];
      scene.secrets = [secret('app', 'token-1', RETAIN), secret('renamed', 'token-2', RETAIN)];
      await scene.finish();
      expect(scene.retained).to.deep.equal(['token-1']);
    });

    it('revokes that of the first where it came to be retained in the same edit: Kubernetes collects that Secret', async () => {
      const scene = new FinalizerStage(renamed(RETAIN));
      scene.secrets = [secret('app', 'token-1'), secret('renamed', 'token-2', RETAIN)];
      await scene.finish();
      expect([scene.retained, scene.revoked]).to.deep.equal([['token-2'], ['token-1', 'token-0']]);
    });
  });
});

describe('what the watches know of a deleted RegistryToken', () => {
  const known = (): FinalizerStage => {
    const scene = new FinalizerStage();
    scene.recorded = scene.secrets = [secret('app', 'token-1')];
    return scene;
  };

  it('is enough to delete its Secret and to let it go: nothing is read', async () => {
    const scene = known();
    await scene.finish();
    expect([scene.read, scene.secrets, scene.released]).to.deep.equal([[], [], 1]);
  });

  it('is not enough where others have finalizers on it, which have to be kept', async () => {
    const scene = new FinalizerStage({
      ...TOKEN,
      metadata: { ...TOKEN.metadata, finalizers: [FINALIZER, 'others'] },
    });
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
    const scene = new FinalizerStage({ ...TOKEN, status: { ...TOKEN.status, previousTokens } });
    await scene.finish();
    expect(scene.unhung).to.deep.equal(['default in us-south', 'default in eu-de']);
    expect(scene.revoked).to.deep.equal(['token-1', 'b', 'c']);
  });

  it('stays where its tokens could not be revoked, or are to stay', async () => {
    const failing = new FinalizerStage();
    failing.registry = 'down';
    await failing.finish();
    const retained = new FinalizerStage(RETAINED);
    retained.secrets = [secret('app', 'token-1', { deletionPolicy: 'Retain' })];
    await retained.finish();
    expect([failing.unhung, retained.unhung]).to.deep.equal([[], []]);
  });

  it('is deleted though the policy is Retain, where no token is left to stay', async () => {
    const scene = new FinalizerStage({ ...RETAINED, status: { mintIntent: anIntent() } });
    scene.results = [];
    await scene.finish();
    expect(scene.unhung).to.deep.equal(['default in us-south']);
  });

  it('is tried until the deadline, then left to the sweep, and nobody is told that tokens are left', async () => {
    const scene = new FinalizerStage();
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
    const scene = new FinalizerStage();
    scene.registry = 'down';
    await scene.finish();
    expect(scene.did).to.deep.equal(['scopes noted', 'finalizer removed']);
    expect(scene.counted).to.deep.equal(['abandoned']);
    expect(scene.notes).to.deep.equal(['deleted, but its tokens could not be revoked in time: no answer']);
  });

  it('are written down where a mint was begun, of which a token may come late', async () => {
    const scene = new FinalizerStage({ ...TOKEN, status: { ...TOKEN.status, mintIntent: anIntent() } });
    await scene.finish();
    expect(scene.did).to.deep.equal(['scopes noted', 'finalizer removed']);
    expect(scene.leftBehind).to.deep.equal([]);
  });

  it('are not written down where nothing is left', async () => {
    const scene = new FinalizerStage();
    await scene.finish();
    expect(scene.did).to.deep.equal(['finalizer removed']);
  });

  it('keep it from going as long as they can not be written down', async () => {
    const scene = new FinalizerStage();
    scene.registry = 'down';
    scene.noting = new KubeError('down', { status: 503 });
    await scene.finish();
    expect([scene.released, scene.leftBehind]).to.deep.equal([0, []]);
  });
});
