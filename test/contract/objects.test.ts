import { expect } from 'chai';
import { contract, eventually, since } from './support/contract.ts';
import { configMap, CONFIG_MAPS, secret, SECRETS } from './support/builders.ts';

function docker(text: string): object {
  return {
    ...secret('pull', { '.dockerconfigjson': Buffer.from(text).toString('base64') }),
    type: 'kubernetes.io/dockerconfigjson',
  };
}

contract('objects', (api) => {
  let namespace: string;
  let maps: string;
  before(async () => {
    namespace = await api().namespace();
    maps = CONFIG_MAPS(namespace);
  });

  describe('create', () => {
    it('fills in what the server decides', async () => {
      const { status, body } = await api().post(maps, configMap('made', { a: '1' }));
      expect(status).to.equal(201);
      expect(body).to.include({ apiVersion: 'v1', kind: 'ConfigMap' });
      expect(body.metadata.namespace).to.equal(namespace);
      expect(body.metadata.uid).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(body.metadata.resourceVersion).to.match(/^\d+$/);
      expect(body.metadata.creationTimestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(body.metadata).not.to.have.property('generation');
    });

    it('makes a name from generateName', async () => {
      const { body } = await api().post(maps, { ...configMap(''), metadata: { generateName: 'made-' } });
      expect(body.metadata.name).to.match(/^made-[a-z0-9]{5}$/);
      expect(body.metadata.generateName).to.equal('made-');
    });

    it('refuses a name that is taken', async () => {
      await api().post(maps, configMap('taken'));
      const { status, body } = await api().post(maps, configMap('taken'));
      expect(status).to.equal(409);
      expect(body).to.include({ reason: 'AlreadyExists', message: 'configmaps "taken" already exists' });
      expect(body.details).to.deep.equal({ name: 'taken', kind: 'configmaps' });
    });

    it('refuses a namespace that does not exist', async () => {
      const { status, body } = await api().post(CONFIG_MAPS('nowhere'), configMap('lost'));
      expect(status).to.equal(404);
      expect(body).to.include({ reason: 'NotFound', message: 'namespaces "nowhere" not found' });
    });

    const invalid: [string, object, string, string][] = [
      ['no name', { metadata: {} }, 'metadata.name', 'FieldValueRequired'],
      [
        'a name that is no DNS name',
        { metadata: { name: 'Big_Name' } },
        'metadata.name',
        'FieldValueInvalid',
      ],
      [
        'a bad label key',
        { metadata: { name: 'x', labels: { '-a': 'b' } } },
        'metadata.labels',
        'FieldValueInvalid',
      ],
      [
        'a bad label value',
        { metadata: { name: 'x', labels: { a: 'b c' } } },
        'metadata.labels',
        'FieldValueInvalid',
      ],
      [
        'a bad finalizer',
        { metadata: { name: 'x', finalizers: ['keep'] } },
        'metadata.finalizers[0]',
        'FieldValueInvalid',
      ],
      ['a bad data key', { metadata: { name: 'x' }, data: { 'a/b': '' } }, 'data[a/b]', 'FieldValueInvalid'],
    ];
    for (const [what, fields, field, reason] of invalid)
      it(`refuses ${what}`, async () => {
        const { status, body } = await api().post(maps, { apiVersion: 'v1', kind: 'ConfigMap', ...fields });
        expect(status).to.equal(422);
        expect(body.reason).to.equal('Invalid');
        expect(body.details.causes[0]).to.include({ field, reason });
      });

    it('refuses another namespace in the object than in the path', async () => {
      const { status, body } = await api().post(maps, {
        ...configMap('x'),
        metadata: { name: 'x', namespace: 'default' },
      });
      expect(status).to.equal(400);
      expect(body.reason).to.equal('BadRequest');
    });

    it('refuses an object of another kind', async () => {
      const { status } = await api().post(maps, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'x' },
      });
      expect(status).to.equal(400);
    });

    it('refuses a value of the wrong type', async () => {
      const { status } = await api().post(maps, { ...configMap('x'), data: { a: 1 } });
      expect(status).to.equal(400);
    });

    it('refuses a body that is not JSON', async () => {
      expect((await api().post(maps, '{')).status).to.equal(400);
    });

    it('refuses a resourceVersion', async () => {
      const { status } = await api().post(maps, {
        ...configMap('x'),
        metadata: { name: 'x', resourceVersion: '1' },
      });
      expect(status).to.equal(500);
    });

    it('takes null in a map of texts for an empty one', async () => {
      const { body } = await api().post(maps, { ...configMap('nulls'), data: { a: null, b: '1' } });
      expect(body.data).to.deep.equal({ a: '', b: '1' });
    });

    it('drops nulls, empty maps and unknown fields of built-in kinds', async () => {
      const { body } = await api().post(maps, {
        ...configMap('sparse'),
        metadata: { name: 'sparse', labels: {}, annotations: null, finalizers: [] },
        data: {},
        unknown: 1,
      });
      expect(body).not.to.have.any.keys('data', 'unknown');
      expect(body.metadata).not.to.have.any.keys('labels', 'annotations', 'finalizers');
    });

    it('writes nothing in a dry run', async () => {
      const { status } = await api().post(maps, configMap('dry'), { query: { dryRun: 'All' } });
      expect(status).to.equal(201);
      expect((await api().get(`${maps}/dry`)).status).to.equal(404);
    });

    it('takes YAML', async () => {
      const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: written-in-yaml}\n';
      expect((await api().post(maps, yaml, { contentType: 'application/yaml' })).status).to.equal(201);
    });
  });

  describe('read', () => {
    it('says what is not there', async () => {
      const { status, body } = await api().get(`${maps}/missing`);
      expect(status).to.equal(404);
      expect(body).to.deep.include({
        kind: 'Status',
        status: 'Failure',
        reason: 'NotFound',
        message: 'configmaps "missing" not found',
        details: { name: 'missing', kind: 'configmaps' },
        code: 404,
      });
    });

    it('says which resources there are not', async () => {
      expect((await api().get('/api/v1/nonsense')).status).to.equal(404);
      expect((await api().get('/apis/nonsense.example/v1/things')).status).to.equal(404);
    });
  });

  describe('update', () => {
    it('keeps what the server decides, and moves the resourceVersion on', async () => {
      const { body: made } = await api().post(maps, configMap('updated', { a: '1' }));
      const { status, body } = await api().put(`${maps}/updated`, { ...made, data: { a: '2' } });
      expect(status).to.equal(200);
      expect(body.data).to.deep.equal({ a: '2' });
      expect(body.metadata.uid).to.equal(made.metadata.uid);
      expect(Number(body.metadata.resourceVersion)).to.be.greaterThan(Number(made.metadata.resourceVersion));
    });

    it('refuses a stale resourceVersion', async () => {
      const { body: made } = await api().post(maps, configMap('raced', { a: '1' }));
      await api().put(`${maps}/raced`, { ...made, data: { a: '2' } });
      const { status, body } = await api().put(`${maps}/raced`, { ...made, data: { a: '3' } });
      expect(status).to.equal(409);
      expect(body).to.include({
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
      });
      expect(body.details).to.deep.equal({ name: 'raced', kind: 'configmaps' });
    });

    it('takes an empty uid for one that was not sent', async () => {
      const { body: made } = await api().post(maps, configMap('anonymous'));
      const metadata = { ...made.metadata, uid: '' };
      const { status, body } = await api().put(`${maps}/anonymous`, { ...made, metadata });
      expect(status).to.equal(200);
      expect(body.metadata.uid).to.equal(made.metadata.uid);
    });

    it('refuses another uid', async () => {
      const { body: made } = await api().post(maps, configMap('impostor'));
      const metadata = { ...made.metadata, uid: '00000000-0000-0000-0000-000000000000' };
      const { status } = await api().put(`${maps}/impostor`, { ...made, metadata });
      expect(status).to.equal(409);
    });

    it('overwrites without a resourceVersion where the kind allows it', async () => {
      await api().post(maps, configMap('blind', { a: '1' }));
      const { status } = await api().put(`${maps}/blind`, configMap('blind', { a: '2' }));
      expect(status).to.equal(200);
    });

    it('changes nothing when nothing changes', async () => {
      const { body: made } = await api().post(maps, configMap('same', { a: '1' }));
      const { body } = await api().put(`${maps}/same`, made);
      expect(body.metadata.resourceVersion).to.equal(made.metadata.resourceVersion);
    });

    it('does not create', async () => {
      expect((await api().put(`${maps}/absent`, configMap('absent'))).status).to.equal(404);
    });

    it('refuses another name than in the path', async () => {
      expect((await api().put(`${maps}/one`, configMap('two'))).status).to.equal(400);
    });
  });

  describe('delete', () => {
    it('answers with a Status', async () => {
      const { body: made } = await api().post(maps, configMap('gone'));
      const { status, body } = await api().delete(`${maps}/gone`);
      expect(status).to.equal(200);
      expect(body).to.deep.include({ kind: 'Status', status: 'Success' });
      expect(body.details).to.deep.equal({ name: 'gone', kind: 'configmaps', uid: made.metadata.uid });
      expect((await api().get(`${maps}/gone`)).status).to.equal(404);
    });

    it('holds objects with finalizers until the last is taken off', async () => {
      const path = `${maps}/held`;
      await api().post(maps, {
        ...configMap('held'),
        metadata: { name: 'held', finalizers: ['example.com/keep'] },
      });
      const { body: marked } = await api().delete(path);
      expect(marked.kind).to.equal('ConfigMap');
      expect(marked.metadata.deletionTimestamp).to.be.a('string');
      expect(marked.metadata.deletionGracePeriodSeconds).to.equal(0);

      const added = {
        ...marked,
        metadata: { ...marked.metadata, finalizers: ['example.com/keep', 'example.com/more'] },
      };
      const refused = await api().put(path, added);
      expect(refused.status).to.equal(422);
      expect(refused.body.details.causes[0]).to.include({
        reason: 'FieldValueForbidden',
        field: 'metadata.finalizers',
      });

      const again = await api().delete(path);
      expect(again.body.metadata.resourceVersion).to.equal(marked.metadata.resourceVersion);

      const last = { ...marked, metadata: { ...marked.metadata, finalizers: [] } };
      expect((await api().put(path, last)).status).to.equal(200);
      expect((await api().get(path)).status).to.equal(404);
    });

    it('checks preconditions', async () => {
      const path = `${maps}/guarded`;
      const { body: made } = await api().post(maps, configMap('guarded'));
      const wrongUid = await api().delete(path, { preconditions: { uid: 'another' } });
      expect(wrongUid.status).to.equal(409);
      expect(wrongUid.body.reason).to.equal('Conflict');
      expect((await api().delete(path, { preconditions: { resourceVersion: '1' } })).status).to.equal(409);
      const { uid, resourceVersion } = made.metadata;
      expect((await api().delete(path, { preconditions: { uid, resourceVersion } })).status).to.equal(200);
    });

    it('deletes a selection', async () => {
      for (const [name, tier] of [
        ['front-1', 'front'],
        ['front-2', 'front'],
        ['back-1', 'back'],
      ] as const)
        await api().post(maps, { ...configMap(name), metadata: { name, labels: { tier } } });
      const { status } = await api().delete(maps, undefined, { labelSelector: 'tier=front' });
      expect(status).to.equal(200);
      const { body } = await api().get(maps, { query: { labelSelector: 'tier' } });
      expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).to.deep.equal([
        'back-1',
      ]);
    });

    it('says what is not there', async () => {
      expect((await api().delete(`${maps}/never`)).status).to.equal(404);
    });
  });

  describe('secrets', () => {
    let path: string;
    before(() => {
      path = SECRETS(namespace);
    });
    it('are Opaque unless they say otherwise, and turn stringData into data', async () => {
      const { body } = await api().post(path, { ...secret('texts'), stringData: { a: 'b' } });
      expect(body).to.deep.include({ type: 'Opaque', data: { a: 'Yg==' } });
      expect(body).not.to.have.property('stringData');
    });

    it('hold valid JSON when they are pull secrets', async () => {
      expect((await api().post(path, docker('{'))).status).to.equal(422);
      const missing = await api().post(path, { ...secret('pull'), type: 'kubernetes.io/dockerconfigjson' });
      expect(missing.body.details.causes[0]).to.include({
        reason: 'FieldValueRequired',
        field: 'data[.dockerconfigjson]',
      });
      expect((await api().post(path, docker('{"auths":{}}'))).status).to.equal(201);
    });

    it('keep their type', async () => {
      await api().post(path, secret('typed'));
      const { status, body } = await api().put(`${path}/typed`, {
        ...secret('typed'),
        type: 'example.com/other',
      });
      expect(status).to.equal(422);
      expect(body.details.causes[0].field).to.equal('type');
    });

    it('keep their data when immutable', async () => {
      await api().post(path, { ...secret('fixed', { a: 'Yg==' }), immutable: true });
      const { status } = await api().put(`${path}/fixed`, {
        ...secret('fixed', { a: 'Yw==' }),
        immutable: true,
      });
      expect(status).to.equal(422);
      const relabelled = { ...secret('fixed', { a: 'Yg==' }), immutable: true };
      expect(
        (await api().put(`${path}/fixed`, { ...relabelled, metadata: { name: 'fixed', labels: { a: 'b' } } }))
          .status,
      ).to.equal(200);
    });

    it('refuse data that is not base64', async () => {
      expect((await api().post(path, secret('garbled', { a: '!' }))).status).to.equal(400);
    });
  });

  describe('namespaces', () => {
    it('carry their name as a label', async function () {
      since(this, api(), 21);
      const { body } = await api().get(`/api/v1/namespaces/${namespace}`);
      expect(body.metadata.labels).to.deep.equal({ 'kubernetes.io/metadata.name': namespace });
    });

    it('take their contents with them, and take nothing new meanwhile', async () => {
      const name = await api().namespace();
      const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/keep'] } };
      await api().post(CONFIG_MAPS(name), held);
      await api().post(CONFIG_MAPS(name), configMap('free'));
      const { body } = await api().delete(`/api/v1/namespaces/${name}`);
      expect(body.metadata.deletionTimestamp).to.be.a('string');
      expect(body.status.phase).to.equal('Terminating');

      const refused = await api().post(CONFIG_MAPS(name), configMap('late'));
      expect(refused.status).to.equal(403);
      expect(refused.body.details.causes[0]).to.include({ reason: 'NamespaceTerminating' });

      await eventually('the free object is gone', async () =>
        (await api().get(`${CONFIG_MAPS(name)}/free`)).status === 404 ? true : undefined,
      );
      expect((await api().get(`/api/v1/namespaces/${name}`)).status).to.equal(200);
      await api().patch(`${CONFIG_MAPS(name)}/held`, 'application/merge-patch+json', {
        metadata: { finalizers: null },
      });
      await eventually('the namespace is gone', async () =>
        (await api().get(`/api/v1/namespaces/${name}`)).status === 404 ? true : undefined,
      );
    }).timeout(30_000);

    it('stay when they are the default one', async () => {
      expect((await api().delete('/api/v1/namespaces/default')).status).to.equal(403);
    });
  });
});
