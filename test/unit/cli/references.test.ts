import { expect } from 'chai';
import { SecretReferences } from '../../../src/cli/pull-secrets/references.ts';

const SECRET = { namespace: 'team-a', name: 'app-pull' };

describe('references to a pull secret', () => {
  const naming = (
    name: string,
    secrets: (string | undefined)[] | undefined,
    namespace = 'team-a',
  ): Parameters<SecretReferences['add']>[0] => ({
    metadata: { name, namespace, uid: name, resourceVersion: '1', creationTimestamp: '' },
    ...(secrets && { imagePullSecrets: secrets.map((each) => (each === undefined ? {} : { name: each })) }),
  });

  it('are counted in its namespace, once of each object', () => {
    const references = new SecretReferences([SECRET]);
    for (const each of [
      naming('a', ['app-pull', 'app-pull']),
      naming('b', ['other', undefined, 'app-pull']),
      naming('c', ['app-pull'], 'team-b'),
      naming('d', []),
      naming('e', undefined),
    ])
      references.add(each);
    expect(references.of(SECRET)).to.deep.equal({ count: 2, names: ['a', 'b'] });
  });

  it('are kept by name for the first sixteen', () => {
    const references = new SecretReferences([SECRET]);
    for (let at = 0; at < 20; at++) references.add(naming(`sa-${at}`, ['app-pull']));
    expect(references.of(SECRET).names).to.have.length(16);
    expect(references.of(SECRET).count).to.equal(20);
  });

  it('leave nothing of Secrets that are not asked about', () => {
    const references = new SecretReferences([]);
    references.add(naming('a', ['app-pull']));
    expect(references.of(SECRET)).to.deep.equal({ count: 0, names: [] });
  });
});
