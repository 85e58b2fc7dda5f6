import { expect } from 'chai';
import type { Body } from './support/api.ts';
import { configMap, CONFIG_MAPS } from './support/builders.ts';
import { contract } from './support/contract.ts';

contract('history that is forgotten', (api) => {
  let namespace: string;
  beforeEach(async () => {
    namespace = await api().namespace();
  });

  const createEvent = async (): Promise<string> => {
    const { body } = await api().post(`/api/v1/namespaces/${namespace}/events`, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: api().name('event') },
      involvedObject: { kind: 'ConfigMap', namespace, name: 'a' },
    });
    return body.metadata.resourceVersion;
  };
  const namesOf = ({ items }: Body): string[] => items.map(({ metadata }: Body) => metadata.name);
  const compact = (resourceVersion: string): Promise<void> => api().server.compact!(resourceVersion);

  // Of other kinds kube-apiserver keeps changes for watches itself; events it reads from etcd.
  it('gives a watch from before it a 410 in its stream, and ends', async () => {
    const before = await createEvent();
    await createEvent();
    await compact(await createEvent());
    const query = { resourceVersion: before };
    const watch = await api().watch(`/api/v1/namespaces/${namespace}/events`, query);
    expect(watch.status).to.equal(200);
    const { type, object } = (await watch.next())!;
    expect(type).to.equal('ERROR');
    expect(object).to.include({ kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 });
    expect(object.message).to.match(/too old/);
    expect(await watch.next()).to.equal(undefined);
    watch.close();
  });

  it('goes on with a watch from the latest change', async () => {
    const before = await createEvent();
    await compact(before);
    const watch = await api().watch(`/api/v1/namespaces/${namespace}/events`, { resourceVersion: before });
    await createEvent();
    expect((await watch.next())?.type).to.equal('ADDED');
    watch.close();
  });

  it('gives the next page of an older list as it was, or refuses it and offers to go on with what is there now', async () => {
    const maps = CONFIG_MAPS(namespace);
    for (const name of ['a', 'b', 'd']) await api().post(maps, configMap(name));
    const { body: first } = await api().get(maps, { query: { limit: '1' } });
    const { body: made } = await api().post(maps, configMap('c'));
    await compact(made.metadata.resourceVersion);
    const next = { limit: '1', continue: first.metadata.continue };
    const { status, body } = await api().get(maps, { query: next });
    // Since 1.34 kube-apiserver keeps lists for a while itself.
    if (status === 200) {
      expect(namesOf(body)).to.deep.equal(['b']);
      return;
    }
    expect(status).to.equal(410);
    expect(body).to.include({ kind: 'Status', reason: 'Expired', code: 410 });
    const rest = await api().get(maps, { query: { continue: body.metadata.continue } });
    expect(rest.status).to.equal(200);
    expect(namesOf(rest.body)).to.deep.equal(['b', 'c', 'd']);
  });
});
