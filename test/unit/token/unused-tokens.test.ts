import { expect } from 'chai';
import * as fc from 'fast-check';
import { OWNER_UID_LABEL, TOKEN_ID_ANNOTATION } from '../../../src/api/names.ts';
import { confirm, type Suspects } from '../../../src/token/sweep/suspects.ts';
import { findUnused, mayRevoke, standingOf } from '../../../src/token/sweep/unused-tokens.ts';
import { usersOf, type Cluster } from '../../../src/token/sweep/users.ts';
import type { Tag, TaggedToken } from '../../../src/token/sweep/tag.ts';
import {
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  aSecret,
  aToken,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  PLACE,
} from '../../support/builders.ts';

const CLUSTER = 'this-cluster';
const UID = aToken().metadata.uid;
const NOW = ISSUED;
const AT = { clusterId: CLUSTER, place: PLACE, now: NOW };
/** Another registry, which gives the same identifiers. */
const ELSEWHERE = { endpoint: 'https://elsewhere.example', identity: 'https://elsewhere.example' };

const aTag = (part: Partial<Tag> = {}): Tag => ({ clusterId: CLUSTER, uid: 'gone', revision: 1, ...part });

const aRow = (part: Partial<TaggedToken> = {}): TaggedToken => ({
  id: 'token-1',
  tag: aTag(),
  expiresAt: NOW + DAY,
  ...part,
});

const aCluster = (part: Partial<Cluster> = {}): Cluster => ({
  tokens: [],
  secrets: [],
  retained: [],
  known: undefined,
  ...part,
});

const idsOf = (tokens: readonly { id: string }[]): string[] => tokens.map(({ id }) => id);

const unused = (
  rows: TaggedToken[],
  cluster: Partial<Cluster> = {},
): { orphans: string[]; unknown: string[] } => {
  const { orphans, unknown } = findUnused(rows, usersOf(aCluster(cluster)), AT);
  return { orphans: idsOf(orphans), unknown: idsOf(unknown) };
};

const NOTHING = { orphans: [], unknown: [] };

describe('unused tokens', () => {
  it('are orphans where their RegistryToken is gone', () => {
    const rows = [aRow(), aRow({ id: 'b', expiresAt: null })];
    expect(unused(rows)).to.deep.equal({ orphans: ['token-1', 'b'], unknown: [] });
  });

  const leftAlone: [string, Partial<TaggedToken>][] = [
    ['of another cluster', { tag: aTag({ clusterId: 'another' }) }],
    ['of a cluster whose id begins like this one’s', { tag: aTag({ clusterId: `${CLUSTER}2` }) }],
    ['that have expired', { expiresAt: NOW }],
  ];
  for (const [which, part] of leftAlone) {
    it(`${which} are left alone`, () => expect(unused([aRow(part)])).to.deep.equal(NOTHING));
  }

  describe('that expired long ago, at a registry that keeps them', () => {
    const expiredOf = (row: Partial<TaggedToken>, cluster: Partial<Cluster> = {}): string[] =>
      idsOf(findUnused([aRow(row)], usersOf(aCluster(cluster)), AT).expired);
    const long = { expiresAt: NOW - 2 * HOUR };

    it('are to be deleted, whether or not their RegistryToken knows of them', () => {
      expect(expiredOf(long)).to.deep.equal(['token-1']);
      const here = aTag({ uid: UID, revision: 7 });
      expect(expiredOf({ ...long, tag: here }, { tokens: [anIssuedToken()] })).to.deep.equal([]);
      expect(expiredOf({ ...long, id: 'other', tag: here }, { tokens: [anIssuedToken()] })).to.deep.equal([
        'other',
      ]);
    });

    it('are left to the registry for an hour, and to their cluster for good', () => {
      expect(expiredOf({ expiresAt: NOW - 59 * MINUTE })).to.deep.equal([]);
      expect(expiredOf({ ...long, tag: aTag({ clusterId: 'another' }) })).to.deep.equal([]);
      expect(expiredOf({ expiresAt: null })).to.deep.equal([]);
    });

    it('are neither orphans nor unknown', () => {
      const here = aTag({ uid: UID, revision: 7 });
      expect(unused([aRow({ ...long, tag: here })], { tokens: [anIssuedToken()] })).to.deep.equal(NOTHING);
      expect(unused([aRow(long)])).to.deep.equal(NOTHING);
    });
  });

  const uses: [string, Partial<Cluster>][] = [
    ['is in force', { tokens: [anIssuedToken()] }],
    [
      'is in force for a RegistryToken of another uid',
      { tokens: [anIssuedToken({ metadata: { uid: 'x' } })] },
    ],
    [
      'waits to be revoked',
      { tokens: [aToken({ status: { previousTokens: [aPrevious({ id: 'token-1' })] } })] },
    ],
    ['stands in a Secret', { secrets: [aSecret()] }],
    [
      'stands in a Secret that is nobody’s any more',
      {
        secrets: [
          {
            metadata: {
              ...aSecret().metadata,
              labels: {},
              annotations: { [TOKEN_ID_ANNOTATION]: 'token-1' },
            },
          },
        ],
      },
    ],
    ['was retained', { retained: [{ id: 'token-1', place: PLACE, uid: UID }] }],
  ];
  for (const [what, cluster] of uses) {
    it(`do not include one that ${what}`, () => {
      expect(unused([aRow({ tag: aTag({ uid: UID }) })], cluster)).to.deep.equal(NOTHING);
    });
  }

  describe('that have the identifier of one that is in use at another registry', () => {
    const held = aRecord({ id: 'token-1', place: ELSEWHERE, revision: 3 });
    const other = { metadata: { uid: 'other' } };
    const secret = (owner: string) =>
      aSecret({
        metadata: { labels: { [OWNER_UID_LABEL]: owner }, annotations: { [TOKEN_ID_ANNOTATION]: 'token-1' } },
      });
    const orphan = { orphans: ['token-1'], unknown: [] };
    const row = aRow({ tag: aTag({ revision: 2 }) });

    it('are orphans, though a status, a Secret of its RegistryToken and an account’s status name that one', () => {
      const tokens = [anIssuedToken({ ...other, status: { token: held } })];
      expect(unused([row], { tokens })).to.deep.equal(orphan);
      expect(unused([row], { tokens, secrets: [secret('other')] })).to.deep.equal(orphan);
      const retained = [{ id: 'token-1', place: ELSEWHERE, uid: 'other' }];
      expect(unused([row], { retained })).to.deep.equal(orphan);
      const previousTokens = [aPrevious({ id: 'token-1', place: ELSEWHERE })];
      expect(unused([row], { tokens: [aToken({ ...other, status: { previousTokens } })] })).to.deep.equal(
        orphan,
      );
    });

    it('are unknown where their RegistryToken has another revision there', () => {
      const tokens = [anIssuedToken({ metadata: { uid: 'gone' }, status: { token: held } })];
      expect(unused([row], { tokens })).to.deep.equal({ orphans: [], unknown: ['token-1'] });
    });

    const kept: [what: string, cluster: Partial<Cluster>][] = [
      ['a Secret holds one, and no RegistryToken says which', { secrets: [secret('other')] }],
      [
        'a Secret holds one of which the status of its RegistryToken does not tell',
        {
          secrets: [secret('other')],
          tokens: [anIssuedToken({ ...other, status: { token: aRecord({ id: 'x' }) } })],
        },
      ],
      [
        'a Secret of their own RegistryToken holds one, whatever its status says of that',
        {
          secrets: [secret('gone')],
          tokens: [
            anIssuedToken({
              metadata: { uid: 'gone' },
              status: { token: held, lostIntents: [{ revision: 2 }] },
            }),
          ],
        },
      ],
      [
        'their own RegistryToken names them: the registry has got another name since',
        {
          tokens: [anIssuedToken({ metadata: { uid: 'gone' }, status: { token: { ...held, revision: 2 } } })],
        },
      ],
      [
        'they were kept on purpose: the registry has got another name since',
        { retained: [{ id: 'token-1', place: ELSEWHERE, uid: 'gone' }] },
      ],
      [
        'one was kept on purpose, and nothing says whose',
        { retained: [{ id: 'token-1', place: ELSEWHERE }] },
      ],
    ];
    for (const [what, cluster] of kept)
      it(`are left alone where ${what}`, () => expect(unused([row], cluster)).to.deep.equal(NOTHING));
  });

  describe('of a RegistryToken that is here', () => {
    const requests = {
      mintIntent: anIntent({ revision: 7, nonce: 'openopen' }),
      lostIntents: [{ revision: 5, nonce: 'lostlost' }, { revision: 3 }],
    };
    const tokens = [aToken({ status: { token: aRecord({ id: 'old', revision: 6 }), ...requests } })];
    const of = (part: Partial<Tag>): ReturnType<typeof unused> =>
      unused([aRow({ tag: aTag({ uid: UID, ...part }) })], { tokens });

    it('are left alone where they came of its open request', () => {
      expect(of({ revision: 7, nonce: 'openopen' })).to.deep.equal(NOTHING);
    });

    it('are orphans where they came of a request that it gave up', () => {
      const orphan = { orphans: ['token-1'], unknown: [] };
      expect(of({ revision: 5, nonce: 'lostlost' })).to.deep.equal(orphan);
      expect(of({ revision: 3 })).to.deep.equal(orphan);
    });

    const strange: [string, Partial<Tag>][] = [
      ['a revision above those it knows', { revision: 8, nonce: 'whatever' }],
      ['the revision of its open request, but are not of that request', { revision: 7, nonce: 'theirs00' }],
      ['the revision of a request that it gave up, but are not of that', { revision: 5, nonce: 'theirs00' }],
      ['the revision of the token in force', { revision: 6, nonce: 'theirs00' }],
      ['a revision that it is past', { revision: 1, nonce: 'theirs00' }],
    ];
    for (const [which, part] of strange) {
      it(`are unknown, not orphans, where they have ${which}`, () => {
        expect(of(part)).to.deep.equal({ orphans: [], unknown: ['token-1'] });
      });
    }

    it('are orphans once the operator has let go of it', () => {
      const deleted = {
        ...tokens[0],
        metadata: { ...aToken().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      };
      const rows = [aRow({ tag: aTag({ uid: UID, revision: 8 }) })];
      expect(unused(rows, { tokens: [deleted] })).to.deep.equal({ orphans: ['token-1'], unknown: [] });
    });
  });

  it('are left alone where only some namespaces are in view and their RegistryToken is not', () => {
    const rows = [
      aRow({ id: 'a', tag: aTag({ uid: 'seen-deleted' }) }),
      aRow({ id: 'b', tag: aTag({ uid: 'elsewhere' }) }),
    ];
    expect(unused(rows, { known: new Set(['seen-deleted']) })).to.deep.equal({ orphans: ['a'], unknown: [] });
    expect(unused(rows, { known: new Set() })).to.deep.equal(NOTHING);
  });
});

describe('what may be revoked', () => {
  it('is every orphan while nobody else works with this cluster’s id', () => {
    expect(mayRevoke({ origin: 'gone RegistryToken' }, false)).to.equal(true);
    expect(mayRevoke({ origin: 'lost request' }, false)).to.equal(true);
  });

  it('is only what came of a recorded request while somebody else does', () => {
    expect(mayRevoke({ origin: 'gone RegistryToken' }, true)).to.equal(false);
    expect(mayRevoke({ origin: 'lost request' }, true)).to.equal(true);
  });

  it('is never a token that a cluster with the same uids created, whatever both went through', () => {
    const nonce = fc.constantFrom('aaaaaaaa', 'bbbbbbbb', 'cccccccc');
    const requests = fc.uniqueArray(fc.record({ revision: fc.integer({ min: 1, max: 3 }), nonce }), {
      selector: ({ revision, nonce: n }) => `${revision}${n}`,
    });
    fc.assert(
      fc.property(requests, requests, fc.option(fc.nat(2)), (ours, theirs, open) => {
        const mine = ours.filter(
          (o) => !theirs.some((t) => t.revision === o.revision && t.nonce === o.nonce),
        );
        const intent = mine[open ?? -1];
        const status = { lostIntents: mine, ...(intent && { mintIntent: anIntent(intent) }) };
        const users = usersOf(aCluster({ tokens: [aToken({ status })] }));
        for (const each of theirs)
          expect(standingOf({ id: 'x', tag: aTag({ uid: UID, ...each }) }, PLACE, users)).to.equal('unknown');
      }),
    );
  });
});

describe('whatever the history', () => {
  const ids = ['a', 'b', 'c', 'd'];
  const uids = ['uid-1', 'uid-2'];
  const id = fc.constantFrom(...ids);
  const uid = fc.constantFrom(...uids);
  const revision = fc.integer({ min: 1, max: 4 });
  const tag = fc.record({ clusterId: fc.constantFrom(CLUSTER, CLUSTER, 'another'), uid, revision });
  const rows = fc.uniqueArray(fc.record({ id, tag, expiresAt: fc.constantFrom(null, NOW + DAY) }), {
    selector: (row) => row.id,
  });
  const tokens = fc.uniqueArray(
    fc.record({
      uid,
      token: fc.option(id),
      previous: fc.uniqueArray(id, { maxLength: 2 }),
      lost: fc.uniqueArray(revision, { maxLength: 2 }),
    }),
    { selector: (token) => token.uid },
  );
  const look = fc.record({
    rows,
    tokens,
    secrets: fc.uniqueArray(id, { maxLength: 2 }),
    retained: fc.uniqueArray(id, { maxLength: 1 }),
    known: fc.option(fc.uniqueArray(uid), { nil: undefined }),
    passed: fc.integer({ min: 0, max: 15 }).map((minutes) => minutes * MINUTE),
  });

  it('no token is revoked that is used, unknown, another cluster’s, or was not unused for the delay', () => {
    const delay = 10 * MINUTE;
    fc.assert(
      fc.property(fc.array(look, { maxLength: 8 }), (history) => {
        let suspects: Suspects = new Map();
        let now = 0;
        /** By id: since when every look found it unused. */
        const unusedSince = new Map<string, number>();
        for (const { passed, ...seen } of history) {
          now += passed;
          const users = usersOf({
            tokens: seen.tokens.map((token) =>
              aToken({
                metadata: { uid: token.uid },
                status: {
                  ...(token.token === null ? {} : { token: aRecord({ id: token.token }) }),
                  previousTokens: token.previous.map((each) => aPrevious({ id: each })),
                  lostIntents: token.lost.map((each) => ({ revision: each })),
                },
              }),
            ),
            secrets: seen.secrets.map((each) =>
              aSecret({ metadata: { annotations: { [TOKEN_ID_ANNOTATION]: each } } }),
            ),
            retained: seen.retained.map((each) => ({ id: each, place: PLACE })),
            known: seen.known && new Set(seen.known),
          });
          const { orphans } = findUnused(seen.rows, users, AT);
          const result = confirm(orphans, suspects, now, delay);
          suspects = result.suspects;

          const used = new Set([
            ...seen.secrets,
            ...seen.retained,
            ...seen.tokens.flatMap(({ token, previous }) => [token ?? '', ...previous]),
          ]);
          for (const each of ids) {
            const row = seen.rows.find((candidate) => candidate.id === each);
            const token = seen.tokens.find((candidate) => candidate.uid === row?.tag.uid);
            const isUnused =
              row?.tag.clusterId === CLUSTER &&
              !used.has(each) &&
              (token === undefined || token.lost.includes(row.tag.revision)) &&
              (seen.known === undefined || seen.known.includes(row.tag.uid));
            if (!isUnused) unusedSince.delete(each);
            else if (!unusedSince.has(each)) unusedSince.set(each, now);
          }
          for (const orphan of result.certain) {
            const since = unusedSince.get(orphan.id);
            expect(since, `${orphan.id} was not unused`).to.not.equal(undefined);
            expect(now - (since ?? now)).to.be.at.least(delay);
          }
          expect([...suspects.keys()].sort()).to.deep.equal([...unusedSince.keys()].sort());
        }
      }),
      { numRuns: 500 },
    );
  });
});
