import { expect } from 'chai';
import { readTokenSpec } from '../../../src/api/registry-token.ts';
import { SecretStore } from '../../../src/controller/token/secret-store.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { secretManifest } from '../../../src/token/secret/secret.ts';
import { aCredential, anIssuedToken, aSecret, HOST } from '../../support/builders.ts';

const TOKEN = anIssuedToken();

/** The call that writes the Secret. */
async function written(seen: {
  uid: string | undefined;
  resourceVersion?: string;
}): Promise<Call | undefined> {
  let sent: Call | undefined;
  const request = (call: Call): Promise<unknown> => {
    sent = call;
    return Promise.resolve({ apiVersion: 'v1', kind: 'Secret', ...aSecret() });
  };
  const transport = {
    request,
    stream: () => expect.fail('nothing is watched'),
    close: () => Promise.resolve(),
  };
  const secrets = new SecretStore(new KubeClient(transport, { fieldManager: 'test' }), () => undefined);
  const spec = readTokenSpec(TOKEN);
  const manifest = secretManifest({ token: TOKEN, spec, host: HOST, credential: aCredential() });
  const task = { token: TOKEN, spec };
  await secrets.write(manifest, task, HOST, seen, new AbortController().signal);
  return sent;
}

describe('a Secret is written', () => {
  it('by force where it is known to be ours, and only on that very one', async () => {
    const call = await written({ uid: 'secret-uid' });
    expect(call?.query).to.include({ force: 'true' });
    expect(call?.body).to.have.nested.property('metadata.uid', 'secret-uid');
  });

  it('only as it was seen, where it is another’s until then', async () => {
    const call = await written({ uid: 'secret-uid', resourceVersion: '7' });
    expect(call?.body).to.have.nested.property('metadata.resourceVersion', '7');
  });

  it('without force where there was none: what somebody else made meanwhile stays', async () => {
    const call = await written({ uid: undefined });
    expect(call?.query).to.include({ force: 'false' });
    expect(call?.body).to.not.have.nested.property('metadata.uid');
  });
});

describe('a Secret of a former name is deleted', () => {
  const remove = async (status: number): Promise<{ call: Call | undefined; error: unknown }> => {
    let call: Call | undefined;
    const request = (sent: Call): Promise<unknown> => {
      call = sent;
      return status === 200 ? Promise.resolve({}) : Promise.reject(new KubeError('no', { status }));
    };
    const transport = { request, stream: () => expect.fail('no watch'), close: () => Promise.resolve() };
    const secrets = new SecretStore(new KubeClient(transport, { fieldManager: 'test' }), () => undefined);
    const secret = { apiVersion: 'v1', kind: 'Secret', ...aSecret() };
    const error: unknown = await secrets
      .removeUnchanged(secret, new AbortController().signal)
      .catch((thrown: unknown) => thrown);
    return { call, error };
  };

  it('only as it was read', async () => {
    const { uid, resourceVersion } = aSecret().metadata;
    const { call } = await remove(200);
    expect(call?.body).to.deep.include({ preconditions: { uid, resourceVersion } });
  });

  it('or is gone: otherwise it is looked at again', async () => {
    expect((await remove(404)).error).to.equal(undefined);
    expect((await remove(409)).error).to.have.property('isConflict', true);
  });
});
