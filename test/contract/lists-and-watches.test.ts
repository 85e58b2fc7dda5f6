import { expect } from 'chai';
import { MERGE_PATCH, type Body } from './support/api.ts';
import { configMap, CONFIG_MAPS } from './support/builders.ts';
import { contract, since } from './support/contract.ts';
import type { WatchReader } from './support/watch-reader.ts';

const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';
const names = (list: Body): string[] => list.items.map((item: Body) => item.metadata.name as string);

function labelled(name: string, labels: Record<string, string>): object {
  return { ...configMap(name, { key: name }), metadata: { name, labels } };
}

contract('lists and watches', (api) => {
  let namespace: string;
  let maps: string;
  const open: WatchReader[] = [];
  beforeEach(async () => {
    namespace = await api().namespace();
    maps = CONFIG_MAPS(namespace);
  });
  afterEach(() => {
    for (const watch of open.splice(0)) watch.close();
  });
  const watching = async (query: Record<string, string> = {}, accept?: string): Promise<WatchReader> => {
    const watch = await api().watch(maps, query, accept);
    open.push(watch);
    return watch;
  };

  describe('list', () => {
    it('gives the objects of a namespace in the order of their names, without repeating their kind', async () => {
      for (const name of ['b', 'a', 'c']) await api().post(maps, configMap(name));
      const { body } = await api().get(maps);
      expect(body).to.include({ kind: 'ConfigMapList', apiVersion: 'v1' });
      expect(names(body)).to.deep.equal(['a', 'b', 'c']);
      expect(body.items[0]).not.to.have.any.keys('kind', 'apiVersion');
      expect(body.metadata.resourceVersion).to.match(/^\d+$/);
    });

    const selectors: [string, string[]][] = [
      ['tier=front', ['f']],
      ['tier==front', ['f']],
      ['tier!=front', ['b', 'n']],
      ['tier', ['b', 'f']],
      ['!tier', ['n']],
      ['tier in (front, back)', ['b', 'f']],
      ['tier notin (front)', ['b', 'n']],
      ['tier,zone=1', ['b']],
    ];
    it('selects by labels', async () => {
      await api().post(maps, labelled('f', { tier: 'front' }));
      await api().post(maps, labelled('b', { tier: 'back', zone: '1' }));
      await api().post(maps, configMap('n'));
      for (const [labelSelector, expected] of selectors)
        expect(
          names((await api().get(maps, { query: { labelSelector } })).body),
          labelSelector,
        ).to.deep.equal(expected);
    });

    it('refuses a selector that is none', async () => {
      expect((await api().get(maps, { query: { labelSelector: 'a=b=c' } })).status).to.equal(400);
      expect((await api().get(maps, { query: { fieldSelector: 'data.key=a' } })).status).to.equal(400);
    });

    it('selects by name and namespace, and secrets by type', async () => {
      await api().post(maps, configMap('a'));
      await api().post(maps, configMap('b'));
      const byName = await api().get('/api/v1/configmaps', {
        query: { fieldSelector: `metadata.name=b,metadata.namespace=${namespace}` },
      });
      expect(names(byName.body)).to.deep.equal(['b']);
      const secrets = `/api/v1/namespaces/${namespace}/secrets`;
      for (const type of ['example.com/a', 'example.com/b'])
        await api().post(secrets, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: type.slice(-1) },
          type,
        });
      const byType = await api().get(secrets, { query: { fieldSelector: 'type=example.com/b' } });
      expect(names(byType.body)).to.deep.equal(['b']);
    });

    it('gives pages that show one state', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await api().post(maps, configMap(name));
      const first = (await api().get(maps, { query: { limit: '2' } })).body;
      expect(names(first)).to.deep.equal(['a', 'b']);
      expect(first.metadata.remainingItemCount).to.equal(3);
      await api().post(maps, configMap('bb'));
      await api().delete(`${maps}/d`);
      const second = (await api().get(maps, { query: { limit: '2', continue: first.metadata.continue } }))
        .body;
      expect(names(second)).to.deep.equal(['c', 'd']);
      expect(second.metadata.resourceVersion).to.equal(first.metadata.resourceVersion);
      const third = (await api().get(maps, { query: { limit: '2', continue: second.metadata.continue } }))
        .body;
      expect(names(third)).to.deep.equal(['e']);
      expect(third.metadata.continue ?? '').to.equal('');
    });

    it('refuses a token that is none', async () => {
      expect((await api().get(maps, { query: { limit: '1', continue: 'nonsense' } })).status).to.equal(400);
    });

    it('gives metadata alone', async () => {
      await api().post(maps, labelled('a', { tier: 'front' }));
      const { body } = await api().get(maps, { accept: METADATA_LIST });
      expect(body).to.include({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
      expect(body.items[0].metadata.labels).to.deep.equal({ tier: 'front' });
      expect(body.items[0]).not.to.have.property('data');
      const one = await api().get(`${maps}/a`, { accept: METADATA });
      expect(one.body).to.include({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
    });

    it('gives tables', async () => {
      await api().post(maps, configMap('a', { x: '1', y: '2' }));
      const { body } = await api().get(maps, { accept: TABLE });
      expect(body).to.include({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
      expect(body.columnDefinitions.map((column: Body) => column.name)).to.deep.equal([
        'Name',
        'Data',
        'Age',
      ]);
      expect(body.rows[0].cells.slice(0, 2)).to.deep.equal(['a', 2]);
      expect(body.rows[0].cells[2]).to.match(/^\d+s$/);
      expect(body.rows[0].object.kind).to.equal('PartialObjectMetadata');
    });

    it('refuses what it cannot give', async () => {
      expect((await api().get(maps, { accept: 'image/png' })).status).to.equal(406);
    });
  });

  describe('watch', () => {
    it('shows every change after a revision', async () => {
      const { body: list } = await api().get(maps);
      await api().post(maps, configMap('a', { key: '1' }));
      await api().patch(`${maps}/a`, MERGE_PATCH, { data: { key: '2' } });
      const watch = await watching({ resourceVersion: list.metadata.resourceVersion });
      await api().delete(`${maps}/a`);
      expect(await watch.take(3)).to.deep.equal(['ADDED a', 'MODIFIED a', 'DELETED a']);
    });

    it('gives deletions a revision of their own', async () => {
      const { body: made } = await api().post(maps, configMap('a'));
      const watch = await watching({ resourceVersion: made.metadata.resourceVersion });
      await api().delete(`${maps}/a`);
      const event = await watch.next();
      expect(event?.type).to.equal('DELETED');
      expect(event?.object).to.include({ kind: 'ConfigMap', apiVersion: 'v1' });
      expect(Number(event?.object.metadata.resourceVersion)).to.be.greaterThan(
        Number(made.metadata.resourceVersion),
      );
    });

    for (const query of [{}, { resourceVersion: '0' }])
      it(`starts with what is there, from ${JSON.stringify(query)}`, async () => {
        await api().post(maps, configMap('a'));
        await api().get(maps);
        const watch = await watching(query);
        expect(await watch.take(1)).to.deep.equal(['ADDED a']);
        await api().post(maps, configMap('b'));
        expect(await watch.take(1)).to.deep.equal(['ADDED b']);
      });

    it('shows objects entering and leaving the selection', async () => {
      const { body: list } = await api().get(maps);
      const watch = await watching({
        resourceVersion: list.metadata.resourceVersion,
        labelSelector: 'tier=front',
      });
      await api().post(maps, labelled('a', { tier: 'back' }));
      await api().patch(`${maps}/a`, MERGE_PATCH, { metadata: { labels: { tier: 'front' } } });
      await api().patch(`${maps}/a`, MERGE_PATCH, { data: { more: 'x' } });
      const { body: last } = await api().patch(`${maps}/a`, MERGE_PATCH, {
        metadata: { labels: { tier: null } },
      });
      const events = [await watch.next(), await watch.next(), await watch.next()];
      expect(events.map((event) => event?.type)).to.deep.equal(['ADDED', 'MODIFIED', 'DELETED']);
      expect(events[2]?.object.metadata.labels).to.deep.equal({ tier: 'front' });
      expect(events[2]?.object.metadata.resourceVersion).to.equal(last.metadata.resourceVersion);
    });

    it('does not show writes that change nothing', async () => {
      const { body: made } = await api().post(maps, configMap('a', { key: '1' }));
      const watch = await watching({ resourceVersion: made.metadata.resourceVersion });
      await api().put(`${maps}/a`, made);
      await api().patch(`${maps}/a`, MERGE_PATCH, { data: { key: '1' } });
      await api().post(maps, configMap('b'));
      expect(await watch.take(1)).to.deep.equal(['ADDED b']);
    });

    it('watches one object', async () => {
      await api().post(maps, configMap('a'));
      await api().post(maps, configMap('b'));
      const watch = await watching({ fieldSelector: 'metadata.name=b' });
      expect(await watch.take(1)).to.deep.equal(['ADDED b']);
    });

    it('shows metadata alone', async () => {
      const { body: list } = await api().get(maps);
      const watch = await watching({ resourceVersion: list.metadata.resourceVersion }, METADATA);
      await api().post(maps, configMap('a', { key: '1' }));
      const event = await watch.next();
      expect(event?.object).to.include({ kind: 'PartialObjectMetadata' });
      expect(event?.object).not.to.have.property('data');
    });

    it('shows table rows', async () => {
      const { body: list } = await api().get(maps);
      const watch = await watching({ resourceVersion: list.metadata.resourceVersion }, TABLE);
      await api().post(maps, configMap('a'));
      await api().post(maps, configMap('b'));
      const [first, second] = [await watch.next(), await watch.next()];
      expect(first?.object.columnDefinitions).to.have.length(3);
      expect(first?.object.rows[0].cells[0]).to.equal('a');
      expect(second?.object.columnDefinitions).to.be.oneOf([null, undefined]);
    });

    it('ends after timeoutSeconds', async () => {
      const watch = await watching({ timeoutSeconds: '1', resourceVersion: '0' });
      expect(await watch.next()).to.equal(undefined);
    });

    it('sends a bookmark before a watch ends, to go on from', async () => {
      const { body: list } = await api().get(maps);
      const query = {
        timeoutSeconds: '4',
        allowWatchBookmarks: 'true',
        resourceVersion: list.metadata.resourceVersion,
      };
      const [watch, without] = [
        await watching(query),
        await watching({ ...query, allowWatchBookmarks: 'false' }),
      ];
      const { body: made } = await api().post(maps, configMap('a'));
      expect((await watch.next())?.type).to.equal('ADDED');
      const bookmark = await watch.next();
      expect(bookmark?.type).to.equal('BOOKMARK');
      expect(bookmark?.object).to.include({ kind: 'ConfigMap', apiVersion: 'v1' });
      const { resourceVersion } = bookmark!.object.metadata;
      expect(Number(resourceVersion)).to.be.at.least(Number(made.metadata.resourceVersion));
      expect(await without.take(2)).to.deep.equal(['ADDED a']);
      await api().post(maps, configMap('b'));
      const next = await watching({ ...query, resourceVersion });
      expect(await next.take(1)).to.deep.equal(['ADDED b']);
    });

    it('gives the initial state with a bookmark behind it, when asked to stream the list', async function () {
      since(this, api(), 32);
      await api().post(maps, configMap('a'));
      const watch = await watching({
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: 'true',
      });
      expect(await watch.take(1)).to.deep.equal(['ADDED a']);
      const bookmark = await watch.next();
      expect(bookmark?.type).to.equal('BOOKMARK');
      expect(bookmark?.object.metadata.annotations).to.deep.equal({ 'k8s.io/initial-events-end': 'true' });
    });
  });
});
