import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { TokenClient } from '../../../src/controller/token/token-client.ts';
import type { KubeClient } from '../../../src/kube/client/client.ts';
import { aToken } from '../../support/builders.ts';

const { signal } = new AbortController();
const HUGE = 'x'.repeat(100_000);

describe('what the operator wrote itself', () => {
  let cached: RegistryToken;
  /** Called in the middle of a write. */
  let meanwhile: (written: RegistryToken) => void;
  let tokens: TokenClient;
  const version = (resourceVersion: string): RegistryToken =>
    aToken({ metadata: { uid: 'u', resourceVersion, annotations: { huge: HUGE } } });

  beforeEach(() => {
    cached = version('1');
    meanwhile = () => undefined;
    const client = {
      jsonPatch: () => {
        const written = version('2');
        meanwhile(written);
        return Promise.resolve(written);
      },
    };
    tokens = new TokenClient(client as unknown as KubeClient, () => cached);
  });

  it('counts while the watch has not caught up, without what others put there', async () => {
    await tokens.writeStatus(cached, {}, signal);
    const { metadata } = tokens.freshest(cached);
    expect(metadata).to.include({ uid: 'u', resourceVersion: '2' });
    expect(JSON.stringify(metadata).length).to.be.lessThan(1_000);
  });

  it('is forgotten once the watch tells of it, not only at the next reconcile', async () => {
    await tokens.writeStatus(cached, {}, signal);
    tokens.seen(version('2'));
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('1');
  });

  it('is not kept at all when the watch told of it before the answer came', async () => {
    meanwhile = (written) => {
      cached = written;
      tokens.seen(written);
    };
    await tokens.writeStatus(version('1'), {}, signal);
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('1');
  });
});
