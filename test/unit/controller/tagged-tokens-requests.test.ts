import { expect } from 'chai';
import type { MintIntent, RegistryToken } from '../../../src/api/registry-token.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { TaggedTokens, type TaggedTokensOptions } from '../../../src/controller/token/tagged-tokens.ts';
import type { TokenList } from '../../../src/controller/shared/token-lists.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { readTag, type Tag } from '../../../src/token/sweep/tag.ts';
import {
  aCapability,
  aCredential,
  aKey,
  anIntent,
  anIssuedToken,
  ANOTHER_PLACE,
  aRecord,
  at,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  type Part,
  PLACE,
  SECOND,
} from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const CLUSTER = 'this-cluster';
const { uid: UID } = anIssuedToken().metadata;
const WHERE = { account: 'default', region: 'us-south', place: PLACE };
const { signal } = new AbortController();
const { username, value } = aCredential();
const NEW = { id: 'token-2', username, value, expiresAt: ISSUED + DAY };

/** A tagged, a registry with tokens of some tags, and what that is asked. */
class Stage {
  readonly memory = new Memory();
  readonly tags: [id: string, tag: Tag][] = [];
  readonly asked: unknown[] = [];
  /** Scopes in which tokens were looked for. */
  readonly searched: unknown[] = [];
  /** Whether nothing was listed yet. */
  isUnlisted = false;
  readBack = true;
  failure: RegistryError | undefined;
  /** How long a new token may be missing from a list, in milliseconds. */
  lag = 0;
  readonly clock = new VirtualClock(ISSUED + HOUR);
  readonly tagged: TaggedTokens;

  constructor() {
    const give = (what: unknown): Promise<typeof NEW> => {
      this.asked.push(what);
      return this.failure ? Promise.reject(this.failure) : Promise.resolve(NEW);
    };
    const registryOf = ({ account, region }: MintIntent): object => {
      this.asked.push(`${account}/${region}`);
      return {
        capabilities: aCapability({ readBack: this.readBack, settling: { listing: this.lag } }),
        issue: (request: object) => give(request),
        read: (id: string) => give(`read ${id}`),
      };
    };
    const list = (): TokenList => ({
      tokens: new Map(this.tags.map(([id, tag]) => [id, { id, tag, expiresAt: null }])),
      identities: [],
      scopes: new Set(),
      dead: new Set(),
      foundIn: new Map(),
      unread: new Map(),
      askedAt: this.clock.monotonic(),
    });
    const options = {
      sessions: { registryOf, moment: () => ({ now: 0, registryNow: 0 }) },
      memory: this.memory,
      lists: {
        current: ({ scope }: { scope: unknown }) => {
          this.searched.push(scope);
          this.asked.push('list');
          return Promise.resolve(list());
        },
        last: ({ scope }: { scope: unknown }) => {
          this.searched.push(scope);
          return this.isUnlisted ? undefined : list();
        },
        find: ({ scope }: { scope: unknown }, select: (each: TokenList) => unknown) => {
          this.searched.push(scope);
          return Promise.resolve(select(list()));
        },
      },
      clusterId: CLUSTER,
      clock: this.clock,
    };
    this.tagged = new TaggedTokens(options as unknown as TaggedTokensOptions);
  }

  /** The registry has a token with this RegistryToken's tag, unless told otherwise. */
  has(id: string, tag: Partial<Tag> = {}): this {
    this.tags.push([id, { clusterId: CLUSTER, uid: UID, revision: 2, ...tag }]);
    return this;
  }
}

describe('a request for a token', () => {
  it('asks for what the intent and the spec say, under a tag that tells whose it is', async () => {
    const stage = new Stage();
    const what = { access: 'ReadWrite', specHash: 'as intended', scope: ['team-a', 'team-b'] } as const;
    const intent = anIntent({
      ...WHERE,
      ...what,
      scope: [...what.scope],
      region: 'eu-de',
      nonce: 'abcdefgh',
    });
    const given = stage.tagged.issue(anIssuedToken(), intent, 'of team one', DAY, signal);
    expect(await given).to.equal(NEW);
    const [where, request] = stage.asked as [string, { description: string }];
    expect(where).to.equal('default/eu-de');
    expect(request).to.deep.include({ ...what, lifetime: DAY });
    expect(request).to.deep.include({
      tag: { clusterId: CLUSTER, uid: UID, revision: 2, nonce: 'abcdefgh' },
    });
    expect(request.description).to.match(/^of team one /);
    expect(readTag(request.description)).to.deep.equal({
      clusterId: CLUSTER,
      uid: UID,
      revision: 2,
      nonce: 'abcdefgh',
    });
  });

  it('asks for all that the account can give where its intent names no scope', async () => {
    const stage = new Stage();
    await stage.tagged.issue(anIssuedToken(), anIntent(), '', DAY, signal);
    expect(stage.asked[1]).to.deep.include({ scope: [] });
  });

  it('is remembered: its value, and that it is what the intent gave', async () => {
    const stage = new Stage();
    await stage.tagged.issue(anIssuedToken(), anIntent(), '', DAY, signal);
    expect(stage.memory.intentResult(UID, anIntent())).to.deep.equal(aKey('token-2'));
    expect(stage.memory.recall(UID, aKey('token-2'))).to.equal(NEW);
  });
});

describe('the highest revision that is known to be at a registry', () => {
  const highest = (stage: Stage, isToAsk = true): Promise<number> =>
    stage.tagged.highestRevision(UID, WHERE, isToAsk, signal);

  it('is that of the RegistryToken’s own tokens, whatever others have', async () => {
    const stage = new Stage()
      .has('a', { revision: 3 })
      .has('b', { revision: 5 })
      .has('c', { revision: 4 })
      .has('d', { revision: 8, uid: 'another' })
      .has('e', { revision: 9, clusterId: 'another' });
    expect(await highest(stage)).to.equal(5);
  });

  it('is 0 where there is none', async () => {
    expect(await highest(new Stage().has('a', { uid: 'another' }))).to.equal(0);
  });

  it('is asked for only where it is to be', async () => {
    const stage = new Stage().has('a', { revision: 3 });
    expect([await highest(stage, false), stage.asked]).to.deep.equal([3, []]);
    await highest(stage, true);
    expect(stage.asked).to.deep.equal(['list']);
  });

  it('is 0 where nothing was listed yet and it is not to be asked for', async () => {
    const stage = new Stage().has('a');
    stage.isUnlisted = true;
    expect(await highest(stage, false)).to.equal(0);
  });
});

describe('what came of an intent by its tag', () => {
  it('is what has the same revision and nonce, of this cluster and RegistryToken', async () => {
    const stage = new Stage()
      .has('a', { nonce: 'abcdefgh' })
      .has('b', { nonce: 'another0' })
      .has('c')
      .has('d', { nonce: 'abcdefgh', revision: 3 })
      .has('e', { nonce: 'abcdefgh', uid: 'another' })
      .has('f', { nonce: 'abcdefgh', clusterId: 'another' });
    expect(await stage.tagged.resultsOf(UID, anIntent({ nonce: 'abcdefgh' }), signal)).to.deep.equal(['a']);
  });

  it('is not known where it can not be read: the intent stays', async () => {
    const stage = new Stage().has('token-2');
    stage.failure = new RegistryError('Unavailable', 'down');
    const settled: unknown = await stage.tagged
      .settle(anIssuedToken(), anIntent(), false, signal)
      .catch((error: unknown) => error);
    expect(settled).to.equal(stage.failure);
  });
});

describe('what came of an intent', () => {
  for (const [what, lag] of [
    ['ten seconds', 0],
    ['ten seconds more than a new token can be missing from a list', MINUTE],
  ] as const)
    it(`is waited for, from when its answer was given up, for ${what}`, async () => {
      const stage = new Stage();
      stage.lag = lag;
      const settled = await stage.tagged.settle(
        anIssuedToken(),
        anIntent({ startedAt: at(HOUR) }),
        false,
        signal,
      );
      expect(settled).to.include({ result: 'pending', until: ISSUED + HOUR + lag + 10 * SECOND });
    });

  for (const [whose, startedAt] of [
    ['ahead', 2 * HOUR],
    ['behind', -HOUR],
  ] as const)
    it(`is not taken for lost while lists can lack it, though recorded by a process whose clock was ${whose}`, async () => {
      const stage = new Stage();
      stage.lag = MINUTE;
      const settle = async (): Promise<string> => {
        const intent = anIntent({ startedAt: at(startedAt), phase: 'Verifying' });
        return (await stage.tagged.settle(anIssuedToken(), intent, false, signal)).result;
      };
      expect(await settle()).to.equal('pending');
      await stage.clock.advance(MINUTE - 1);
      expect(await settle()).to.equal('pending');
      await stage.clock.advance(10 * SECOND + 1);
      expect(await settle()).to.equal('lost');
    });

  describe('of a RegistryToken that is deleted', () => {
    const intent = anIntent({ nonce: 'abcdefgh' });
    let stage: Stage;
    const results = (): Promise<string[] | undefined> => stage.tagged.resultsOf(UID, intent, signal);
    beforeEach(() => {
      stage = new Stage();
      stage.lag = MINUTE;
    });

    it('is what this process created, whatever lists show', async () => {
      stage.memory.rememberIntent(UID, intent, 'token-2');
      expect(await results()).to.deep.equal(['token-2']);
      expect(stage.asked).to.not.include('list');
    });

    it('is not what this process created for an intent of that revision at another registry', async () => {
      stage.memory.rememberIntent(UID, { ...intent, place: ANOTHER_PLACE }, 'token-2');
      expect(await results()).to.equal(undefined);
      stage.memory.noteDead(UID, aKey('token-2', ANOTHER_PLACE));
      expect(await results()).to.equal(undefined);
    });

    it('is not known while lists can lack it, and nothing once they can not', async () => {
      expect(await results()).to.equal(undefined);
      await stage.clock.advance(MINUTE - 1);
      expect(await results()).to.equal(undefined);
      await stage.clock.advance(1);
      expect(await results()).to.deep.equal([]);
    });

    it('is looked for as long anew where another mint has the revision', async () => {
      expect(await results()).to.equal(undefined);
      await stage.clock.advance(MINUTE);
      const other = anIntent({ nonce: 'another0' });
      expect(await stage.tagged.resultsOf(UID, other, signal)).to.equal(undefined);
    });

    it('is nothing more once it was revoked, whatever lists show', async () => {
      stage.has('token-2', { nonce: 'abcdefgh' });
      expect(await results()).to.deep.equal(['token-2']);
      stage.memory.noteDead(UID, aKey('token-2'));
      expect(await results()).to.deep.equal([]);
    });
  });

  it('that is to be revoked is recorded with what it was made for', async () => {
    const stage = new Stage().has('token-2');
    stage.readBack = false;
    const intent = anIntent({ specHash: 'as intended', scope: ['team-a'], phase: 'Verifying' });
    const made = { revision: 2, specHash: 'as intended', scope: ['team-a'], issuedAt: intent.startedAt };
    const stray = { id: 'token-2', ...made, ...WHERE };
    expect(await stage.tagged.settle(anIssuedToken(), intent, false, signal)).to.deep.equal({
      result: 'lost',
      strays: [stray],
    });
  });
});

describe('where a registry keeps scopes apart', () => {
  it('what came of a mint, its revisions and its value are looked for in the scope of each', async () => {
    const stage = new Stage();
    const scope = ['team-a'];
    const record = aRecord({ scope });
    await stage.tagged.settle(anIssuedToken(), anIntent({ scope }), false, signal);
    await stage.tagged.resultsOf(UID, anIntent({ scope }), signal);
    await stage.tagged.highestRevision(UID, { ...WHERE, scope }, true, signal);
    await stage.tagged.highestRevision(UID, { ...WHERE, scope }, false, signal);
    await stage.tagged.readBack(anIssuedToken({ status: { token: record } }), signal);
    expect(stage.searched).to.deep.equal(Array.from({ length: 5 }, () => scope));
  });
});

describe('the value of the token in force', () => {
  const readBack = (stage: Stage, part: Part<RegistryToken> = {}): Promise<unknown> =>
    stage.tagged.readBack(anIssuedToken(part), signal).catch((error: unknown) => error);

  it('is read back where its tag is the RegistryToken’s', async () => {
    const stage = new Stage().has('token-1');
    expect(await readBack(stage)).to.equal(NEW);
    expect(stage.asked).to.deep.equal(['default/us-south', 'read token-1']);
  });

  const others: [what: string, tag: Partial<Tag>][] = [
    ['another RegistryToken’s', { uid: 'another' }],
    ['another cluster’s', { clusterId: 'another' }],
  ];
  for (const [what, tag] of others)
    it(`is not read back where its tag is ${what}`, async () => {
      expect(await readBack(new Stage().has('token-1', tag))).to.equal('gone');
    });

  it('is not asked for where there is none, or the registry gives none back', async () => {
    const stage = new Stage().has('token-1');
    expect(await readBack(stage, { status: { token: undefined } })).to.equal('gone');
    expect(stage.asked).to.deep.equal([]);
    stage.readBack = false;
    expect(await readBack(stage)).to.equal('withheld');
    expect(stage.asked).to.deep.equal(['default/us-south']);
  });

  it('is not taken for gone where the registry fails', async () => {
    const stage = new Stage().has('token-1');
    stage.failure = new RegistryError('Unavailable', 'down');
    expect(await readBack(stage)).to.equal(stage.failure);
  });
});
