import { expect } from 'chai';
import { JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, type Answer, type Body } from './support/api.ts';
import { configMap, CONFIG_MAPS } from './support/builders.ts';
import { contract } from './support/contract.ts';
import { Things } from './support/things.ts';

contract('patches', (api) => {
  let maps: string;
  let accounts: string;
  let path: string;
  before(async () => {
    const namespace = await api().namespace();
    maps = CONFIG_MAPS(namespace);
    accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  });
  beforeEach(async () => {
    const name = api().name('patched');
    path = `${maps}/${name}`;
    await api().post(maps, configMap(name, { a: '1', b: '2' }));
  });

  it('merge: null removes, the rest merges', async () => {
    const { status, body } = await api().patch(path, MERGE_PATCH, { data: { a: null, c: '3' } });
    expect(status).to.equal(200);
    expect(body.data).to.deep.equal({ b: '2', c: '3' });
  });

  it('merge: a stale resourceVersion conflicts', async () => {
    const { status, body } = await api().patch(path, MERGE_PATCH, { metadata: { resourceVersion: '1' } });
    expect(status).to.equal(409);
    expect(body.reason).to.equal('Conflict');
  });

  it('merge: without a change the resourceVersion stays', async () => {
    const { body: before } = await api().get(path);
    const { body } = await api().patch(path, MERGE_PATCH, { data: { a: '1' } });
    expect(body.metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
  });

  it('JSON: operations in order', async () => {
    const { body } = await api().patch(path, JSON_PATCH, [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'replace', path: '/data/a', value: 'x' },
      { op: 'add', path: '/data/slash~1tilde~0', value: 'y' },
      { op: 'move', from: '/data/slash~1tilde~0', path: '/data/moved' },
      { op: 'copy', from: '/data/a', path: '/data/copied' },
      { op: 'remove', path: '/data/b' },
    ]);
    expect(body.data).to.deep.equal({ a: 'x', moved: 'y', copied: 'x' });
  });

  const failing: [string, object[]][] = [
    ['a test that fails', [{ op: 'test', path: '/data/a', value: 'other' }]],
    ['removing what is not there', [{ op: 'remove', path: '/data/none' }]],
    ['adding below what is not there', [{ op: 'add', path: '/none/a', value: 'x' }]],
  ];
  for (const [what, operations] of failing)
    it(`JSON: refuses ${what}`, async () => {
      const { status, body } = await api().patch(path, JSON_PATCH, operations);
      expect(status).to.equal(422);
      expect(body).to.include({
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      });
    });

  it('JSON: a replace of what an object lacks adds it, so that it guards nothing', async () => {
    const { status, body } = await api().patch(path, JSON_PATCH, [
      { op: 'replace', path: '/data/none', value: 'x' },
    ]);
    expect(status).to.equal(200);
    expect(body.data.none).to.equal('x');
  });

  it('JSON: a copy of what an object lacks is null', async () => {
    const { status, body } = await api().patch(path, JSON_PATCH, [
      { op: 'copy', from: '/data/none', path: '/data/copied' },
    ]);
    expect(status).to.equal(200);
    expect(body.data.copied).to.equal('');
  });

  it('JSON: refuses what is no list', async () => {
    expect((await api().patch(path, JSON_PATCH, { op: 'test' })).status).to.equal(400);
  });

  it('strategic: lists with a merge key merge by it', async () => {
    const name = api().name('account');
    await api().post(accounts, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, finalizers: ['example.com/a'] },
      secrets: [{ name: 'one' }, { name: 'two' }],
      imagePullSecrets: [{ name: 'one' }],
    });
    const { body } = await api().patch(`${accounts}/${name}`, STRATEGIC_PATCH, {
      metadata: { finalizers: ['example.com/b'] },
      secrets: [{ $patch: 'delete', name: 'one' }, { name: 'three' }],
    });
    expect(new Set(body.secrets.map((item: { name: string }) => item.name))).to.deep.equal(
      new Set(['two', 'three']),
    );
    expect(new Set(body.metadata.finalizers)).to.deep.equal(new Set(['example.com/a', 'example.com/b']));
    await api().patch(`${accounts}/${name}`, MERGE_PATCH, { metadata: { finalizers: null } });
  });

  it('strategic: directives remove and keep', async () => {
    const replaced = await api().patch(path, STRATEGIC_PATCH, { data: { $patch: 'replace', z: '9' } });
    expect(replaced.body.data).to.deep.equal({ z: '9' });
    const removed = await api().patch(path, STRATEGIC_PATCH, { data: { z: null } });
    expect(removed.body).not.to.have.property('data');
  });

  it('refuses a media type it does not know', async () => {
    expect((await api().patch(path, 'application/json', {})).status).to.equal(415);
  });

  it('refuses a patch that makes the object invalid', async () => {
    expect((await api().patch(path, MERGE_PATCH, { data: { 'a/b': 'x' } })).status).to.equal(422);
    expect((await api().patch(path, MERGE_PATCH, { data: { a: { b: 1 } } })).status).to.be.oneOf([400, 422]);
  });

  it('refuses to patch what is not there', async () => {
    expect((await api().patch(`${maps}/none`, MERGE_PATCH, {})).status).to.equal(404);
  });

  it('refuses to change the name', async () => {
    expect((await api().patch(path, MERGE_PATCH, { metadata: { name: 'other' } })).status).to.be.oneOf([
      400, 422,
    ]);
  });
});

contract('what guards a JSON patch', (api) => {
  let namespace: string;
  let things: Things;
  before(async () => {
    namespace = await api().namespace();
    things = await Things.define(api());
  });

  const kinds: [title: string, create: (name: string) => Promise<string>][] = [
    [
      'a built-in kind',
      async (name) => {
        await api().post(CONFIG_MAPS(namespace), configMap(name));
        return `${CONFIG_MAPS(namespace)}/${name}`;
      },
    ],
    [
      'a custom resource',
      async (name) => {
        await things.create(namespace, name);
        return things.path(namespace, name);
      },
    ],
    [
      "a custom resource's status",
      async (name) => {
        await things.create(namespace, name);
        return `${things.path(namespace, name)}/status`;
      },
    ],
  ];
  for (const [title, create] of kinds)
    describe(`of ${title}`, () => {
      let path: string;
      let read: Body;
      beforeEach(async () => {
        path = await create(api().name('guarded'));
        read = (await api().get(path)).body;
      });
      const patch = (op: string, field: string, value: string): Promise<Answer> =>
        api().patch(path, JSON_PATCH, [{ op, path: `/metadata/${field}`, value }]);

      for (const field of ['resourceVersion', 'uid']) {
        it(`is a test of the ${field}: another one is refused as invalid`, async () => {
          expect((await patch('test', field, read.metadata[field])).status).to.equal(200);
          const { status, body } = await patch('test', field, '1');
          expect([status, body.reason]).to.deep.equal([422, 'Invalid']);
        });
      }

      for (const op of ['add', 'replace'])
        it(`is a resourceVersion set by ${op}: another one conflicts`, async () => {
          expect((await patch(op, 'resourceVersion', read.metadata.resourceVersion)).status).to.equal(200);
          const { status, body } = await patch(op, 'resourceVersion', '1');
          expect([status, body.reason]).to.deep.equal([409, 'Conflict']);
        });
    });

  for (const [title, create] of kinds.slice(0, 2))
    it(`of ${title} is a uid that is set, since it cannot change`, async () => {
      const path = await create(api().name('other'));
      const { status, body } = await api().patch(path, JSON_PATCH, [
        { op: 'add', path: '/metadata/uid', value: '1' },
      ]);
      expect([status, body.reason]).to.deep.equal([422, 'Invalid']);
      expect(body.message).to.include('metadata.uid: Invalid value: "1": field is immutable');
    });

  it("of a custom resource's status is no uid that is set, since only the status is written", async () => {
    const { metadata } = await things.create(namespace, 'other');
    const { status, body } = await api().patch(`${things.path(namespace, 'other')}/status`, JSON_PATCH, [
      { op: 'add', path: '/metadata/uid', value: '1' },
      { op: 'add', path: '/status', value: { seen: 1 } },
    ]);
    expect(status).to.equal(200);
    expect(body.status).to.deep.equal({ seen: 1 });
    expect(body.metadata.uid).to.equal(metadata.uid);
  });
});
