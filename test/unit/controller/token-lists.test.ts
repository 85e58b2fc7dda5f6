import { expect } from 'chai';
import type { AccountSessions, Issued } from '../../../src/controller/account/account-sessions.ts';
import { TokenLists, type TokenList } from '../../../src/controller/shared/token-lists.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { ListedToken } from '../../../src/registry/port.ts';
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
  readonly aborted: string[] = [];
  readonly #answers: ((error?: Error) => void)[] = [];

  constructor() {
    const sessions = {
      registryOf: ({ region }: Issued) => ({
        list: <T>(select: (row: ListedToken) => T | undefined, limited: AbortSignal): Promise<T[]> => {
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
    this.lists = new TokenLists(sessions, this.clock);
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
    expect(idsOf(stage.lists.last(HERE) ?? { tokens: new Map(), askedAt: 0 })).to.deep.equal(['a']);
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
