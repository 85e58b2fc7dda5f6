import { expect } from 'chai';
import type { MintIntent, RegistryToken } from '../../../src/api/registry-token.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import type { AccountSessions } from '../../../src/controller/account/account-sessions.ts';
import { CredentialFinder } from '../../../src/controller/token/credential-finder.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { TaggedTokens, type Settlement } from '../../../src/controller/token/tagged-tokens.ts';
import { TokenLists } from '../../../src/controller/shared/token-lists.ts';
import { Repairer } from '../../../src/controller/token/repairer.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { IssuedToken, ListedToken, Registry, Select } from '../../../src/registry/port.ts';
import { decide, type Decision } from '../../../src/token/decide/decision.ts';
import { withStrays } from '../../../src/token/lifecycle/mint-steps.ts';
import { describe as describeToken, type Tag } from '../../../src/token/sweep/tag.ts';
import {
  ABSENT,
  aCapability,
  aKey,
  anIntent,
  anIssuedToken,
  aPrevious,
  aSituation,
  at,
  HOUR,
  ISSUED,
  type Part,
  PLACE,
  SECOND,
} from '../../support/builders.ts';
import { mint } from '../../support/decisions.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const NOW = ISSUED + HOUR;
const ONE_LIST = { listsApart: () => false, scopesOf: () => new Set<string>(), alsoTried: [] };
const CLUSTER = 'this-cluster';
const { uid: UID } = anIssuedToken().metadata;
const WHERE = { account: 'default', region: 'us-south', place: PLACE };
const { signal } = new AbortController();

/** A comparison does not look into its value: the user name tells whose it is. */
const issued = (id: string): IssuedToken => ({
  id,
  username: `user of ${id}`,
  value: new Redacted(`value of ${id}`),
  expiresAt: null,
});

/** A registry with some tokens, and a tagged. */
class Stage {
  readonly memory = new Memory();
  readonly tagged: TaggedTokens;
  readonly lists: TokenLists;
  /** What the registry was asked. */
  readonly asked: string[] = [];
  readonly rows: ListedToken[] = [];
  /** Listed, but gone by the time they are read. */
  readonly fleeting = new Set<string>();
  down = false;
  /** Whether what it lists may not be read. */
  isUnreadable = false;

  constructor(readBack: boolean) {
    const ask = (what: string): void => {
      this.asked.push(what);
      if (this.down) throw new RegistryError('Unavailable', 'us.icr.io does not answer');
    };
    const registry = {
      capabilities: aCapability({ readBack }),
      list: async <T>(_: unknown, select: Select<T>): Promise<T[]> => {
        ask('list');
        return this.rows.flatMap((row) => select(row) ?? []);
      },
      read: async (id: string) => {
        ask(`read ${id}`);
        if (this.isUnreadable) throw new RegistryError('Forbidden', 'you may not read it');
        if (this.fleeting.has(id)) throw new RegistryError('NotFound', 'there is no such token');
        return issued(id);
      },
    } as unknown as Registry;
    const sessions = {
      registryOf: () => registry,
      moment: () => ({ now: NOW, registryNow: NOW }),
    } as unknown as AccountSessions;
    const clock = new VirtualClock(NOW);
    this.lists = new TokenLists(sessions, clock, ONE_LIST);
    const { memory, lists } = this;
    this.tagged = new TaggedTokens({ sessions, memory, lists, clusterId: CLUSTER, clock });
  }

  /** The registry has a token with our tag. */
  has(id: string, revision: number, part: Partial<Tag & ListedToken> = {}): this {
    const { clusterId = CLUSTER, uid = UID, nonce, revoked = false } = part;
    const description = describeToken('', { clusterId, uid, revision, nonce });
    this.rows.push({ id, description, expiresAt: null, revoked });
    return this;
  }

  settle(intent: MintIntent, { token = anIssuedToken(), stranded = false } = {}): Promise<Settlement> {
    return this.tagged.settle(token, intent, stranded, signal);
  }
}

const stray = (id: string, revision: number): object => ({
  id,
  revision,
  specHash: anIntent().specHash,
  issuedAt: anIntent().startedAt,
  ...WHERE,
});
const codeOf = (error: unknown): unknown => (error instanceof RegistryError ? error.code : error);

describe('what came of a mint', () => {
  let stage: Stage;
  const earlier = anIntent({ revision: 2, phase: 'Unconfirmed' });

  describe('at a registry that gives values back', () => {
    beforeEach(() => {
      stage = new Stage(true);
    });

    it('is found by its tag: the token is adopted with the value that was read back', async () => {
      stage.has('token-1', 1).has('token-2', 2);
      const settlement = await stage.settle(earlier);
      expect(settlement).to.deep.equal({ result: 'found', issued: issued('token-2'), strays: [] });
      expect(stage.memory.recall(UID, aKey('token-2'))).to.deep.equal(issued('token-2'));
    });

    it('leaves every other token of this RegistryToken to the sweep: not all of them need be ours', async () => {
      stage.has('token-1', 1).has('other', 1).has('token-2', 2).has('later', 3);
      const settlement = await stage.settle(earlier);
      expect(settlement).to.deep.equal({ result: 'found', issued: issued('token-2'), strays: [] });
    });

    it('is not what another cluster with the same ids created under the same revision', async () => {
      const intent = { ...earlier, nonce: 'ouronce0' };
      stage.has('theirs', 2, { nonce: 'their0ne' }).has('older', 2);
      expect(await stage.settle(intent)).to.deep.equal({ result: 'lost', strays: [] });
      stage.has('ours', 2, { nonce: 'ouronce0' });
      stage.lists.forget('default');
      expect(await stage.settle(intent)).to.deep.equal({
        result: 'found',
        issued: issued('ours'),
        strays: [],
      });
    });

    it('is lost where the token is gone before it is read', async () => {
      stage.has('token-2', 2).fleeting.add('token-2');
      expect(await stage.settle(earlier)).to.deep.equal({ result: 'lost', strays: [stray('token-2', 2)] });
    });

    it('is lost where the token may not be read: that one is revoked, as one that the registry has', async () => {
      Object.assign(stage.has('token-2', 2), { isUnreadable: true });
      expect(await stage.settle(earlier)).to.deep.equal({ result: 'lost', strays: [stray('token-2', 2)] });
    });

    it('is lost where there is no such token, whatever others have', async () => {
      stage.has('other', 2, { uid: 'another' }).has('foreign', 2, { clusterId: 'another' });
      stage.has('dead', 2, { revoked: true });
      expect(await stage.settle(earlier)).to.deep.equal({ result: 'lost', strays: [] });
    });

    it('is waited for while it may still come', async () => {
      const { result, until } = (await stage.settle(anIntent({ startedAt: at(HOUR) }))) as Extract<
        Settlement,
        { result: 'pending' }
      >;
      expect({ result, until }).to.deep.equal({ result: 'pending', until: NOW + 10 * SECOND });
    });

    const untils: [string, MintIntent, Part<RegistryToken>['status'], number | undefined][] = [
      ['from the start of this process, where it was only announced', anIntent(), {}, NOW + 10 * SECOND],
      [
        'from when its answer was given up, where that got lost',
        earlier,
        { lastFailure: { time: at(HOUR - 2 * SECOND), reason: 'MintUnconfirmed', message: '' } },
        NOW + 8 * SECOND,
      ],
      ['no longer, where that was long ago', earlier, {}, undefined],
      ['no longer, where its token was there', anIntent({ phase: 'Verifying' }), {}, undefined],
    ];
    for (const [since, intent, status, until] of untils) {
      it(`is waited for ten seconds, ${since}`, async () => {
        const settlement = await stage.settle(intent, { token: anIssuedToken({ status }) });
        expect('until' in settlement ? settlement.until : undefined).to.equal(until);
      });
    }

    it('is not known while the registry can not be asked', async () => {
      stage.down = true;
      expect(await stage.settle(earlier).catch(codeOf)).to.equal('Unavailable');
    });
  });

  describe('at a registry that never gives values back', () => {
    beforeEach(() => {
      stage = new Stage(false);
    });

    it('is lost though its token is there: that one is revoked, and another is created', async () => {
      const token = anIssuedToken({ status: { mintIntent: earlier } });
      stage.has('token-1', 1).has('token-2', 2);
      const settlement = await stage.settle(earlier, { token });
      expect(settlement).to.deep.equal({ result: 'lost', strays: [stray('token-2', 2)] });
      expect(stage.asked).to.deep.equal(['list']);
      const { strays } = settlement as Extract<Settlement, { result: 'lost' }>;
      const { previousTokens } = withStrays(token.status ?? {}, strays, NOW);
      expect(previousTokens).to.deep.equal([{ ...stray('token-2', 2), revokeAt: at(HOUR) }]);
    });

    it('is waited for while it may still come', async () => {
      const settlement = await stage.settle(anIntent({ startedAt: at(HOUR) }));
      expect(settlement).to.include({ result: 'pending' });
    });

    it('is lost where there is no such token', async () => {
      expect(await stage.settle(earlier)).to.deep.equal({ result: 'lost', strays: [] });
    });
  });

  for (const readBack of [true, false]) {
    describe(`${readBack ? 'with' : 'without'} read-back, the registry is not asked`, () => {
      beforeEach(() => {
        stage = new Stage(readBack);
        stage.down = true;
      });
      afterEach(() => expect(stage.asked).to.deep.equal([]));

      it('where this process created the token itself', async () => {
        stage.memory.remember(UID, issued('token-2'), PLACE);
        stage.memory.rememberIntent(UID, earlier, 'token-2');
        const found = { result: 'found', issued: issued('token-2'), strays: [] };
        expect(await stage.settle(earlier)).to.deep.equal(found);
        // It is recorded then, and revoked should the place come back.
        expect(await stage.settle(earlier, { stranded: true })).to.deep.equal(found);
      });

      it('where what came of it was of no use', async () => {
        const discarded = anIntent({ phase: 'Discarded', startedAt: at(HOUR) });
        expect(await stage.settle(discarded)).to.deep.equal({ result: 'lost', strays: [] });
      });

      it('where what came of it is to be revoked already', async () => {
        const token = anIssuedToken({
          status: { previousTokens: [aPrevious({ id: 'token-2', revision: 2 })] },
        });
        expect(await stage.settle(earlier, { token })).to.deep.equal({ result: 'lost', strays: [] });
      });

      it('where its account or region is gone: it is lost at once, however fresh', async () => {
        const fresh = anIntent({ startedAt: at(HOUR) });
        expect(await stage.settle(fresh, { stranded: true })).to.deep.equal({ result: 'lost', strays: [] });
      });
    });
  }
});

describe('the value of the token in force', () => {
  const readBack = (
    stage: Stage,
    token: RegistryToken = anIssuedToken(),
  ): ReturnType<TaggedTokens['readBack']> => stage.tagged.readBack(token, signal);

  it('is read back where the token is ours by its tag, and remembered', async () => {
    const stage = new Stage(true).has('token-1', 1);
    expect(await readBack(stage)).to.deep.equal(issued('token-1'));
    expect(stage.memory.recall(UID, aKey('token-1'))).to.deep.equal(issued('token-1'));
  });

  const cases: [string, Stage, Awaited<ReturnType<TaggedTokens['readBack']>>][] = [
    ['the registry has no such token', new Stage(true), 'gone'],
    ['it is revoked', new Stage(true).has('token-1', 1, { revoked: true }), 'gone'],
    [
      'it is another RegistryToken’s, whatever the status says',
      new Stage(true).has('token-1', 1, { uid: 'b' }),
      'gone',
    ],
    ['the registry never gives values back', new Stage(false).has('token-1', 1), 'withheld'],
  ];
  for (const [where, stage, answer] of cases) {
    it(`is not to be had where ${where}, and nothing is read`, async () => {
      expect(await readBack(stage)).to.equal(answer);
      expect(stage.asked).to.not.include('read token-1');
    });
  }

  it('is not to be had where the token is gone before it is read', async () => {
    const stage = new Stage(true).has('token-1', 1);
    stage.fleeting.add('token-1');
    expect(await readBack(stage)).to.equal('gone');
  });

  it('is not known to be lost while the registry can not be asked', async () => {
    const stage = new Stage(true);
    stage.down = true;
    expect(await readBack(stage).catch(codeOf)).to.equal('Unavailable');
  });

  it('where a registry never gives it back, a Secret to repair calls for another token', async () => {
    const stage = new Stage(false).has('token-1', 1);
    const lost = { secret: ABSENT, valueIsKnown: false };
    const situation = aSituation(lost);
    const decision = decide(situation) as Extract<Decision, { action: 'write' }>;
    expect(decision).to.include({ action: 'write', reason: 'SecretMissing' });
    const { token, spec, wanted, secret } = situation;
    const status = token.status ?? {};
    const task = { token, status, spec, wanted, secret, tokenIsGone: false, stake: 'nothing' as const };
    const result = await aRepairer(stage).repair(task, decision, signal);
    expect(result).to.equal('token is gone');
    const tokenIsGone = stage.memory.isValueLost(UID, aKey(), undefined);
    expect(decide(aSituation({ ...lost, tokenIsGone }))).to.include(mint('TokenLost'));
  });
});

/** One that must neither write nor fail. */
function aRepairer({ memory, tagged }: Stage): Repairer {
  const nothing = (): void => undefined;
  return new Repairer({
    memory,
    verifier: { try: () => expect.fail('it is not to be adopted') },
    credentials: new CredentialFinder({
      tagged,
      memory,
      formerSecrets: { credential: () => Promise.resolve(undefined) },
    }),
    secrets: { write: () => expect.fail('a Secret is written') },
    events: { event: nothing },
    metrics: {
      minted: nothing,
      revoked: nothing,
      repaired: nothing,
      orphans: nothing,
      unknownTokens: nothing,
    },
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    clock: new VirtualClock(NOW),
    random: () => expect.fail('it fails'),
  });
}
