import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import {
  essentialNamespace,
  essentialSecret,
  essentialServiceAccount,
  essentialToken,
} from '../../../src/controller/essentials.ts';

const HUGE = 'x'.repeat(100_000);
const marked: KubeObject = {
  apiVersion: 'v1',
  kind: 'Any',
  metadata: {
    name: 'app',
    uid: 'uid',
    resourceVersion: '7',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { huge: HUGE.slice(0, 63), 'pullsecrets.dev/registrytoken-uid': 'owner' },
    annotations: {
      huge: HUGE,
      'pullsecrets.dev/rotate': HUGE,
      'pullsecrets.dev/token-id': 'token-1',
      'pullsecrets.dev/image-pull-secrets': '{}',
    },
  },
};

describe('of what tenants write into metadata the watches keep', () => {
  const kept: [string, (object: KubeObject) => KubeObject, object][] = [
    [
      'of RegistryTokens',
      (token) => essentialToken(token as RegistryToken),
      { annotations: { 'pullsecrets.dev/rotate': HUGE.slice(0, 256) } },
    ],
    [
      'of Secrets',
      essentialSecret,
      {
        labels: { 'pullsecrets.dev/registrytoken-uid': 'owner' },
        annotations: { 'pullsecrets.dev/token-id': 'token-1' },
      },
    ],
    [
      'of ServiceAccounts',
      essentialServiceAccount,
      { annotations: { 'pullsecrets.dev/image-pull-secrets': '{}' } },
    ],
    ['of namespaces', essentialNamespace, { labels: marked.metadata.labels }],
  ];
  for (const [what, trim, marks] of kept) {
    it(`${what} only what the operator looks at`, () => {
      const { labels: _, annotations: __, ...identity } = marked.metadata;
      expect(trim(marked).metadata).to.deep.equal({ ...identity, ...marks });
    });
  }
});
