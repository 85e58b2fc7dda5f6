import { expect } from 'chai';
import { SecretReferences } from '../../../src/cli/pull-secrets/references.ts';
import type { ObjectMeta } from '../../../src/common/objects.ts';

const meta = (name: string, namespace = 'team-a'): ObjectMeta => ({
  name,
  namespace,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});
const SECRET = { namespace: 'team-a', name: 'app-pull' };

describe('who names a pull secret', () => {
  const pod = (
    names: (string | undefined)[],
    phase?: string,
    namespace?: string,
  ): Parameters<SecretReferences['addPod']>[0] => ({
    metadata: meta('pod', namespace),
    spec: { containers: [], imagePullSecrets: names.map((name) => (name === undefined ? {} : { name })) },
    ...(phase && { status: { phase } }),
  });

  it('is every pod that has not ended, once however often it names it', () => {
    const references = new SecretReferences([SECRET]);
    for (const each of [
      pod(['app-pull', 'app-pull']),
      pod(['other', undefined, 'app-pull'], 'Running'),
      pod(['app-pull'], 'Succeeded'),
      pod(['app-pull'], 'Failed'),
      pod(['app-pull'], 'Running', 'team-b'),
      pod([]),
    ])
      references.addPod(each);
    expect(references.of(SECRET)).to.deep.equal({ pods: 2, serviceAccounts: [], moreServiceAccounts: 0 });
  });

  it('is every ServiceAccount, the first sixteen by name', () => {
    const references = new SecretReferences([SECRET]);
    for (let at = 0; at < 20; at++)
      references.addServiceAccount({ metadata: meta(`sa-${at}`), imagePullSecrets: [{ name: 'app-pull' }] });
    references.addServiceAccount({ metadata: meta('default') });
    const { serviceAccounts, moreServiceAccounts } = references.of(SECRET);
    expect(serviceAccounts).to.have.length(16);
    expect(moreServiceAccounts).to.equal(4);
  });

  it('leaves nothing of Secrets that are not asked about', () => {
    const references = new SecretReferences([]);
    references.addPod(pod(['app-pull']));
    expect(references.of(SECRET)).to.deep.equal({ pods: 0, serviceAccounts: [], moreServiceAccounts: 0 });
  });
});
