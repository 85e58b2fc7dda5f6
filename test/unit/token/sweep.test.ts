import { expect } from 'chai';
import * as fc from 'fast-check';
import { TOKEN_ID_ANNOTATION } from '../../../src/api/names.ts';
import {
  confirm,
  findOrphans,
  nextCertain,
  usersOf,
  type Cluster,
  type Row,
  type Suspects,
} from '../../../src/token/sweep.ts';
import { describe as describeToken } from '../../../src/token/tag.ts';
import {
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  aSecret,
  aToken,
  DAY,
  ISSUED,
  MINUTE,
} from '../../support/builders.ts';

const CLUSTER = 'this-cluster';
const UID = aToken().metadata.uid;
const NOW = ISSUED;

const tagged = (part: Partial<{ clusterId: string; uid: string; revision: number }> = {}): string =>
  describeToken('ours', { clusterId: CLUSTER, uid: 'gone', revision: 1, ...part });

const aRow = (part: Partial<Row> = {}): Row => ({
  id: 'token-1',
  description: tagged(),
  expiresAt: NOW + DAY,
  revoked: false,
  ...part,
});

const aCluster = (part: Partial<Cluster> = {}): Cluster => ({
  tokens: [],
  secrets: [],
  retained: [],
  known: undefined,
  ...part,
});

const orphans = (rows: Row[], cluster: Partial<Cluster> = {}): string[] =>
  findOrphans(rows, usersOf(aCluster(cluster)), CLUSTER, NOW).map(({ id }) => id);

describe('orphans', () => {
  it('a token of this cluster that nothing uses is one, whatever the user wrote before the tag', () => {
    expect(orphans([aRow(), aRow({ id: 'b', expiresAt: null })])).to.deep.equal(['token-1', 'b']);
  });

  const intact = tagged();
  const leftAlone: [string, Partial<Row>][] = [
    ['has no description', { description: '' }],
    ['was made by hand', { description: 'CI of team a' }],
    ['has the tag of another cluster', { description: tagged({ clusterId: 'another' }) }],
    [
      'has a longer cluster id that begins like this one',
      { description: tagged({ clusterId: `${CLUSTER}2` }) },
    ],
    ['has text after the tag', { description: `${intact} ` }],
    ['has a tag that was cut', { description: intact.slice(0, -1) }],
    ['has a tag without a revision', { description: intact.replace(/:\d+\]$/, ':]') }],
    ['has a revision that is no number', { description: intact.replace(/:\d+\]$/, ':x]') }],
    ['has a tag of another group', { description: intact.replace('pullsecrets.dev', 'pullsecretsxdev') }],
    ['was revoked', { revoked: true }],
    ['has expired', { expiresAt: NOW }],
  ];
  for (const [what, part] of leftAlone) {
    it(`a token that ${what} is none`, () => expect(orphans([aRow(part)])).to.deep.equal([]));
  }

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
    ['was retained', { retained: ['token-1'] }],
  ];
  for (const [what, cluster] of uses) {
    it(`a token that ${what} is none`, () => {
      expect(orphans([aRow({ description: tagged({ uid: UID }) })], cluster)).to.deep.equal([]);
    });
  }

  describe('while a RegistryToken mints', () => {
    const tokens = [
      aToken({ status: { token: aRecord({ id: 'old' }), mintIntent: anIntent({ revision: 7 }) } }),
    ];
    const cases: [number, boolean][] = [
      [6, true],
      [7, false],
      [8, false],
    ];
    for (const [revision, orphan] of cases) {
      it(`revision ${revision} of it is ${orphan ? 'an orphan' : 'left alone'} while 7 is under way`, () => {
        const row = aRow({ description: tagged({ uid: UID, revision }) });
        expect(orphans([row], { tokens })).to.deep.equal(orphan ? ['token-1'] : []);
      });
    }

    it('the tokens of another RegistryToken are not its', () => {
      expect(orphans([aRow({ description: tagged({ revision: 9 }) })], { tokens })).to.deep.equal([
        'token-1',
      ]);
    });
  });

  it('an unrecorded token of a RegistryToken that mints nothing is one', () => {
    const tokens = [anIssuedToken()];
    const row = aRow({ id: 'stray', description: tagged({ uid: UID, revision: 2 }) });
    expect(orphans([row], { tokens })).to.deep.equal(['stray']);
  });

  it('where only some namespaces are in view, those of unknown RegistryTokens are left alone', () => {
    const rows = [
      aRow({ id: 'a', description: tagged({ uid: 'seen-deleted' }) }),
      aRow({ id: 'b', description: tagged({ uid: 'elsewhere' }) }),
    ];
    expect(orphans(rows, { known: new Set(['seen-deleted']) })).to.deep.equal(['a']);
    expect(orphans(rows, { known: new Set() })).to.deep.equal([]);
  });
});

describe('suspicion', () => {
  const delay = 10 * MINUTE;
  const suspect = { id: 'a', tag: { clusterId: CLUSTER, uid: 'gone', revision: 1 } };
  const none: Suspects = new Map();

  it('one look makes nothing certain', () => {
    const { suspects, certain } = confirm([suspect], none, 0, delay);
    expect(certain).to.deep.equal([]);
    expect(nextCertain(suspects, 0, delay)).to.equal(delay);
  });

  const cases: [string, number, number][] = [
    ['too early', delay - 1, 0],
    ['after the delay', delay, 1],
    ['long after it', delay * 100, 1],
  ];
  for (const [when, now, count] of cases) {
    it(`a second look ${when} makes ${count} certain`, () => {
      const first = confirm([suspect], none, 0, delay).suspects;
      expect(confirm([suspect], first, now, delay).certain).to.have.length(count);
    });
  }

  it('begins anew when it was used in between', () => {
    const first = confirm([suspect], none, 0, delay).suspects;
    const second = confirm([], first, 5 * MINUTE, delay).suspects;
    const third = confirm([suspect], second, delay, delay);
    expect(third.certain).to.deep.equal([]);
    expect(confirm([suspect], third.suspects, 2 * delay, delay).certain).to.deep.equal([suspect]);
  });

  it('nothing is waited for once all are certain', () => {
    const { suspects } = confirm([suspect], none, 0, delay);
    expect(nextCertain(suspects, delay, delay)).to.equal(undefined);
    expect(nextCertain(none, 0, delay)).to.equal(undefined);
  });
});

describe('whatever the history', () => {
  const ids = ['a', 'b', 'c', 'd'];
  const uids = ['uid-1', 'uid-2'];
  const id = fc.constantFrom(...ids);
  const uid = fc.constantFrom(...uids);
  const revision = fc.integer({ min: 1, max: 4 });
  const description = fc.oneof(
    fc.record({ clusterId: fc.constantFrom(CLUSTER, CLUSTER, 'another'), uid, revision }).map(tagged),
    fc.tuple(fc.nat(80), fc.constantFrom('', 'x', ']')).map(([cut, rest]) => intactCut(cut) + rest),
    fc.constant(''),
  );
  const rows = fc.uniqueArray(
    fc.record({ id, description, expiresAt: fc.constantFrom(null, NOW + DAY), revoked: fc.boolean() }),
    { selector: (row) => row.id },
  );
  const tokens = fc.uniqueArray(
    fc.record({
      uid,
      token: fc.option(id),
      previous: fc.uniqueArray(id, { maxLength: 2 }),
      intent: fc.option(revision),
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

  function intactCut(length: number): string {
    return tagged({ uid: 'uid-1' }).slice(0, Math.min(length, tagged({ uid: 'uid-1' }).length - 1));
  }

  it('no token is revoked that is used, foreign, untagged, damaged, or was not unused for the delay', () => {
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
                  ...(token.intent === null ? {} : { mintIntent: anIntent({ revision: token.intent }) }),
                },
              }),
            ),
            secrets: seen.secrets.map((each) =>
              aSecret({ metadata: { annotations: { [TOKEN_ID_ANNOTATION]: each } } }),
            ),
            retained: seen.retained,
            known: seen.known && new Set(seen.known),
          });
          const found = findOrphans(seen.rows, users, CLUSTER, NOW);
          const result = confirm(found, suspects, now, delay);
          suspects = result.suspects;

          const used = new Set([
            ...seen.secrets,
            ...seen.retained,
            ...seen.tokens.flatMap(({ token, previous }) => [token ?? '', ...previous]),
          ]);
          for (const each of ids) {
            const row = seen.rows.find((candidate) => candidate.id === each);
            const match = /^ours \[pullsecrets\.dev:this-cluster:(uid-[12]):([1-4])\]$/.exec(
              row?.description ?? '',
            );
            const minting = seen.tokens.find((token) => token.uid === match?.[1])?.intent ?? Infinity;
            const unused =
              row !== undefined &&
              !row.revoked &&
              match !== null &&
              !used.has(each) &&
              Number(match[2]) < minting &&
              (seen.known === undefined || seen.known.includes(match[1] ?? ''));
            if (!unused) unusedSince.delete(each);
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
