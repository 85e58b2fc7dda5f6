import { expect } from 'chai';
import { readTokenSpec } from '../../../src/api/registry-token.ts';
import { SecretStore } from '../../../src/controller/secret-store.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { Call } from '../../../src/kube/transport.ts';
import { secretManifest } from '../../../src/token/secret.ts';
import { aCredential, anIssuedToken, aSecret, HOST } from '../../support/builders.ts';

const TOKEN = anIssuedToken();

/** The call that writes the Secret. */
async function written(uid: string | undefined): Promise<Call | undefined> {
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
  await secrets.write(manifest, task, HOST, uid, new AbortController().signal);
  return sent;
}

describe('a Secret is written', () => {
  it('by force where it is known to be ours, and only on that very one', async () => {
    const call = await written('secret-uid');
    expect(call?.query).to.include({ force: 'true' });
    expect(call?.body).to.have.nested.property('metadata.uid', 'secret-uid');
  });

  it('without force where there was none: what somebody else made meanwhile stays', async () => {
    const call = await written(undefined);
    expect(call?.query).to.include({ force: 'false' });
    expect(call?.body).to.not.have.nested.property('metadata.uid');
  });
});
