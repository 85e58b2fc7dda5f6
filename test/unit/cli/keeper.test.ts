import { expect } from 'chai';
import { keeperOf } from '../../../src/cli/pull-secrets/keeper.ts';
import type { ObjectMeta, OwnerReference } from '../../../src/common/objects.ts';

const meta = (part: Partial<ObjectMeta>): ObjectMeta => ({
  name: 'app-pull',
  namespace: 'team-a',
  uid: 'secret-1',
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...part,
});
const owner = (apiVersion: string, kind: string, part: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion,
  kind,
  name: 'source',
  uid: 'owner-1',
  controller: true,
  ...part,
});

describe('who keeps a pull secret', () => {
  const marks = {
    'app.kubernetes.io/managed-by': 'registry-token-operator',
    'pullsecrets.dev/registrytoken-uid': 'token-1',
  };

  it('is nobody where nothing tells', () => {
    expect(keeperOf(meta({ labels: { app: 'web' } }), [])).to.equal(undefined);
    expect(keeperOf(meta({ labels: { app: 'web' } }), [{ name: 'app-pull', uid: 'token-1' }])).to.equal(
      undefined,
    );
  });

  it('is this operator for the Secret of a RegistryToken, by its controller and by its label', () => {
    const expected = { name: 'registry-token-operator', object: 'RegistryToken app', does: 'Rotates' };
    const token = { name: 'app', uid: 'token-1' };
    const ownerReferences = [owner('pullsecrets.dev/v1alpha1', 'RegistryToken', { uid: 'token-1' })];
    expect(keeperOf(meta({ ownerReferences }), [{ name: 'b', uid: 'token-2' }, token])).to.deep.equal(
      expected,
    );
    expect(keeperOf(meta({ labels: marks }), [{ name: 'b', uid: 'token-2' }, token])).to.deep.equal(expected);
  });

  it('is nobody for a copy of this operator’s Secret, and for one that its RegistryToken left', () => {
    expect(keeperOf(meta({ labels: marks }), [])).to.equal(undefined);
    expect(keeperOf(meta({ labels: marks }), [{ name: 'app', uid: 'token-2' }])).to.equal(undefined);
  });

  const others: [title: string, part: Partial<ObjectMeta>, name: string, object: string, does: string][] = [
    [
      'an ExternalSecret',
      { ownerReferences: [owner('external-secrets.io/v1', 'ExternalSecret')] },
      'External Secrets',
      'ExternalSecret source',
      'Rotates',
    ],
    [
      'an ExternalSecret that does not own it',
      { labels: { 'reconcile.external-secrets.io/managed': 'true' } },
      'External Secrets',
      '',
      'Rotates',
    ],
    [
      'Vault',
      { labels: { 'app.kubernetes.io/managed-by': 'hashicorp-vso' } },
      'Vault Secrets Operator',
      '',
      'Rotates',
    ],
    [
      'OpenShift',
      { annotations: { 'openshift.io/internal-registry-auth-token.service-account': 'default' } },
      'OpenShift',
      'default',
      'Rotates',
    ],
    [
      'Reflector',
      { annotations: { 'reflector.v1.k8s.emberstack.com/reflects': 'default/all-icr-io' } },
      'Reflector',
      'default/all-icr-io',
      'Copies',
    ],
    [
      'a ClusterPullSecret',
      { ownerReferences: [owner('ops.alexellis.io/v1', 'ClusterPullSecret')] },
      'registry-creds',
      'ClusterPullSecret source',
      'Copies',
    ],
    [
      'Helm',
      {
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'web' },
      },
      'Helm',
      'web',
      'Copies',
    ],
    ['Argo CD', { labels: { 'argocd.argoproj.io/instance': 'web' } }, 'Argo CD', '', 'Copies'],
    [
      'an ExternalSecret that Argo CD delivers',
      { labels: { 'argocd.argoproj.io/instance': 'web', 'reconcile.external-secrets.io/managed': 'true' } },
      'External Secrets',
      '',
      'Rotates',
    ],
    [
      'a controller that is not known',
      { ownerReferences: [owner('example.com/v1', 'Robot')] },
      'Robot',
      'Robot source',
      'Unknown',
    ],
  ];
  for (const [title, part, name, object, does] of others)
    it(`is told for what belongs to ${title}`, () => {
      expect(keeperOf(meta(part), [])).to.deep.equal({ name, object, does });
    });

  it('is nobody for labels that only look like those of a known program', () => {
    const labels = { 'app.kubernetes.io/managed-by': 'helm', constructor: 'x' };
    expect(keeperOf(meta({ labels }), [])).to.equal(undefined);
    const ownerReferences = [owner('notexternal-secrets.io/v1', 'ExternalSecret', { controller: false })];
    expect(keeperOf(meta({ ownerReferences }), [])).to.equal(undefined);
  });
});
