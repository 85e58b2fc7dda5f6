import { expect } from 'chai';
import { copiesOf, withSecretWritten } from '../../../bench/copies.ts';
import { endOf, inBatches } from '../../../bench/cluster/etcd.ts';
import { API_VERSION } from '../../../src/api/names.ts';
import { readTokenSpec, type RegistryToken } from '../../../src/api/registry-token.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import type { Manifest } from '../../../src/kube/client/manifest.ts';
import { secretManifest, type Secret } from '../../../src/token/secret/secret.ts';
import { knownSecret } from '../../../src/token/secret/written-secret.ts';

const TOKEN = {
  apiVersion: API_VERSION,
  kind: 'RegistryToken',
  metadata: { name: 'app-to-copy', namespace: 'bench-0', uid: 'uid-of-the-token', resourceVersion: '7' },
  spec: { lifetime: '24h' },
  status: {
    secretRef: { name: 'app-to-copy', uid: 'uid-of-the-secret' },
    token: {
      id: 'id-of-the-token',
      revision: 1,
      access: 'ReadOnly',
      issuedAt: '2026-11-29T00:00:00Z',
      expiresAt: '2026-11-30T00:00:00Z',
      account: 'default',
      region: 'us-south',
      place: { endpoint: 'http://registry', identity: 'bench' },
      specHash: 'hash',
    },
  },
} as unknown as RegistryToken;
const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'app-to-copy',
    namespace: 'bench-0',
    uid: 'uid-of-the-secret',
    resourceVersion: '8',
    creationTimestamp: '2026-11-29T00:00:00Z',
    annotations: { id: 'id-of-the-token', owner: 'uid-of-the-token' },
  },
};

describe('copiesOf', () => {
  const { tokens, secrets, atRegistry } = copiesOf({ token: TOKEN, secret: SECRET, clusterId: 'cluster' }, 3);
  const [copy] = tokens as unknown as RegistryToken[];

  it('gives each a name and uids of its own, in one of several namespaces', () => {
    expect(tokens.map(({ metadata }) => metadata.name)).to.deep.equal([
      'app-to-copy-0',
      'app-to-copy-1',
      'app-to-copy-2',
    ]);
    expect(new Set(tokens.map(({ metadata }) => metadata.uid))).to.have.length(3);
    expect(new Set(tokens.map(({ metadata }) => metadata.namespace))).to.have.length(3);
  });

  it('issues the token of each so long ago that it is to be rotated when it should be', () => {
    const dueAt = (n: number): number => Date.parse('2026-11-29T20:00:00Z') + n * 3_600_000;
    const later = copiesOf({ token: TOKEN, secret: SECRET, clusterId: 'cluster' }, 3, dueAt);
    const due = (later.tokens as unknown as RegistryToken[]).map(({ status }) => status?.nextRotationTime);
    const seconds = due.map((time, n) => Math.abs(Date.parse(time ?? '') - dueAt(n)) / 1000);
    expect(Math.max(...seconds)).to.be.at.most(1);
  });

  it('lets RegistryToken, Secret and token refer to each other', () => {
    const [secret] = secrets;
    expect(copy?.status?.secretRef?.uid).to.equal(secret?.metadata.uid);
    expect(secret?.metadata.annotations).to.deep.equal({ id: atRegistry[0]?.id, owner: copy?.metadata.uid });
    expect(copy?.status?.token?.id).to.equal(atRegistry[0]?.id);
    expect(atRegistry[0]?.description).to.contain(`:cluster:${copy?.metadata.uid}:1:`);
  });

  it('says when each is rotated, which depends on its uid', () => {
    expect(
      new Set((tokens as unknown as RegistryToken[]).map(({ status }) => status?.nextRotationTime)),
    ).to.have.length(3);
  });

  it('leaves out versions, which the store gives', () => {
    expect(JSON.stringify([tokens, secrets])).not.to.contain('resourceVersion');
  });
});

describe('withSecretWritten', () => {
  const host = 'registry.test';
  const token = { ...TOKEN, status: { ...TOKEN.status, host } };
  const credential = { tokenId: 'id-of-the-token', username: 'token', value: new Redacted('a-value') };
  const manifest = secretManifest({ token, spec: readTokenSpec(token), host, credential });
  const identity = { uid: 'uid-of-the-secret', creationTimestamp: '2026-11-29T00:00:00Z' };
  const secret = { ...manifest, metadata: { ...manifest.metadata, ...identity, resourceVersion: '8' } };
  const { tokens, secrets } = copiesOf({ token, secret, clusterId: 'cluster' }, 1);
  const [copy, itsSecret] = [tokens[0] as Manifest, secrets[0] as Secret & Manifest];

  it('makes a status by which a start knows the Secret without reading it', () => {
    const written = withSecretWritten(copy, itsSecret, '77') as unknown as RegistryToken;
    const { uid } = itsSecret.metadata;
    const known = (resourceVersion: string) =>
      knownSecret({ uid, resourceVersion }, written, readTokenSpec(written), [host]);
    expect(known('77')).to.include({ state: 'ours', current: true, holds: written.status?.token?.id });
    expect(known('78')).to.equal(undefined);
  });

  it('refuses a Secret that the operator would write again', () => {
    const edited = { ...itsSecret, data: {} };
    expect(() => withSecretWritten(copy, edited, '77')).to.throw(TypeError, 'is not as it is to be');
    expect(() => withSecretWritten(copy, itsSecret, undefined)).to.throw(TypeError, 'was not written');
  });
});

describe('etcd', () => {
  it('writes in batches', () => {
    expect([...inBatches([1, 2, 3, 4, 5], 2)]).to.deep.equal([[1, 2], [3, 4], [5]]);
    expect([...inBatches([], 2)]).to.deep.equal([]);
  });

  it('ends a range right after all that begins with the prefix', () => {
    expect(endOf('/registry/secrets/bench-')).to.equal('/registry/secrets/bench.');
  });
});
