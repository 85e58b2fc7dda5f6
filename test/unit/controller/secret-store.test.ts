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
  resourceVersion: string | undefined;
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
    const call = await written({ uid: 'secret-uid', resourceVersion: '7' });
    expect(call?.query).to.include({ force: 'true' });
    expect(call?.body).to.have.nested.property('metadata.uid', 'secret-uid');
  });

  it('only as it was seen, since another process may have put a later token there', async () => {
    const call = await written({ uid: 'secret-uid', resourceVersion: '7' });
    expect(call?.body).to.have.nested.property('metadata.resourceVersion', '7');
  });

  it('without force where there was none: what somebody else made meanwhile stays', async () => {
    const call = await written({ uid: undefined, resourceVersion: undefined });
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

describe('the Secret of a RegistryToken', () => {
  const spec = readTokenSpec(TOKEN);
  const OTHERS = { complete: true, find: () => undefined, younger: [] };
  const { signal } = new AbortController();
  let store: SecretStore;
  let calls: Call[];
  /** As the API server has it: what it is, or the status that it refuses with. */
  let stored: ReturnType<typeof aSecret> | number;
  /** Version that the watch has; undefined: it has none. */
  let watched: string | undefined;

  beforeEach(() => {
    calls = [];
    stored = aSecret();
    watched = '7';
    const request = (call: Call): Promise<unknown> => {
      calls.push(call);
      return typeof stored === 'number'
        ? Promise.reject(new KubeError('no', { status: stored }))
        : Promise.resolve({ apiVersion: 'v1', kind: 'Secret', ...stored });
    };
    const transport = { request, stream: () => expect.fail('no watch'), close: () => Promise.resolve() };
    store = new SecretStore(new KubeClient(transport, { fieldManager: 'test' }), () =>
      watched === undefined
        ? undefined
        : {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { ...aSecret().metadata, resourceVersion: watched },
          },
    );
  });
  const view = (live = false, hosts = [HOST], token = TOKEN) =>
    store.view(token, spec, hosts, OTHERS, live, signal);

  it('is read once while nothing about it changes, and is the same then, but for its payload', async () => {
    const first = await view();
    const second = await view();
    expect(calls).to.have.length(1);
    expect(first).to.include({ state: 'ours', holds: 'token-1', current: true });
    expect(second).to.deep.equal({ ...first, payload: undefined });
  });

  const changes: [what: string, again: () => Promise<unknown>][] = [
    ['it is to be certain', () => view(true)],
    ['the watch has another version', () => ((watched = '8'), view())],
    ['the watch does not have it', () => ((watched = undefined), view())],
    ['other hosts are wanted', () => view(false, ['other.example'])],
    ['the spec has changed', () => view(false, [HOST], anIssuedToken({ metadata: { generation: 2 } }))],
    ['it is to be forgotten', () => (store.forget(TOKEN.metadata.uid), view())],
  ];
  for (const [what, again] of changes)
    it(`is read again where ${what}`, async () => {
      await view();
      await again();
      expect(calls).to.have.length(2);
      expect(calls[1]?.signal, 'ends with its signal').to.equal(signal);
    });

  it('is read each time while it is another’s', async () => {
    stored = aSecret({}, { token: anIssuedToken({ metadata: { uid: 'another' } }) });
    for (let look = 0; look < 2; look++) expect(await view()).to.include({ state: 'foreign' });
    expect(calls).to.have.length(2);
  });

  it('is read again once it was another’s meanwhile', async () => {
    await view();
    stored = 404;
    expect(await view(true)).to.deep.equal({ state: 'absent' });
    stored = aSecret();
    await view();
    expect(calls).to.have.length(3);
  });

  it('is not absent because it can not be read', async () => {
    stored = 503;
    const error: unknown = await view().catch((each: unknown) => each);
    expect(error).to.be.instanceOf(KubeError);
  });

  it('may be its own by what the watch knows', () => {
    expect(store.mayBelongTo(TOKEN, 'app')).to.equal(true);
    expect(store.mayBelongTo(anIssuedToken({ metadata: { uid: 'another' } }), 'app')).to.equal(false);
    watched = undefined;
    expect(store.mayBelongTo(TOKEN, 'app')).to.equal(false);
  });

  it('is as wanted once it is written, with the host that it was written with, and is not read for that', async () => {
    const manifest = secretManifest({ token: TOKEN, spec, host: HOST, credential: aCredential() });
    const task = { token: TOKEN, spec };
    const seen = { uid: 'secret-uid', resourceVersion: '7' };
    const { view: after } = await store.write(manifest, task, HOST, seen, signal);
    expect(after).to.include({ state: 'ours', holds: 'token-1', current: true });
    await view();
    expect(calls.map(({ method }) => method)).to.deep.equal(['PATCH']);
  });

  const removals: [what: string, status: number | undefined, fails: boolean][] = [
    ['is deleted as that very one', undefined, false],
    ['is deleted, where it is gone already', 404, false],
    ['is left, where another has its name by now', 409, false],
    ['is tried to be deleted again where the API server fails', 503, true],
  ];
  for (const [what, status, fails] of removals)
    it(what, async () => {
      stored = status ?? aSecret();
      const secret = { apiVersion: 'v1', kind: 'Secret', ...aSecret() };
      const error: unknown = await store.remove(secret, signal).catch((each: unknown) => each);
      expect(error instanceof KubeError).to.equal(fails);
      expect(calls[0]?.body).to.deep.include({ preconditions: { uid: 'secret-uid' } });
    });
});
