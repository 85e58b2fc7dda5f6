import { expect } from 'chai';
import type { RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import type { AccountSessions } from '../../../src/controller/account/account-sessions.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { Revoker } from '../../../src/controller/token/revoker.ts';
import type { EventRecorder } from '../../../src/kube/events/event-recorder.ts';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { ListedToken } from '../../../src/registry/port.ts';
import { describe as describeToken, type Tag } from '../../../src/token/sweep/tag.ts';
import {
  aCapability,
  aKey,
  anIssuedToken,
  ANOTHER_PLACE,
  aPrevious,
  at,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  PLACE,
} from '../../support/builders.ts';

const NOW = ISSUED + 2 * HOUR;
const CLUSTER = 'this-cluster';
const NONE: ReadonlySet<string> = new Set();
const STATUS: RegistryTokenStatus = {
  previousTokens: [
    aPrevious({ id: 'due', revokeAt: at(HOUR) }),
    aPrevious({ id: 'stray', revokeAt: at(HOUR) }),
    aPrevious({ id: 'in-grace', revokeAt: at(3 * HOUR) }),
    aPrevious({ id: 'expired', revokeAt: at(HOUR), expiresAt: at(2 * HOUR - DAY) }),
  ],
};

const TOKEN = anIssuedToken({ status: STATUS });

/**
 * A revoker whose registry notes what it is asked to revoke.
 * @param ours what the registry has with this RegistryToken's tag
 * @param time milliseconds that a revocation takes
 * @param reach how the account leads to where they were issued
 * @param part what their tag is besides
 * @param describe what the registry says of one by its id
 * @param unread why lists may not be read; `known`: whether the registry knows what it is to revoke; `skew`: how far its clock is ahead
 */
function stage(
  fail?: Error,
  ours = ['due', 'stray'],
  time = 0,
  reach = 'unknown',
  part: Partial<Tag> = {},
  describe?: (id: string) => Promise<string | undefined>,
  { unread, known = true, skew = 0 }: { unread?: Error; known?: boolean; skew?: number } = {},
): { revoker: Revoker; memory: Memory; asked: string[]; told: string[] } {
  const memory = new Memory();
  const asked: string[] = [];
  const told: string[] = [];
  const revoke = (id: string): Promise<boolean> => {
    asked.push(id);
    return fail ? Promise.reject(fail) : Promise.resolve(known);
  };
  const lookUp =
    describe &&
    (async (id: string): Promise<ListedToken | undefined> => {
      const description = await describe(id);
      return description === undefined ? undefined : { id, description, expiresAt: null, revoked: false };
    });
  const nothing = (): void => undefined;
  const capabilities = aCapability({ settling: { listing: MINUTE, absence: 5 * MINUTE } });
  const revoker = new Revoker({
    sessions: {
      reach: () => reach,
      moment: () => ({ now: NOW, registryNow: NOW + skew }),
      registryOf: () => ({ revoke, lookUp, host: 'us.icr.io', capabilities }),
    } as unknown as AccountSessions,
    events: {
      event: (_: unknown, type: string, reason: string) => void told.push(`${type} ${reason}`),
    } as unknown as EventRecorder,
    metrics: {
      minted: nothing,
      revoked: (result) => void told.push(`counted as ${result}`),
      repaired: nothing,
      orphans: nothing,
      unknownTokens: nothing,
    },
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    clock: { now: () => NOW, monotonic: () => asked.length * time, after: () => nothing },
    random: () => 0,
    lists: {
      find: (_, find) => {
        if (unread) return Promise.reject(unread);
        const tag = { clusterId: CLUSTER, uid: TOKEN.metadata.uid, revision: 1, ...part };
        const tokens = new Map(ours.map((id) => [id, { id, tag, expiresAt: null }]));
        const nowhere = { scopes: NONE, dead: NONE, foundIn: new Map(), unread: new Map() };
        return Promise.resolve(find({ tokens, identities: [], ...nowhere, askedAt: 0 }));
      },
    },
    clusterId: CLUSTER,
    memory,
  });
  return { revoker, memory, asked, told };
}

const idsOf = ({ previousTokens = [] }: RegistryTokenStatus): string[] => previousTokens.map(({ id }) => id);
const { signal } = new AbortController();

describe('previous tokens', () => {
  it('are revoked when they are due, and struck off when they have surely expired', async () => {
    const { revoker, asked } = stage();
    const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(asked).to.deep.equal(['due', 'stray']);
    expect(idsOf(status)).to.deep.equal(['in-grace']);
  });

  it('are told of in events and metrics, each of them', async () => {
    const { revoker, told } = stage();
    await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    const one = ['counted as success', 'Normal Revoked'];
    expect(told).to.deep.equal([...one, ...one]);
  });

  it('that can not be revoked are told of', async () => {
    const { revoker, told } = stage(new RegistryError('Unavailable', 'no answer'), ['due']);
    await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(told).to.deep.equal(['counted as failure', 'Warning RevocationFailed']);
  });

  it('are given up, each with a warning, where the account gave up where they were issued', async () => {
    const { revoker, asked, told } = stage(undefined, [], 0, 'given up');
    const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect([asked, idsOf(status)]).to.deep.equal([[], ['in-grace']]);
    const one = ['counted as abandoned', 'Warning TokenGivenUp'];
    expect(told).to.deep.equal([...one, ...one]);
  });

  it('are left for the next look, which is due at once, when revoking takes long', async () => {
    const ids = ['first', 'second', 'third'];
    const { revoker, asked } = stage(undefined, ids, 40_000);
    const previousTokens = ids.map((id) => aPrevious({ id, revokeAt: at(0) }));
    const token = anIssuedToken({ status: { previousTokens } });
    const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
    expect([asked, idsOf(status)]).to.deep.equal([['first', 'second'], ['third']]);
  });

  it('are revoked though they have expired by this machine’s clock, which may be ahead', async () => {
    const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR), expiresAt: at(HOUR) })];
    const { revoker, asked } = stage();
    await revoker.revokeDue(anIssuedToken({ status: { previousTokens } }), { previousTokens }, NONE, signal);
    expect(asked).to.deep.equal(['due']);
  });

  it('are revoked though lists lack them where the registry says by their ids that they are the RegistryToken’s own', async () => {
    const { uid } = TOKEN.metadata;
    const tagged = (id: string): string =>
      describeToken('', { clusterId: CLUSTER, uid: id === 'due' ? uid : 'another', revision: 1 });
    const { revoker, asked } = stage(undefined, [], 0, 'unknown', {}, (id) => Promise.resolve(tagged(id)));
    const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect([asked, idsOf(status)]).to.deep.equal([['due'], ['in-grace']]);
  });

  const unseen: [
    what: string,
    issuedAt: number | undefined,
    description: string | undefined,
    left: string[],
  ][] = [
    ['stay recorded while a lagging registry need not show them yet', 2 * HOUR - 10_000, undefined, ['due']],
    [
      'stay recorded while a registry need not know them, though its lists mostly show them by then',
      2 * HOUR - 2 * MINUTE,
      undefined,
      ['due'],
    ],
    ['are struck off once a registry that lags would show them', 2 * HOUR - 5 * MINUTE, undefined, []],
    [
      'are struck off where they are not shown and nothing says when they were issued',
      undefined,
      undefined,
      [],
    ],
    ['are struck off where they are not shown and were issued in a far future', 3 * HOUR, undefined, []],
    [
      'are struck off at once where the registry shows that they are not ours',
      2 * HOUR - 10_000,
      'a key',
      [],
    ],
  ];
  for (const [what, issuedAt, description, left] of unseen)
    it(what, async () => {
      const when = issuedAt === undefined ? {} : { issuedAt: at(issuedAt) };
      const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR), ...when })];
      const token = anIssuedToken({ status: { previousTokens } });
      const { revoker, asked } = stage(undefined, [], 0, 'unknown', {}, () => Promise.resolve(description));
      const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
      expect([asked, idsOf(status)]).to.deep.equal([[], left]);
    });

  const young = { issuedAt: at(2 * HOUR - 2 * MINUTE) };
  const unknown: [what: string, part: object, left: string[]][] = [
    [
      'stay recorded, to be tried again, where the registry does not know them two minutes after they were issued',
      young,
      ['due'],
    ],
    ['are struck off where the registry does not know them any more', {}, []],
  ];
  for (const [what, part, left] of unknown)
    it(what, async () => {
      const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR), ...part })];
      const token = anIssuedToken({ status: { previousTokens } });
      for (const isOwn of [true, false]) {
        const { revoker, memory, asked } = stage(undefined, ['due'], 0, 'unknown', {}, undefined, {
          known: false,
        });
        if (isOwn) memory.noteOwn(token.metadata.uid, aKey('due'));
        const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
        expect([asked, idsOf(status)]).to.deep.equal([['due'], left]);
      }
    });

  for (const skew of [-2 * MINUTE, 2 * MINUTE])
    it(`stay recorded so soon after they were issued by a registry’s clock that is ${skew / 1000} s ahead`, async () => {
      const issuedAt = at(2 * HOUR + skew - 10_000);
      const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR), issuedAt })];
      const token = anIssuedToken({ status: { previousTokens } });
      for (const ours of [[], ['due']]) {
        const how = { known: false, skew };
        const { revoker } = stage(undefined, ours, 0, 'unknown', {}, () => Promise.resolve(undefined), how);
        const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
        expect(idsOf(status)).to.deep.equal(['due']);
      }
    });

  const refused = new RegistryError('Forbidden', 'the project may not be seen');
  const unread: [what: string, by: () => Promise<string | undefined>, reported: string | undefined][] = [
    [
      'are struck off where lists may not be read and the registry does not know them',
      () => Promise.resolve(undefined),
      undefined,
    ],
    [
      'stay recorded where neither lists nor they may be read',
      () => Promise.reject(new RegistryError('Forbidden', 'the robot may not be seen')),
      'the project may not be seen',
    ],
  ];
  for (const [what, by, reported] of unread)
    it(what, async () => {
      const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR) })];
      const token = anIssuedToken({ status: { previousTokens } });
      const { revoker, asked } = stage(undefined, [], 0, 'unknown', {}, by, { unread: refused });
      const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
      expect([asked, status.previousTokens?.[0]?.lastError]).to.deep.equal([[], reported]);
    });

  it('wait where lists may not be read and the registry could not even be asked for them', async () => {
    const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR) })];
    const token = anIssuedToken({ status: { previousTokens } });
    const down = new RegistryError('Unavailable', 'down', { unsent: true, retryAfter: 5000 });
    const { revoker } = stage(undefined, [], 0, 'unknown', {}, () => Promise.reject(down), {
      unread: refused,
    });
    const { status, waiting } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
    expect(status).to.deep.equal({ previousTokens });
    expect(waiting.map(({ token: { id } }) => id)).to.deep.equal(['due']);
  });

  it('stay alive while a Secret still holds them', async () => {
    const { revoker, asked } = stage();
    const { status } = await revoker.revokeDue(TOKEN, STATUS, new Set(['stray']), signal);
    expect(asked).to.deep.equal(['due']);
    expect(idsOf(status)).to.deep.equal(['stray', 'in-grace']);
  });

  it('are left alone where only the status says that they are this RegistryToken’s', async () => {
    const { revoker, asked } = stage(undefined, ['due']);
    const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(asked).to.deep.equal(['due']);
    expect(idsOf(status)).to.deep.equal(['in-grace']);
  });

  it('are revoked also where lists lack them, since a list can lag', async () => {
    const { revoker, memory, asked } = stage();
    memory.markGone(TOKEN.metadata.uid, aKey('stray'));
    const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(asked).to.deep.equal(['due', 'stray']);
    expect(idsOf(status)).to.deep.equal(['in-grace']);
  });

  it('stay alive until they are recorded: another process could know better', async () => {
    const { revoker, asked } = stage();
    const { status } = await revoker.revokeDue(anIssuedToken(), STATUS, NONE, signal);
    expect(asked).to.deep.equal([]);
    expect(status).to.deep.equal(STATUS);
  });

  it('stay recorded, with what went wrong, when the registry fails', async () => {
    const { revoker } = stage(new RegistryError('Unavailable', 'us.icr.io does not answer'));
    const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(idsOf(status)).to.deep.equal(['due', 'stray', 'in-grace']);
    expect(status.previousTokens?.[0]).to.include({ attempts: 1, lastError: 'us.icr.io does not answer' });
  });

  it('stay as they are where nothing was even sent, and are due again when the place is to be tried', async () => {
    const { revoker } = stage(new RegistryError('Unavailable', 'down', { unsent: true, retryAfter: 7_000 }));
    const { status, waiting } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(status.previousTokens).to.deep.equal(STATUS.previousTokens?.filter(({ id }) => id !== 'expired'));
    expect(waiting.map(({ token: { id }, until }) => [id, until])).to.deep.equal([
      ['due', NOW + 7_000],
      ['stray', NOW + 7_000],
    ]);
  });

  it('that could not be revoked are told of once, however often that is tried', async () => {
    const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR), attempts: 1 })];
    const { revoker, told } = stage(new RegistryError('Unavailable', 'no answer'));
    await revoker.revokeDue(anIssuedToken({ status: { previousTokens } }), { previousTokens }, NONE, signal);
    expect(told).to.deep.equal(['counted as failure']);
  });

  it('that could not be sent are due at once where nobody says when', async () => {
    const { revoker } = stage(new RegistryError('Unavailable', 'down', { unsent: true }));
    const { waiting } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(waiting.map(({ until }) => until)).to.deep.equal([NOW, NOW]);
  });

  const freed: [what: string, wasElsewhere: boolean, reach: string, asked: string[]][] = [
    ['do not wait for their next try once their account leads to them again', true, 'here', ['due']],
    ['wait for their next try while their account leads elsewhere', true, 'elsewhere', []],
    ['wait for their next try where something else went wrong', false, 'here', []],
  ];
  for (const [what, wasElsewhere, reach, expected] of freed)
    it(what, async () => {
      const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR), nextAttemptTime: at(3 * HOUR) })];
      const { revoker, memory, asked } = stage(undefined, ['due'], 0, reach);
      memory.noteElsewhere(TOKEN.metadata.uid, aKey('due'), wasElsewhere);
      await revoker.revokeDue(
        anIssuedToken({ status: { previousTokens } }),
        { previousTokens },
        NONE,
        signal,
      );
      expect(asked).to.deep.equal(expected);
    });

  for (const reach of ['elsewhere', 'unknown'])
    it(`are remembered where their account leads elsewhere: it is ${reach}`, async () => {
      const { revoker, memory } = stage(undefined, ['due'], 0, reach);
      await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
      expect(memory.wasElsewhere(TOKEN.metadata.uid, aKey('due'))).to.equal(reach === 'elsewhere');
    });

  const tags: [what: string, tag: Partial<Tag>][] = [
    ['another cluster’s', { clusterId: 'another' }],
    ['another RegistryToken’s', { uid: 'another' }],
  ];
  for (const [what, tag] of tags)
    it(`are left alone where they are ${what} by their tag`, async () => {
      const { revoker, asked } = stage(undefined, undefined, 0, 'unknown', tag);
      const { status } = await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
      expect([asked, idsOf(status)]).to.deep.equal([[], ['in-grace']]);
    });

  it('are not asked for twice where this process saw that they are the RegistryToken’s, nor known once they are revoked', async () => {
    const { revoker, memory, asked } = stage(undefined, []);
    memory.noteOwn(TOKEN.metadata.uid, aKey('due'));
    await revoker.revokeDue(TOKEN, STATUS, NONE, signal);
    expect(asked).to.deep.equal(['due']);
    expect(memory.isOwn(TOKEN.metadata.uid, aKey('due'))).to.equal(false);
  });

  it('are revoked and told of once, though what was to follow is tried again and the registry need not show them yet', async () => {
    const { revoker, memory, asked, told } = stage(undefined, []);
    const fresh = { ...aPrevious({ id: 'due', revokeAt: at(HOUR) }), issuedAt: at(2 * HOUR - MINUTE) };
    memory.noteOwn(TOKEN.metadata.uid, fresh);
    for (const _ of [1, 2]) expect(await revoker.revoke(TOKEN, fresh, signal)).to.equal(undefined);
    expect([asked, told]).to.deep.equal([['due'], ['counted as success', 'Normal Revoked']]);
  });

  it('are forgotten once they are dead and no status names them', async () => {
    const { revoker, memory } = stage(undefined, []);
    const { uid } = TOKEN.metadata;
    for (let n = 0; n < 200; n++) {
      const [due, expired] = [`due-${n}`, `expired-${n}`];
      const previousTokens = [
        aPrevious({ id: due, revokeAt: at(HOUR) }),
        aPrevious({ id: expired, revokeAt: at(HOUR), expiresAt: at(2 * HOUR - DAY) }),
      ];
      for (const each of previousTokens) memory.noteOwn(uid, each);
      const token = anIssuedToken({ status: { previousTokens } });
      const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
      expect(idsOf(status)).to.deep.equal([]);
      const known = [due, expired].map((id) => [memory.isOwn(uid, aKey(id)), memory.isDead(uid, aKey(id))]);
      expect(known, 'while the stored status may still name them').to.deep.equal([
        [false, true],
        [false, true],
      ]);
      const before = [`due-${n - 1}`, `expired-${n - 1}`];
      expect(before.map((id) => memory.isDead(uid, aKey(id)))).to.deep.equal([false, false]);
    }
  });

  describe('to which two registries gave the same identifier', () => {
    const twin = aPrevious({ id: 'due', place: ANOTHER_PLACE, revokeAt: at(HOUR) });
    const previousTokens = [aPrevious({ id: 'due', revokeAt: at(HOUR) }), twin];

    it('are this RegistryToken’s only where this process saw them', async () => {
      const { revoker, memory, asked } = stage(undefined, []);
      memory.noteOwn(TOKEN.metadata.uid, aKey('due'));
      const token = anIssuedToken({ status: { previousTokens: [twin] } });
      await revoker.revokeDue(token, { previousTokens: [twin] }, NONE, signal);
      expect(asked).to.deep.equal([]);
    });

    it('wait until each is recorded', async () => {
      const { revoker } = stage();
      const token = anIssuedToken({ status: { previousTokens: [twin] } });
      const { status } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
      expect(status.previousTokens).to.deep.equal(previousTokens.slice(0, 1));
    });

    it('wait each for its own place', async () => {
      const { revoker } = stage(new RegistryError('Unavailable', 'down', { unsent: true }));
      const token = anIssuedToken({ status: { previousTokens } });
      const { waiting } = await revoker.revokeDue(token, { previousTokens }, NONE, signal);
      expect(waiting.map((each) => each.token.place)).to.deep.equal([PLACE, ANOTHER_PLACE]);
    });
  });

  it('are no more the business of a process that lost its lease: that is no failure to record', async () => {
    const { revoker, asked } = stage(new LeadershipLost('another leads'));
    const error: unknown = await revoker.revokeDue(TOKEN, STATUS, NONE, signal).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(LeadershipLost);
    expect(asked).to.deep.equal(['due']);
  });
});
