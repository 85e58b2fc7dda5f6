import { expect } from 'chai';
import { readTokenSpec, type RegistryToken } from '../../../src/api/registry-token.ts';
import type { KubeObject, OwnerReference } from '../../../src/common/objects.ts';
import type { ServiceAccount } from '../../../src/token/workloads/service-accounts.ts';
import {
  essentialCredentials,
  essentialNamespace,
  essentialSecret,
  essentialServiceAccount,
  essentialToken,
} from '../../../src/controller/shared/kept-fields.ts';

const HUGE = 'x'.repeat(100_000);
const owner = (n: number): OwnerReference => ({ apiVersion: 'v1', kind: 'Pod', name: `o${n}`, uid: `${n}` });
const hugeFields = Array.from({ length: 100 }, (_, n) => ({ manager: `${n}`, fieldsV1: { 'f:a': HUGE } }));
const WRITTEN = {
  manager: 'registry-token-operator',
  operation: 'Apply',
  fieldsV1: { 'f:data': { 'f:.dockerconfigjson': {} }, 'f:metadata': { 'f:labels': { [HUGE]: {} } } },
};
const OURS = { ...owner(0), kind: 'RegistryToken', controller: true };
const identity = {
  name: 'app',
  namespace: 'team',
  uid: 'uid',
  resourceVersion: '7',
  generation: 2,
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const hostile: KubeObject = {
  apiVersion: 'v1',
  kind: 'Any',
  metadata: {
    ...identity,
    labels: { huge: HUGE.slice(0, 63), 'pullsecrets.dev/registrytoken-uid': 'owner' },
    annotations: {
      huge: HUGE,
      'kubectl.kubernetes.io/last-applied-configuration': `{"stringData":{"apikey":"${HUGE}"}}`,
      'pullsecrets.dev/rotate': HUGE,
      'pullsecrets.dev/rotat': HUGE,
      'pullsecrets.dev/token-id': HUGE,
      'pullsecrets.dev/image-pull-secrets': HUGE,
    },
    finalizers: [...Array.from({ length: 1_000 }, (_, n) => `example.com/${n}`), 'pullsecrets.dev/revoke'],
    ownerReferences: [OURS, ...Array.from({ length: 1_000 }, (_, n) => owner(n))],
    managedFields: hugeFields,
  },
};

describe('of what others write the watches keep', () => {
  const kept: [string, (object: KubeObject) => KubeObject, object][] = [
    [
      'of RegistryTokens',
      (token) => essentialToken({ ...token, spec: {}, status: {} }),
      {
        annotations: {
          'pullsecrets.dev/image-pull-secrets': '',
          'pullsecrets.dev/rotat': '',
          'pullsecrets.dev/token-id': '',
          'pullsecrets.dev/rotate': HUGE.slice(0, 256),
        },
        finalizers: ['pullsecrets.dev/revoke', 'others'],
      },
    ],
    [
      'of Secrets',
      essentialSecret,
      {
        labels: { 'pullsecrets.dev/registrytoken-uid': 'owner' },
        annotations: { 'pullsecrets.dev/token-id': HUGE.slice(0, 512) },
        ownerReferences: [OURS],
      },
    ],
    [
      'of Secrets whose payload the operator wrote',
      ({ metadata, ...secret }) =>
        essentialSecret({ ...secret, metadata: { ...metadata, managedFields: [...hugeFields, WRITTEN] } }),
      {
        labels: { 'pullsecrets.dev/registrytoken-uid': 'owner' },
        annotations: { 'pullsecrets.dev/token-id': HUGE.slice(0, 512) },
        ownerReferences: [OURS],
        managedFields: [{ ...WRITTEN, fieldsV1: { 'f:data': { 'f:.dockerconfigjson': {} } } }],
      },
    ],
    ['of Secrets with credentials', essentialCredentials, {}],
    [
      'of ServiceAccounts',
      (account) =>
        essentialServiceAccount({ ...account, secrets: [{ name: HUGE }] } as unknown as ServiceAccount),
      { annotations: { 'pullsecrets.dev/image-pull-secrets': HUGE.slice(0, 65_536) } },
    ],
    ['of namespaces', essentialNamespace, { labels: hostile.metadata.labels }],
  ];
  for (const [what, trim, rest] of kept) {
    it(`${what} only what the operator looks at`, () => {
      const { apiVersion, kind } = hostile;
      const { spec: _, status: __, ...object } = trim(structuredClone(hostile)) as RegistryToken;
      expect(object).to.deep.equal({ apiVersion, kind, metadata: { ...identity, ...rest } });
    });
  }

  it('of one that a template made what that has given it, cut where people made it longer than a template can', () => {
    const record = JSON.stringify({ labels: ['a', 'gone'], annotations: ['b'] });
    const controller = { ...OURS, kind: 'ClusterRegistryToken', name: HUGE };
    const { metadata } = essentialToken({
      ...hostile,
      metadata: {
        ...identity,
        labels: { a: '1', others: '2' },
        annotations: { b: HUGE, others: HUGE, 'pullsecrets.dev/template': record },
        ownerReferences: [owner(1), controller],
      },
      spec: {},
    });
    expect(metadata.labels).to.deep.equal({ a: '1' });
    expect(metadata.annotations).to.deep.equal({
      b: HUGE.slice(0, 1_025),
      'pullsecrets.dev/template': record,
    });
    expect(metadata.ownerReferences).to.deep.equal([
      { ...OURS, kind: 'ClusterRegistryToken', name: HUGE.slice(0, 320) },
    ]);
  });

  it('of one whose record people made long no more than its beginning', () => {
    const annotations = { 'pullsecrets.dev/template': `{"labels":["${HUGE}"]}` };
    const token = { ...hostile, metadata: { ...identity, annotations }, spec: {} };
    expect(JSON.stringify(essentialToken(token)).length).to.be.lessThan(33_500);
  });

  it('of one whose record people wrote no more labels and annotations than a template can give', () => {
    const keys = Array.from({ length: 3_000 }, (_, n) => `k${n}`);
    const marks = Object.fromEntries(keys.map((key) => [key, 'x'.repeat(50)]));
    const record = JSON.stringify({ labels: keys, annotations: [] });
    const { labels } = essentialToken({
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryToken',
      metadata: { ...identity, labels: marks, annotations: { 'pullsecrets.dev/template': record } },
      spec: {},
    }).metadata;
    expect(Object.keys(labels ?? {}).length).to.equal(32);
  });

  it('nothing that an object does not have', () => {
    const { name, uid, resourceVersion, creationTimestamp } = identity;
    const bare = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, uid, resourceVersion, creationTimestamp },
    };
    expect(essentialCredentials(structuredClone(bare)), 'credentials').to.deep.equal(bare);
    expect(essentialNamespace(structuredClone(bare)), 'namespace').to.deep.equal(bare);
    expect(essentialServiceAccount(structuredClone(bare))).to.deep.equal({
      ...bare,
      metadata: { ...bare.metadata, annotations: {} },
    });
    expect(essentialSecret(structuredClone(bare))).to.deep.equal({
      ...bare,
      metadata: { ...bare.metadata, annotations: {}, labels: {} },
    });
  });

  it('no annotations for the Secret that are too many, but still too many', () => {
    const annotations = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`a${n}`, HUGE]));
    const token = { ...hostile, spec: { secret: { annotations } } } as RegistryToken;
    for (const each of [token, essentialToken(token)])
      expect(() => readTokenSpec(each)).to.throw('spec.secret.annotations takes 16384 characters in all');
    expect(JSON.stringify(essentialToken(token)).length).to.be.lessThan(20_000);
  });
});

describe('of the owners of a Secret the watches keep', () => {
  const cases: [string, Partial<OwnerReference>, boolean][] = [
    ['who controls it, whatever it is', { controller: true }, true],
    ['a RegistryToken, also where that does not control it', { kind: 'RegistryToken' }, true],
    ['nobody else', { controller: false }, false],
  ];
  for (const [what, part, isKept] of cases)
    it(what, () => {
      const metadata = { ...identity, ownerReferences: [{ ...owner(1), ...part }] };
      const { ownerReferences = [] } = essentialSecret({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
      }).metadata;
      expect(ownerReferences).to.have.length(isKept ? 1 : 0);
    });
});

describe('of the finalizers of a RegistryToken the watches keep', () => {
  const cases: [string, string[] | undefined, string[] | undefined][] = [
    ['ours', ['pullsecrets.dev/revoke'], ['pullsecrets.dev/revoke']],
    [
      'ours, and that there are others',
      [HUGE, 'pullsecrets.dev/revoke'],
      ['pullsecrets.dev/revoke', 'others'],
    ],
    ['that there are others, where ours is not there', [HUGE, 'example.com/a'], ['others']],
    ['nothing where there are none', [], undefined],
    ['nothing where there never were any', undefined, undefined],
  ];
  for (const [what, finalizers, kept] of cases)
    it(what, () => {
      const metadata = { ...identity, ...(finalizers && { finalizers }) };
      const token = { apiVersion: 'v1', kind: 'RegistryToken', metadata, spec: {} };
      expect(essentialToken(token).metadata.finalizers).to.deep.equal(kept);
    });
});

describe('of what many objects say the watches keep one', () => {
  it("spec and place of RegistryTokens, and of a Secret's owner what its label says", () => {
    const token = (name: string): RegistryToken =>
      structuredClone({
        ...hostile,
        metadata: { ...identity, name },
        spec: { access: 'ReadOnly', rotation: { policy: 'Auto' } },
        status: { token: { id: name, place: { endpoint: 'https://registry.test', identity: 'id' } } },
      }) as unknown as RegistryToken;
    const [a, b] = [essentialToken(token('a')), essentialToken(token('b'))];
    expect(a.spec).to.equal(b.spec).and.to.deep.equal(token('a').spec);
    expect(a.status?.token?.place).to.equal(b.status?.token?.place);
    expect(a.status).to.deep.equal(token('a').status);
  });
});
