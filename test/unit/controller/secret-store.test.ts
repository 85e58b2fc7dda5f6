import { expect } from 'chai';
import { readTokenSpec } from '../../../src/api/registry-token.ts';
import type { Task } from '../../../src/controller/token/progress.ts';
import { SecretStore, type SecretStoreOptions } from '../../../src/controller/token/secret-store.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { aCredential, anIssuedToken, aSecret, aSituation, HOST } from '../../support/builders.ts';
import { Logs } from '../kube/support/logs.ts';

const TOKEN = anIssuedToken();

/** A store whose Secrets the API server has like this. */
function storeOf(
  request: (call: Call) => Promise<unknown>,
  cached: SecretStoreOptions['cached'] = () => undefined,
): SecretStore {
  const transport = {
    request,
    stream: () => expect.fail('nothing is watched'),
    close: () => Promise.resolve(),
  };
  return new SecretStore({
    client: new KubeClient(transport, { fieldManager: 'test' }),
    cached,
    retention: { forget: () => expect.fail('no token is kept on purpose') },
    events: { event: () => expect.fail('nothing is told') },
    logger: new Logs(),
  });
}

describe('a Secret of a former name is deleted', () => {
  const remove = async (status: number): Promise<{ call: Call | undefined; error: unknown }> => {
    let call: Call | undefined;
    const request = (sent: Call): Promise<unknown> => {
      call = sent;
      return status === 200 ? Promise.resolve({}) : Promise.reject(new KubeError('no', { status }));
    };
    const secrets = storeOf(request);
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
    store = storeOf(request, () =>
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

  it('is not read by a process that did not see it, where it is as the status says that it was written', async () => {
    const { wanted, secret } = aSituation();
    const status = TOKEN.status ?? {};
    const task: Task = { token: TOKEN, status, spec, wanted, secret, tokenIsGone: false, stake: 'nothing' };
    const placed = await store.write(task, HOST, aCredential(), signal);
    const secretRef = 'secretRef' in placed ? placed.secretRef : expect.fail('it was not written');
    const token = anIssuedToken({ status: { host: HOST, secretRef } });
    store.forget(TOKEN.metadata.uid);
    calls = [];
    expect(await view(false, [HOST], token)).to.include({ state: 'ours', holds: 'token-1', current: true });
    expect(calls).to.deep.equal([]);
    await view(true, [HOST], token);
    expect(calls, 'where it is to be certain').to.have.length(1);
    store.forget(TOKEN.metadata.uid);
    watched = '8';
    await view(false, [HOST], token);
    expect(calls, 'where somebody changed it').to.have.length(2);
  });

  it('is read where this process wrote a later version than the watch has, though the status names that one', async () => {
    const { wanted, secret } = aSituation();
    const status = TOKEN.status ?? {};
    const task: Task = { token: TOKEN, status, spec, wanted, secret, tokenIsGone: false, stake: 'nothing' };
    const placed = await store.write(task, HOST, aCredential(), signal);
    const secretRef = 'secretRef' in placed ? placed.secretRef : expect.fail('it was not written');
    stored = aSecret(
      { metadata: { resourceVersion: '8' } },
      { credential: aCredential({ tokenId: 'token-2' }) },
    );
    await store.write(task, HOST, aCredential({ tokenId: 'token-2' }), signal);
    const token = anIssuedToken({ status: { host: HOST, secretRef } });
    expect(await view(false, [HOST], token)).to.include({ holds: 'token-2', current: true });
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

  it('need not be read where the watch has the very version that the status names', () => {
    const { uid, resourceVersion } = aSecret().metadata;
    const named = { name: 'app', uid, resourceVersion };
    const known = (secretRef: typeof named): boolean =>
      store.asRecorded(anIssuedToken({ status: { secretRef } }), 'app') !== undefined;
    expect(known(named)).to.equal(true);
    for (const other of [{ name: 'former' }, { uid: 'another' }, { resourceVersion: '8' }])
      expect(known({ ...named, ...other }), JSON.stringify(other)).to.equal(false);
    watched = undefined;
    expect(known(named)).to.equal(false);
  });

  it('may be its own by what the watch knows', () => {
    expect(store.mayBelongTo(TOKEN, 'app')).to.equal(true);
    expect(store.mayBelongTo(anIssuedToken({ metadata: { uid: 'another' } }), 'app')).to.equal(false);
    watched = undefined;
    expect(store.mayBelongTo(TOKEN, 'app')).to.equal(false);
  });

  it('is as wanted once it is written, with the host that it was written with, and is not read for that', async () => {
    const { wanted, secret } = aSituation();
    const status = TOKEN.status ?? {};
    const task: Task = { token: TOKEN, status, spec, wanted, secret, tokenIsGone: false, stake: 'nothing' };
    await store.write(task, HOST, aCredential(), signal);
    expect(await view()).to.include({ state: 'ours', holds: 'token-1', current: true });
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
