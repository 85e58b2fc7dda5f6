import { expect } from 'chai';
import { REGISTRY_TOKENS } from '../../../src/api/resources.ts';
import { guardedPatch } from '../../../src/controller/shared/guarded-patch.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { aToken } from '../../support/builders.ts';

describe('a guarded patch', () => {
  it('sets the version that was read, before anything else, so that it fails if there is another by now', async () => {
    const calls: Call[] = [];
    const client = new KubeClient(
      {
        request: async (call: Call) => void calls.push(call),
        stream: () => expect.fail('nothing is watched'),
        close: async () => undefined,
      },
      { fieldManager: 'test' },
    );
    const token = aToken({ metadata: { resourceVersion: '7' } });
    const change = { path: '/status', value: { host: 'us.icr.io' } };
    const { signal } = new AbortController();
    await guardedPatch(client, REGISTRY_TOKENS, token, [change], { subresource: 'status', signal });
    expect(calls.map(({ body }) => body)).to.deep.equal([
      [
        { op: 'add', path: '/metadata/resourceVersion', value: '7' },
        { op: 'add', ...change },
      ],
    ]);
  });
});
