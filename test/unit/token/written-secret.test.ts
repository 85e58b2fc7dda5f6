import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { readTokenSpec } from '../../../src/api/registry-token.ts';
import { viewSecret } from '../../../src/token/secret/secret-view.ts';
import { knownSecret, writtenSecret } from '../../../src/token/secret/written-secret.ts';
import {
  ABSENT,
  aCredential,
  anIntent,
  anIssuedToken,
  aPrevious,
  aSecret,
  HOST,
  ours,
  type Part,
} from '../../support/builders.ts';

const STORED = { name: 'app', uid: 'secret-uid', resourceVersion: '7' };
const { tokenId } = aCredential();
/** A RegistryToken whose Secret was written, and nothing has happened since but this. */
function written(part: Part<RegistryToken> = {}): RegistryToken {
  const before = anIssuedToken();
  const what = { token: before, spec: readTokenSpec(before), host: HOST, tokenId };
  const secretRef = writtenSecret(STORED, ours(), what);
  return anIssuedToken({ ...part, status: { host: HOST, secretRef, ...part.status } });
}
const known = (token: RegistryToken, watched: typeof STORED | undefined = STORED, hosts = [HOST]) =>
  knownSecret(watched, token, readTokenSpec(token), hosts);

describe('a Secret that has not changed since the operator wrote it', () => {
  it('looks as it does when it is read, but for its payload', () => {
    const token = written();
    const read = viewSecret(aSecret(), token, readTokenSpec(token), [HOST]);
    expect(known(token)).to.deep.equal({ ...read, payload: undefined });
  });

  it('is known by the host that is in force, whatever host takes its place', () => {
    expect(known(written(), STORED, [HOST, 'new.example'])).to.include({ host: HOST });
    expect(known(written(), STORED, ['new.example'])).to.equal(undefined);
  });

  const changes: [what: string, token: RegistryToken, watched?: typeof STORED][] = [
    ['somebody changed it', written(), { ...STORED, resourceVersion: '8' }],
    ['it was deleted, and another has its name', written(), { ...STORED, uid: 'another' }],
    ['another label is wanted', written({ spec: { secret: { labels: { tier: 'web' } } } })],
    ['another host is wanted beside it', written({ spec: { secret: { extraHosts: ['mirror.example'] } } })],
    ['another name is wanted', written({ spec: { secret: { name: 'other' } } })],
    ['it is to outlive its RegistryToken now', written({ spec: { deletionPolicy: 'Retain' } })],
    ['another token is in force', written({ status: { token: { id: 'token-2' } } })],
    ['another host is in force', written({ status: { host: 'other.example' } })],
    ['no token is in force', written({ status: { token: undefined } })],
    ['a later token was asked for, which it may hold', written({ status: { mintIntent: anIntent() } })],
    [
      'a later token is to be revoked, which it may hold',
      written({ status: { previousTokens: [aPrevious({ id: 'token-2', revision: 2 })] } }),
    ],
    [
      'a later token may have come of a request that was given up',
      written({ status: { lostIntents: [{ revision: 2 }] } }),
    ],
    ['a later token was used', written({ status: { lastRevision: 2 } })],
    ['another RegistryToken has the name by now', written({ metadata: { uid: 'created-again' } })],
    [
      'the status does not say what was written',
      written({ status: { secretRef: { appliedHash: undefined } } }),
    ],
  ];
  for (const [what, token, watched] of changes)
    it(`is read where ${what}`, () => {
      expect(known(token, watched)).to.equal(undefined);
    });

  it('is known while the token before is to be revoked', () => {
    const previousTokens = [aPrevious({ revision: 0 })];
    expect(known(written({ status: { previousTokens } }))).to.include({ holds: tokenId });
  });
});

describe('a Secret that was not stored as it is to be', () => {
  const token = anIssuedToken();
  const what = { token, spec: readTokenSpec(token), host: HOST, tokenId };
  for (const [why, view] of [
    ['was changed on its way', ours({ holds: undefined })],
    ['holds another token', ours({ holds: 'token-0' })],
    ['lacks a label', ours({ current: false })],
    ['is immutable', ours({ locked: true })],
    ['has another host', ours({ host: 'other.example' })],
    ['is not there', ABSENT],
  ] as const)
    it(`since it ${why} is read again after a restart: its version is not recorded`, () => {
      expect(writtenSecret(STORED, view, what)).to.deep.equal({ name: 'app', uid: 'secret-uid' });
    });
});
