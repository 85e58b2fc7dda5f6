import { expect } from 'chai';
import * as fc from 'fast-check';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { findUnusedIdentities, type Identity } from '../../../src/token/sweep/unused-identities.ts';
import { usersOf, type Cluster } from '../../../src/token/sweep/users.ts';
import type { TaggedToken } from '../../../src/token/sweep/tag.ts';
import {
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  aSecret,
  aToken,
  PLACE,
  type Part,
} from '../../support/builders.ts';

const CLUSTER = 'this-cluster';
const UID = aToken().metadata.uid;

/** A service ID or the like, made for the RegistryToken of the builders. */
const anIdentity = (part: Partial<Identity> = {}): Identity => ({
  id: 'identity-1',
  clusterId: CLUSTER,
  uid: UID,
  specHash: 'now',
  ...part,
});

const aRow = (id: string, part: Partial<TaggedToken['tag']> = {}): TaggedToken => ({
  id,
  tag: { clusterId: CLUSTER, uid: UID, revision: 1, ...part },
  expiresAt: null,
});

const unused = (
  identities: readonly Identity[],
  rows: readonly TaggedToken[] = [],
  cluster: Partial<Cluster> = {},
): string[] => {
  const users = usersOf({ tokens: [], secrets: [], retained: [], known: undefined, ...cluster });
  return findUnusedIdentities(identities, rows, users, { clusterId: CLUSTER, place: PLACE }).map(
    ({ id }) => id,
  );
};

/** A RegistryToken whose token was made for `now`. */
const inHand = (part: Part<RegistryToken> = {}): RegistryToken =>
  anIssuedToken({ status: { token: aRecord({ specHash: 'now' }) }, ...part });

describe('what tokens hang on', () => {
  const held = aSecret();
  const rows: [what: string, unused: boolean, Parameters<typeof unused>][] = [
    ['is unused when its RegistryToken is gone', true, [[anIdentity()]]],
    [
      'is unused when its RegistryToken is gone, though a token that is to be revoked hangs on it',
      true,
      [[anIdentity()], [aRow('left')]],
    ],
    [
      'is unused when its RegistryToken is deleted and the operator is done with it',
      true,
      [
        [anIdentity()],
        [],
        { tokens: [inHand({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [] } })] },
      ],
    ],
    [
      'is used while its RegistryToken is being deleted',
      false,
      [[anIdentity()], [], { tokens: [inHand({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })] }],
    ],
    ['is used by the token in force', false, [[anIdentity()], [aRow('token-1')], { tokens: [inHand()] }]],
    [
      'is used by the token in force, though the list lacks that',
      false,
      [[anIdentity()], [], { tokens: [inHand()] }],
    ],
    [
      'is unused when the token in force was made for something else',
      true,
      [[anIdentity({ specHash: 'before' })], [aRow('token-1')], { tokens: [inHand()] }],
    ],
    [
      'is used by a previous token that is not revoked yet',
      false,
      [
        [anIdentity({ specHash: 'before' })],
        [],
        { tokens: [inHand({ status: { previousTokens: [aPrevious({ specHash: 'before' })] } })] },
      ],
    ],
    [
      'is used by a token that is about to be created',
      false,
      [
        [anIdentity({ specHash: 'next' })],
        [],
        { tokens: [inHand({ status: { mintIntent: anIntent({ specHash: 'next' }) } })] },
      ],
    ],
    [
      'is unused when its RegistryToken has no token and none is coming',
      true,
      [[anIdentity()], [], { tokens: [aToken()] }],
    ],
    [
      'stays while its RegistryToken has a token that its status does not name',
      false,
      [[anIdentity({ specHash: 'before' })], [aRow('token-1'), aRow('stray')], { tokens: [inHand()] }],
    ],
    [
      'stays while a Secret alone keeps a token of its RegistryToken, which is gone',
      false,
      [[anIdentity()], [aRow('token-1')], { secrets: [held] }],
    ],
    [
      'stays while a token of its RegistryToken, which is gone, is kept on purpose',
      false,
      [[anIdentity()], [aRow('kept')], { retained: [{ id: 'kept', place: PLACE, uid: UID }] }],
    ],
    [
      'stays while another RegistryToken took over its token',
      false,
      [[anIdentity({ uid: 'before' })], [aRow('token-1', { uid: 'before' })], { tokens: [inHand()] }],
    ],
    [
      'is unused though Secrets keep tokens of other RegistryTokens',
      true,
      [[anIdentity()], [aRow('token-1', { uid: 'other' })], { secrets: [held] }],
    ],
    [
      'is unused though another cluster has tokens with the same uid',
      true,
      [[anIdentity()], [aRow('token-1', { clusterId: 'other' })], { secrets: [held] }],
    ],
    ['of another cluster is none of our business', false, [[anIdentity({ clusterId: 'other' })]]],
    [
      'of a RegistryToken that may be in a namespace out of view stays',
      false,
      [[anIdentity()], [], { known: new Set(['other']) }],
    ],
    [
      'of a RegistryToken that was in view, and is gone, is unused',
      true,
      [[anIdentity()], [], { known: new Set([UID]) }],
    ],
  ];
  for (const [what, isUnused, args] of rows)
    it(what, () => expect(unused(...args)).to.deep.equal(isUnused ? ['identity-1'] : []));

  const uids = fc.constantFrom('a', 'b', 'c');
  const ids = fc.constantFrom('t1', 't2', 't3', 't4');
  const hashes = fc.constantFrom('h1', 'h2', 'h3');
  const [{ metadata }, token, earlier] = [aToken(), aRecord(), aPrevious()];
  const records = fc.record({ id: ids, specHash: hashes });
  const tokens = fc.uniqueArray(
    fc
      .record({ uid: uids, record: records, previous: fc.array(records, { maxLength: 2 }) })
      .map(({ uid, record, previous }) => ({
        metadata: { ...metadata, uid },
        status: {
          token: { ...token, ...record },
          previousTokens: previous.map((each) => ({ ...earlier, ...each })),
        },
      })),
    { selector: (each) => each.metadata.uid },
  );
  const clusters = fc.constantFrom(CLUSTER, 'other');
  const lists = fc.uniqueArray(
    fc.record({ id: ids, clusterId: clusters, uid: uids }).map(({ id, ...tag }) => aRow(id, tag)),
    { selector: ({ id }) => id },
  );
  const identities = fc
    .array(fc.record({ clusterId: clusters, uid: uids, specHash: hashes }))
    .map((rest) => rest.map((each, index) => ({ id: `identity-${index}`, ...each })));
  const worlds = fc.record({
    tokens,
    list: lists,
    identities,
    held: fc.subarray(['t1', 't2', 't3', 't4']),
    known: fc.option(fc.subarray(['a', 'b', 'c']), { nil: undefined }),
  });

  it('is never unused where status names a token made for the same, or one in use whose making nobody knows', () => {
    fc.assert(
      fc.property(worlds, ({ tokens: all, list, identities: made, held: secrets, known }) => {
        const found = unused(made, list, {
          tokens: all,
          retained: secrets.map((id) => ({ id, place: PLACE })),
          known: known && new Set(known),
        });
        for (const { uid, specHash, clusterId } of made.filter(({ id }) => found.includes(id))) {
          expect(clusterId).to.equal(CLUSTER);
          if (known) expect(known).to.include(uid);
          const status = all.find((each) => each.metadata.uid === uid)?.status;
          const recorded = [status?.token, ...(status?.previousTokens ?? [])].flatMap((each) => each ?? []);
          expect(recorded.map((each) => each.specHash)).not.to.include(specHash);
          const rest = list.filter(({ tag }) => tag.clusterId === CLUSTER && tag.uid === uid);
          for (const { id } of rest.filter((row) => secrets.includes(row.id)))
            expect(recorded.map((each) => each.id)).to.include(id);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
