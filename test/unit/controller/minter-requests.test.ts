import { expect } from 'chai';
import type { MintIntent, RegistryToken } from '../../../src/api/registry-token.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { Minter, type MinterOptions } from '../../../src/controller/token/minter.ts';
import type { TokenList } from '../../../src/controller/shared/token-lists.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { readTag, type Tag } from '../../../src/token/sweep/tag.ts';
import {
  aCredential,
  anIntent,
  anIssuedToken,
  aTokenSpec,
  DAY,
  HOUR,
  ISSUED,
  type Part,
  PLACE,
} from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const CLUSTER = 'this-cluster';
const { uid: UID } = anIssuedToken().metadata;
const WHERE = { account: 'default', region: 'us-south', place: PLACE };
const { signal } = new AbortController();
const { username, value } = aCredential();
const NEW = { id: 'token-2', username, value, expiresAt: ISSUED + DAY };

/** A minter, a registry with tokens of some tags, and what that is asked. */
class Stage {
  readonly memory = new Memory();
  readonly tags: [id: string, tag: Tag][] = [];
  readonly asked: unknown[] = [];
  /** Whether nothing was listed yet. */
  isUnlisted = false;
  readBack = true;
  failure: RegistryError | undefined;
  readonly minter: Minter;

  constructor() {
    const give = (what: unknown): Promise<typeof NEW> => {
      this.asked.push(what);
      return this.failure ? Promise.reject(this.failure) : Promise.resolve(NEW);
    };
    const registryOf = ({ account, region }: MintIntent): object => {
      this.asked.push(`${account}/${region}`);
      return {
        capabilities: { readBack: this.readBack },
        mint: (request: object) => give(request),
        read: (id: string) => give(`read ${id}`),
      };
    };
    const list = (): TokenList => ({
      tokens: new Map(this.tags.map(([id, tag]) => [id, { id, tag, expiresAt: null }])),
      askedAt: 0,
    });
    const options = {
      sessions: { registryOf },
      memory: this.memory,
      lists: {
        current: () => {
          this.asked.push('list');
          return Promise.resolve(list());
        },
        last: () => (this.isUnlisted ? undefined : list()),
        find: (_: unknown, select: (each: TokenList) => unknown) => Promise.resolve(select(list())),
      },
      clusterId: CLUSTER,
      clock: new VirtualClock(ISSUED + HOUR),
    };
    this.minter = new Minter(options as unknown as MinterOptions);
  }

  /** The registry has a token with this RegistryToken's tag, unless told otherwise. */
  has(id: string, tag: Partial<Tag> = {}): this {
    this.tags.push([id, { clusterId: CLUSTER, uid: UID, revision: 2, ...tag }]);
    return this;
  }
}

describe('a mint', () => {
  it('asks for what the intent and the spec say, under a tag that tells whose it is', async () => {
    const stage = new Stage();
    const intent = anIntent({ ...WHERE, region: 'eu-de', access: 'ReadWrite', nonce: 'abcdefgh' });
    const spec = aTokenSpec({ description: 'of team one', lifetime: DAY });
    expect(await stage.minter.mint(anIssuedToken(), spec, intent, signal)).to.equal(NEW);
    const [where, request] = stage.asked as [string, { description: string }];
    expect(where).to.equal('default/eu-de');
    expect(request).to.include({ access: 'ReadWrite', lifetime: DAY });
    expect(request.description).to.match(/^of team one /);
    expect(readTag(request.description)).to.deep.equal({
      clusterId: CLUSTER,
      uid: UID,
      revision: 2,
      nonce: 'abcdefgh',
    });
  });

  it('is remembered: its value, and that it is what the intent gave', async () => {
    const stage = new Stage();
    await stage.minter.mint(anIssuedToken(), aTokenSpec(), anIntent(), signal);
    expect(stage.memory.intentResult(UID, 2)).to.equal('token-2');
    expect(stage.memory.recall(UID, 'token-2')).to.equal(NEW);
  });
});

describe('the highest revision that is known to be at a registry', () => {
  const highest = (stage: Stage, isToAsk = true): Promise<number> =>
    stage.minter.highestRevision(UID, WHERE, isToAsk, signal);

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
    expect(await stage.minter.resultsOf(UID, anIntent({ nonce: 'abcdefgh' }), signal)).to.deep.equal(['a']);
  });

  it('is not known where it can not be read: the intent stays', async () => {
    const stage = new Stage().has('token-2');
    stage.failure = new RegistryError('Unavailable', 'down');
    const settled: unknown = await stage.minter
      .settle(anIssuedToken(), anIntent(), false, signal)
      .catch((error: unknown) => error);
    expect(settled).to.equal(stage.failure);
  });
});

describe('the value of the token in force', () => {
  const readBack = (stage: Stage, part: Part<RegistryToken> = {}): Promise<unknown> =>
    stage.minter.readBack(anIssuedToken(part), signal).catch((error: unknown) => error);

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
      expect(await readBack(new Stage().has('token-1', tag))).to.equal(undefined);
    });

  it('is not asked for where there is none, or the registry gives none back', async () => {
    const stage = new Stage().has('token-1');
    expect(await readBack(stage, { status: { token: undefined } })).to.equal(undefined);
    expect(stage.asked).to.deep.equal([]);
    stage.readBack = false;
    expect(await readBack(stage)).to.equal(undefined);
    expect(stage.asked).to.deep.equal(['default/us-south']);
  });

  it('is not taken for gone where the registry fails', async () => {
    const stage = new Stage().has('token-1');
    stage.failure = new RegistryError('Unavailable', 'down');
    expect(await readBack(stage)).to.equal(stage.failure);
  });
});
