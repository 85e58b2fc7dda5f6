import { expect } from 'chai';
import type { RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import { lacksFinalizer, planDeletion, type Retained } from '../../../src/token/lifecycle/deletion.ts';
import type { TokenKey } from '../../../src/token/lifecycle/place.ts';
import {
  anIntent,
  anIssuedToken,
  ANOTHER_PLACE,
  aPrevious,
  aRecord,
  at,
  aToken,
  DAY,
  HOUR,
  ISSUED,
  PLACE,
} from '../../support/builders.ts';

/** The tokens that stay; beside an identifier of which nothing is known, that. */
const idsOf = (retain: readonly Retained[]): string[] =>
  retain.flatMap(({ id, tokens }) =>
    tokens.length === 0 ? [`unknown ${id}`] : tokens.map((each) => each.id),
  );

/** Tokens, with where they are where that is another registry. */
const keysOf = (tokens: readonly TokenKey[]): string[] =>
  tokens.map(({ id, place }) => (place.endpoint === PLACE.endpoint ? id : `${id} at ${place.endpoint}`));

const plan = (part: Parameters<typeof anIssuedToken>[0] = {}, now = ISSUED + HOUR) => {
  const { revoke, retain, ...rest } = planDeletion(anIssuedToken(part), now);
  return { revoke: revoke.map(({ id }) => id), retain: idsOf(retain), ...rest };
};

describe('the deletion of a RegistryToken', () => {
  const all = { deleteSecret: true, revoke: ['token-1'], retain: [], search: undefined };
  const previousTokens = [aPrevious({ id: 'a' }), aPrevious({ id: 'b', revokeAt: at(DAY) })];
  const rows: [string, Parameters<typeof plan>, object][] = [
    ['takes Secret and token along', [], all],
    [
      'takes predecessors along, without further grace',
      [{ status: { previousTokens } }],
      { ...all, revoke: ['token-1', 'a', 'b'] },
    ],
    [
      'leaves Secret and token where the token is retained, but not its predecessors',
      [{ spec: { deletionPolicy: 'Retain' }, status: { previousTokens } }],
      { ...all, deleteSecret: false, revoke: ['a', 'b'], retain: ['token-1'] },
    ],
    [
      'leaves a token that can not be revoked to its end',
      [{ status: { token: { revocable: false }, previousTokens } }],
      { ...all, revoke: ['a', 'b'] },
    ],
    [
      'has nothing to keep of a token that can not be revoked: it ends by itself',
      [{ spec: { deletionPolicy: 'Retain' }, status: { token: { revocable: false } } }],
      { ...all, deleteSecret: false, revoke: [] },
    ],
    ['revokes what has expired by a clock that may be wrong', [{}, ISSUED + 2 * DAY - 1], all],
    ['leaves tokens that have surely expired', [{}, ISSUED + 2 * DAY], { ...all, revoke: [] }],
    [
      'looks for what an open intent may have left, where it was begun',
      [{ status: { mintIntent: anIntent({ account: 'prod', region: 'eu-de' }) } }],
      { ...all, search: anIntent({ account: 'prod', region: 'eu-de' }) },
    ],
    [
      'looks for nothing where what came of the open intent was of no use',
      [{ status: { mintIntent: anIntent({ phase: 'Discarded' }) } }],
      all,
    ],
    [
      'looks for nothing where what came of the open intent is to be revoked already',
      [
        {
          status: {
            mintIntent: anIntent({ revision: 1 }),
            previousTokens: [aPrevious({ id: 'a', revision: 1 })],
          },
        },
      ],
      { ...all, revoke: ['token-1', 'a'] },
    ],
    ['works on a suspended RegistryToken too', [{ spec: { suspend: true } }], all],
    ['works on a spec that is invalid', [{ spec: { lifetime: 'a while' } }], all],
  ];
  for (const [name, args, expected] of rows) {
    it(name, () => expect(plan(...args)).to.deep.equal(expected));
  }

  it('keeps the token that the Secret holds, where a crash left that one ahead of the status', () => {
    const token = anIssuedToken({ spec: { deletionPolicy: 'Retain' }, status: { mintIntent: anIntent() } });
    const { retain, revoke } = planDeletion(token, ISSUED, ['token-2']);
    expect(idsOf(retain)).to.deep.equal(['token-2']);
    expect(revoke.map(({ id }) => id)).to.deep.equal(['token-1']);
  });
  it('keeps the token that the Secret holds, where the one before it is of a registry that can not revoke', () => {
    const status = { token: { revocable: false }, mintIntent: anIntent() };
    const token = anIssuedToken({ spec: { deletionPolicy: 'Retain' }, status });
    const { retain, revoke } = planDeletion(token, ISSUED, ['token-2']);
    expect([idsOf(retain), revoke]).to.deep.equal([['token-2'], []]);
  });
  it('keeps the tokens of both Secrets that a crash in a rename left', () => {
    const token = anIssuedToken({ spec: { deletionPolicy: 'Retain' }, status: { previousTokens } });
    const { retain, revoke } = planDeletion(token, ISSUED, ['b', 'token-1']);
    expect(idsOf(retain)).to.deep.equal(['b', 'token-1']);
    expect(revoke.map(({ id }) => id)).to.deep.equal(['a']);
  });
  it('keeps nothing but what its Secret says of a token of which nothing else tells', () => {
    const token = anIssuedToken({ spec: { deletionPolicy: 'Retain' } });
    const { retain, revoke } = planDeletion(token, ISSUED, ['unheard-of']);
    expect(idsOf(retain)).to.deep.equal(['unknown unheard-of']);
    expect(revoke.map(({ id }) => id)).to.deep.equal(['token-1']);
  });

  describe('where two registries gave the same identifier', () => {
    const previous = aPrevious({ id: 'token-1', place: ANOTHER_PLACE });
    const planOf = (status: RegistryTokenStatus, deletionPolicy: 'Delete' | 'Retain' = 'Retain') => {
      const token = anIssuedToken({ spec: { deletionPolicy }, status });
      const { retain, revoke } = planDeletion(token, ISSUED, ['token-1']);
      return { retain: keysOf(retain.flatMap(({ tokens }) => tokens)), revoke: keysOf(revoke) };
    };
    it('revokes both', () =>
      expect(planOf({ previousTokens: [previous] }, 'Delete')).to.deep.equal({
        retain: [],
        revoke: ['token-1', 'token-1 at https://another.example'],
      }));
    it('keeps the one in force, and revokes the one before', () =>
      expect(planOf({ previousTokens: [previous] })).to.deep.equal({
        retain: ['token-1'],
        revoke: ['token-1 at https://another.example'],
      }));
    it('keeps neither where the one in force ends by itself', () =>
      expect(planOf({ token: aRecord({ revocable: false }), previousTokens: [previous] })).to.deep.equal({
        retain: [],
        revoke: ['token-1 at https://another.example'],
      }));
    it('keeps both where that of an open mint can be in the Secret already', () =>
      expect(planOf({ mintIntent: anIntent({ place: ANOTHER_PLACE }) })).to.deep.equal({
        retain: ['token-1', 'token-1 at https://another.example'],
        revoke: [],
      }));
  });

  it('revokes what its Secrets hold unless it is retained', () => {
    expect(planDeletion(anIssuedToken(), ISSUED, ['token-1'])).to.deep.include({
      revoke: [aRecord()],
      retain: [],
    });
  });
  it('revokes nothing where nothing was made', () => {
    expect(planDeletion(aToken(), ISSUED)).to.deep.equal({ ...all, revoke: [] });
  });
  it('tells where each token was made', () => {
    expect(planDeletion(anIssuedToken(), ISSUED).revoke[0]).to.include({
      account: 'default',
      region: 'us-south',
    });
  });
});

describe('a RegistryToken whose finalizer is missing', () => {
  const FINALIZERS = ['pullsecrets.dev/revoke'];
  const rows: [string, Parameters<typeof aToken>[0], boolean][] = [
    ['gets it back where it has a token', { status: { token: aRecord() } }, true],
    ['gets it back where it has a previous token', { status: { previousTokens: [aPrevious()] } }, true],
    ['gets it back where it may have a token', { status: { mintIntent: anIntent() } }, true],
    [
      'gets it back beside those of others',
      { metadata: { finalizers: ['a.test/b'] }, status: { token: aRecord() } },
      true,
    ],
    ['needs none where it never had a token', { status: { observedGeneration: 1 } }, false],
    [
      'can get none while it is being deleted',
      { metadata: { deletionTimestamp: at(0) }, status: { token: aRecord() } },
      false,
    ],
    [
      'is not missing where it is there',
      { metadata: { finalizers: FINALIZERS }, status: { token: aRecord() } },
      false,
    ],
  ];
  for (const [what, part, lacks] of rows)
    it(what, () => expect(lacksFinalizer(aToken(part))).to.equal(lacks));
});
