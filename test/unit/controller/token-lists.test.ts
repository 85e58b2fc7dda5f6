import { expect } from 'chai';
import type { AccountSessions, Issued } from '../../../src/controller/account/account-sessions.ts';
import { TokenLists, type TokenList } from '../../../src/controller/shared/token-lists.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { ListedToken, Select } from '../../../src/registry/port.ts';
import { describe as describeToken } from '../../../src/token/sweep/tag.ts';
import { HOUR, MINUTE, PLACE } from '../../support/builders.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';

const HERE = { account: 'default', region: 'us-south', place: PLACE };
const THERE = { ...HERE, region: 'eu-de', place: { ...PLACE, endpoint: 'https://de.icr.io' } };
const { signal } = new AbortController();

/** A registry whose lists are answered when the test says so. */
class Stage {
  readonly clock = new VirtualClock();
  readonly lists: TokenLists;
  rows: ListedToken[] = [];
  /** Regions of the lists asked for. */
  readonly asked: string[] = [];
  /** Scopes of the lists asked for. */
  readonly scopes: string[][][] = [];
  /** The account whose registry lists scopes apart. */
  apart = '';
  /** Lists of the scopes that are known. */
  known: ReadonlySet<string> = new Set();
  readonly alsoTried: string[] = [];
  readonly aborted: string[] = [];
  readonly #answers: ((error?: Error) => void)[] = [];

  constructor() {
    const sessions = {
      registryOf: ({ region }: Issued) => ({
        list: <T>(scopes: string[][], select: Select<T>, limited: AbortSignal): Promise<T[]> => {
          this.scopes.push(scopes);
          this.asked.push(region);
          const rows = this.rows.flatMap((row) => select(row) ?? []);
          return new Promise<T[]>((resolve, reject) => {
            let isOpen = true;
            this.#answers.push((error) => {
              isOpen = false;
              if (error) reject(error);
              else resolve(rows);
            });
            limited.addEventListener('abort', () => {
              if (isOpen) this.aborted.push(region);
              reject(limited.reason as Error);
            });
          });
        },
      }),
    } as unknown as AccountSessions;
    this.lists = new TokenLists(sessions, this.clock, {
      listsApart: (account) => account === this.apart,
      scopesOf: () => this.known,
      alsoTried: this.alsoTried,
    });
  }

  has(id: string, description = describeToken('', { clusterId: 'c', uid: 'u', revision: 1 })): void {
    this.rows.push({ id, description, expiresAt: null, revoked: false });
  }

  /** Answers what was asked for and not answered. */
  async answer(error?: Error): Promise<void> {
    await settle();
    for (const answer of this.#answers.splice(0)) answer(error);
    await settle();
  }

  find(id: string, place = HERE): Promise<string | undefined> {
    return this.lists.find(place, ({ tokens }) => tokens.get(id)?.id, signal);
  }
}

const idsOf = ({ tokens }: TokenList): string[] => [...tokens.keys()];

describe('lists of tokens', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('hold the living tokens that carry a tag, whichever cluster’s', async () => {
    stage.has('ours');
    stage.has('theirs', describeToken('x', { clusterId: 'd', uid: 'u', revision: 1 }));
    stage.has('by hand', 'made by hand');
    stage.rows.push({ ...stage.rows[0], id: 'dead', revoked: true } as ListedToken);
    const list = stage.lists.current(HERE, signal);
    await stage.answer();
    expect(idsOf(await list)).to.deep.equal(['ours', 'theirs']);
  });

  it('are one for forty who look for a token at the same time, and for those who look later', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `token-${index}`);
    for (const id of ids) stage.has(id);
    const early = ids.slice(0, 20).map((id) => stage.find(id));
    await stage.answer();
    expect(await Promise.all(early)).to.deep.equal(ids.slice(0, 20));
    await stage.clock.advance(4 * MINUTE);
    expect(await Promise.all(ids.slice(20).map((id) => stage.find(id)))).to.deep.equal(ids.slice(20));
    expect(stage.asked).to.deep.equal(['us-south']);
  });

  it('of each place are its own', async () => {
    const both = [stage.lists.current(HERE, signal), stage.lists.current(THERE, signal)];
    await stage.answer();
    await Promise.all(both);
    expect(stage.asked).to.deep.equal(['us-south', 'eu-de']);
  });

  it('of a region say nothing of where it leads later', async () => {
    stage.has('a');
    const before = stage.lists.current(HERE, signal);
    await stage.answer();
    await before;
    stage.rows.length = 0;
    const after = stage.find('a', { ...HERE, place: THERE.place });
    await stage.answer();
    await stage.answer();
    expect(await after).to.equal(undefined);
    expect([...(stage.lists.last(HERE)?.tokens.keys() ?? [])]).to.deep.equal(['a']);
  });

  it('that lack a token prove nothing unless they were asked for after the question', async () => {
    const first = stage.lists.current(HERE, signal);
    await stage.answer();
    await first;
    stage.has('created since');
    const found = stage.find('created since');
    await stage.answer();
    expect(await found).to.equal('created since');
    expect(stage.asked).to.have.length(2);
  });

  it('that are under way are waited for, and the next one serves all who came meanwhile', async () => {
    const first = stage.lists.current(HERE, signal);
    await settle();
    const later = [stage.find('missing'), stage.lists.current(HERE, signal), stage.find('missing too')];
    await stage.answer();
    await first;
    expect(stage.asked).to.have.length(2);
    await stage.answer();
    expect(await Promise.all(later)).to.include(undefined);
    expect(stage.asked).to.have.length(2);
  });

  it('are kept for five minutes, however long the process has run', async () => {
    stage.has('a');
    await stage.clock.advance(HOUR);
    const first = stage.find('a');
    await stage.answer();
    await first;
    await stage.clock.advance(5 * MINUTE);
    expect([await stage.find('a'), stage.asked.length]).to.deep.equal(['a', 1]);
  });

  it('are asked for anew after five minutes', async () => {
    stage.has('a');
    const first = stage.find('a');
    await stage.answer();
    await first;
    await stage.clock.advance(5 * MINUTE + 1);
    const second = stage.find('a');
    await stage.answer();
    expect([await second, stage.asked.length]).to.deep.equal(['a', 2]);
  });

  it('are not kept where they failed, and the next one is asked for at once', async () => {
    const first = stage.find('a').catch((error: unknown) => error);
    await stage.answer(new RegistryError('Unavailable', 'down'));
    expect(await first).to.be.instanceOf(RegistryError);
    stage.has('a');
    const second = stage.find('a');
    await stage.answer();
    expect(await second).to.equal('a');
  });

  it('are broken off when nobody waits any more, and the next is asked for then', async () => {
    const leaving = new AbortController();
    const first = stage.lists.current(HERE, leaving.signal).catch((error: unknown) => error);
    await settle();
    leaving.abort(new Error('left'));
    const second = stage.lists.current(HERE, signal);
    expect(await first).to.be.instanceOf(Error);
    await stage.answer();
    await stage.answer();
    expect(idsOf(await second)).to.deep.equal([]);
    expect([stage.aborted, stage.asked]).to.deep.equal([['us-south'], ['us-south', 'us-south']]);
  });

  it('are forgotten when the account works with other credentials', async () => {
    stage.has('a');
    const first = stage.find('a');
    await stage.answer();
    await first;
    stage.lists.forget('default');
    expect(stage.lists.last(HERE)).to.equal(undefined);
    const second = stage.find('a');
    await stage.answer();
    await second;
    expect(stage.asked).to.have.length(2);
  });
});

describe('lists of a registry that keeps scopes apart', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
    stage.apart = 'default';
    stage.known = new Set(['', 'team-a']);
  });
  const inScope = (...scope: string[]) => ({ ...HERE, scope });
  const find = (id: string, where: ReturnType<typeof inScope> | typeof HERE) =>
    stage.lists.find(where, ({ tokens }) => tokens.get(id)?.id, signal);

  it('are one for each scope in which a token is looked for, and each serves those who look there', async () => {
    stage.has('a');
    const found = [
      find('a', inScope('team-a')),
      find('a', inScope('team-a')),
      find('a', inScope('team-b')),
      find('a', HERE),
      find('a', inScope('team-a', 'team-b')),
    ];
    await stage.answer();
    expect(await Promise.all(found)).to.deep.equal(['a', 'a', 'a', 'a', 'a']);
    expect(stage.scopes).to.deep.equal([['team-a'], ['team-b'], []]);
  });

  it('say nothing of other scopes: what was listed there is not known here', async () => {
    const list = stage.lists.current(inScope('team-a'), signal);
    await stage.answer();
    expect(stage.lists.last(inScope('team-a'))).to.equal(await list);
    expect([stage.lists.last(inScope('team-b')), stage.lists.last(HERE)]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it('are of all scopes that are known where the whole place is searched, and tell of which', async () => {
    const whole = stage.lists.whole(HERE, signal);
    await stage.answer();
    await stage.answer();
    expect((await whole).scopes).to.deep.equal(stage.known);
    expect(stage.scopes).to.deep.equal([[], ['team-a']]);
  });

  for (const code of ['Forbidden', 'InvalidRequest'] as const)
    it(`of the whole place say of which scopes nothing is known (${code}), which anyone may name`, async () => {
      stage.has('a');
      const whole = stage.lists.whole(HERE, signal);
      await stage.answer(new RegistryError(code, 'not yours'));
      await stage.answer();
      const { scopes, unread, tokens } = await whole;
      expect([[...scopes], [...unread.keys()], [...tokens.keys()]]).to.deep.equal([['team-a'], [''], ['a']]);
    });

  it('of the whole place say that nothing is known of any scope where none may be listed', async () => {
    const whole = stage.lists.whole(HERE, signal);
    await stage.answer(new RegistryError('Forbidden', 'no'));
    await stage.answer(new RegistryError('Forbidden', 'no'));
    const { scopes, unread } = await whole;
    expect([[...scopes], [...unread.keys()]]).to.deep.equal([[], ['', 'team-a']]);
  });

  it('of the whole place fail where the registry is down', async () => {
    for (const [first, second] of [
      ['Forbidden', 'Unavailable'],
      ['Forbidden', 'Unauthorized'],
    ] as const) {
      const whole = stage.lists.whole(HERE, signal).catch((error: unknown) => error);
      await stage.answer(new RegistryError(first, 'no'));
      await stage.answer(new RegistryError(second, 'no'));
      expect(await whole)
        .to.be.instanceOf(RegistryError)
        .with.property('code', second);
    }
  });

  it('are also of those that are looked for in any case, if they can be read', async () => {
    stage.known = new Set(['team-a']);
    stage.alsoTried.push('');
    for (const refusal of [undefined, new RegistryError('Forbidden', 'no')]) {
      const whole = stage.lists.whole(HERE, signal);
      await stage.answer();
      await stage.answer(refusal);
      const { scopes, unread } = await whole;
      expect([...scopes]).to.deep.equal(refusal ? ['team-a'] : ['team-a', '']);
      expect([...unread.keys()]).to.deep.equal([]);
    }
  });

  it('of one scope fail where that may not be listed', async () => {
    const list = stage.lists.current(inScope('team-a'), signal).catch((error: unknown) => error);
    await stage.answer(new RegistryError('Forbidden', 'no'));
    expect(await list).to.be.instanceOf(RegistryError);
  });

  it('are of the scopes that are known when they are asked for, not when the first was', async () => {
    const first = stage.lists.whole(HERE, signal);
    await stage.answer();
    await stage.answer();
    await first;
    stage.known = new Set(['later']);
    const second = stage.lists.whole(HERE, signal);
    await stage.answer();
    expect([...(await second).scopes]).to.deep.equal(['later']);
  });

  it('are kept of so many scopes at a time: anyone can name ever others', async () => {
    const named = (count: number) => `team-${count}`;
    for (let count = 0; count < 2_100; count++) {
      const list = stage.lists.current(inScope(named(count)), signal).catch(() => undefined);
      await stage.answer(count % 2 === 0 ? undefined : new RegistryError('Forbidden', 'no'));
      await list;
    }
    expect(stage.lists.last(inScope(named(0)))).to.equal(undefined);
    expect(stage.lists.last(inScope(named(2_098)))).to.not.equal(undefined);
  });

  it('are forgotten with the account, all of them', async () => {
    const lists = [stage.lists.current(inScope('team-a'), signal), stage.lists.whole(HERE, signal)];
    await stage.answer();
    await stage.answer();
    await Promise.all(lists);
    stage.lists.forget('default');
    expect(stage.lists.last(inScope('team-a'))).to.equal(undefined);
  });
});

describe('lists of a registry that has one of all scopes', () => {
  it('serve those who look for a token of whatever scope, and the sweep: no scope is asked for', async () => {
    const stage = new Stage();
    stage.known = new Set(['team-a']);
    stage.has('a');
    const found = ['team-a', 'team-b'].map((scope) =>
      stage.lists.find({ ...HERE, scope: [scope] }, ({ tokens }) => tokens.get('a')?.id, signal),
    );
    await stage.answer();
    expect(await Promise.all(found)).to.deep.equal(['a', 'a']);
    expect(stage.asked).to.deep.equal(['us-south']);
    const whole = stage.lists.whole(HERE, signal);
    await stage.answer();
    expect([...(await whole).scopes]).to.deep.equal([]);
    expect(stage.lists.last({ ...HERE, scope: ['team-c'] })).to.equal(await whole);
    expect(stage.scopes).to.deep.equal([[], []]);
  });

  it('hold what tokens hang on beside them', async () => {
    const stage = new Stage();
    const identity = { clusterId: 'c', uid: 'u', specHash: 'h' };
    stage.has('a');
    stage.rows.push({ id: 'id', description: '', expiresAt: null, revoked: false, identity });
    const list = stage.lists.whole(HERE, signal);
    await stage.answer();
    expect(idsOf(await list)).to.deep.equal(['a']);
    expect((await list).identities).to.deep.equal([{ id: 'id', ...identity }]);
  });
});
