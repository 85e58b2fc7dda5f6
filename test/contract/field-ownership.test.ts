import { expect } from 'chai';
import { MERGE_PATCH, type Body } from './support/api.ts';
import { configMap, CONFIG_MAPS } from './support/builders.ts';
import { contract, since } from './support/contract.ts';

const owners = (body: Body): Record<string, object> =>
  Object.fromEntries(
    (body.metadata.managedFields ?? []).map((entry: Body) => [
      `${entry.manager} ${entry.operation}`,
      entry.fieldsV1,
    ]),
  );

function owner(uid: string, name: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid };
}

contract('field ownership', (api) => {
  let maps: string;
  let accounts: string;
  let path: string;
  let name: string;
  before(async () => {
    const namespace = await api().namespace();
    maps = CONFIG_MAPS(namespace);
    accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  });
  beforeEach(() => {
    name = api().name('owned');
    path = `${maps}/${name}`;
  });
  const map = (data?: Record<string, string>, metadata = {}): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...metadata },
    ...(data && { data }),
  });

  it('apply creates, and owns what it applied', async () => {
    const { status, body } = await api().apply(path, 'one', map({ a: '1' }, { labels: { l: 'x' } }));
    expect(status).to.equal(201);
    expect(owners(body)).to.deep.equal({
      'one Apply': { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:l': {} } } },
    });
    const [entry] = body.metadata.managedFields;
    expect(entry).to.include({ apiVersion: 'v1', fieldsType: 'FieldsV1' });
    expect(entry.time).to.match(/Z$/);
  });

  it('create and update own what they wrote, under the user agent or the name given', async () => {
    const { body: made } = await api().post(maps, map({ a: '1' }), { userAgent: 'maker/2.0 (x)' });
    expect(owners(made)).to.deep.equal({ 'maker Update': { 'f:data': { '.': {}, 'f:a': {} } } });
    const { body } = await api().patch(
      path,
      MERGE_PATCH,
      { data: { a: '2', b: '3' } },
      { query: { fieldManager: 'changer' } },
    );
    expect(owners(body)).to.deep.equal({
      'maker Update': { 'f:data': {} },
      'changer Update': { 'f:data': { 'f:a': {}, 'f:b': {} } },
    });
  });

  it('apply removes what it no longer applies, unless others own it too', async () => {
    await api().apply(path, 'one', map({ mine: '1', shared: '1' }));
    await api().apply(path, 'two', map({ shared: '1' }));
    const { body } = await api().apply(path, 'one', map());
    expect(body.data).to.deep.equal({ shared: '1' });
  });

  it('apply keeps what others wrote', async () => {
    await api().apply(path, 'one', map({ a: '1' }));
    await api().patch(path, MERGE_PATCH, { data: { b: '2' } });
    const { body } = await api().apply(path, 'one', map({ c: '3' }));
    expect(body.data).to.deep.equal({ b: '2', c: '3' });
  });

  it('apply conflicts over a field that another applied, and names it', async () => {
    await api().apply(path, 'one', map({ a: '1', b: '1' }));
    const { status, body } = await api().apply(path, 'two', map({ a: '2' }));
    expect(status).to.equal(409);
    expect(body.reason).to.equal('Conflict');
    expect(body.message).to.equal('Apply failed with 1 conflict: conflict with "one": .data.a');
    expect(body.details.causes).to.deep.equal([
      { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
    ]);
  });

  it('apply names several conflicts, in order', async () => {
    await api().apply(path, 'one', map({ b: '1', a: '1' }));
    const { body } = await api().apply(path, 'two', map({ b: '2', a: '2' }));
    expect(body.message).to.equal(
      'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b',
    );
  });

  it('apply conflicts with updates as well', async () => {
    await api().post(maps, map({ a: '1' }), { query: { fieldManager: 'maker' } });
    const { status, body } = await api().apply(path, 'two', map({ a: '2' }));
    expect(status).to.equal(409);
    expect(body.message).to.match(
      /^Apply failed with 1 conflict: conflict with "maker" using v1( at \S+)?: \.data\.a$/,
    );
  });

  it('force takes over', async () => {
    await api().apply(path, 'one', map({ a: '1', b: '1' }));
    const { status, body } = await api().apply(path, 'two', map({ a: '2' }), { force: 'true' });
    expect(status).to.equal(200);
    expect(body.data).to.deep.equal({ a: '2', b: '1' });
    expect(owners(body)).to.deep.equal({
      'one Apply': { 'f:data': { 'f:b': {} } },
      'two Apply': { 'f:data': { 'f:a': {} } },
    });
  });

  it('the same value is shared, not fought over', async () => {
    await api().apply(path, 'one', map({ a: '1' }));
    const { status, body } = await api().apply(path, 'two', map({ a: '1' }));
    expect(status).to.equal(200);
    expect(Object.keys(owners(body))).to.have.members(['one Apply', 'two Apply']);
  });

  it('an update takes what it changes from an applier', async () => {
    await api().apply(path, 'one', map({ a: '1' }));
    await api().patch(path, MERGE_PATCH, { data: { a: '2' } }, { query: { fieldManager: 'changer' } });
    const { status } = await api().apply(path, 'one', map({ a: '1' }));
    expect(status).to.equal(409);
  });

  it('a repeated apply changes nothing', async () => {
    const { body: first } = await api().apply(path, 'one', map({ a: '1' }));
    const { body: second } = await api().apply(path, 'one', map({ a: '1' }));
    expect(second.metadata.resourceVersion).to.equal(first.metadata.resourceVersion);
  });

  it('apply needs a manager, and no managedFields', async () => {
    expect((await api().apply(path, '', map())).status).to.be.oneOf([400, 422]);
    expect(
      (await api().apply(path, 'one', map(undefined, { managedFields: [{ manager: 'x' }] }))).status,
    ).to.equal(400);
  });

  it('apply with a uid does not create', async () => {
    const { status, body } = await api().apply(
      path,
      'one',
      map({}, { uid: '00000000-0000-0000-0000-000000000001' }),
    );
    expect(status).to.equal(409);
    expect(body.reason).to.equal('Conflict');
  });

  it('apply with a resourceVersion is guarded by it', async () => {
    await api().apply(path, 'one', map({ a: '1' }));
    const { status } = await api().apply(path, 'one', map({ a: '2' }, { resourceVersion: '1' }));
    expect(status).to.equal(409);
  });

  it('apply with a resourceVersion that no object has creates, and does nothing else', async () => {
    const create = () => api().apply(path, 'one', map({ a: '1' }, { resourceVersion: '1' }));
    const { status, body } = await create();
    expect([status, body.data]).to.deep.equal([201, { a: '1' }]);
    const { status: again, body: told } = await create();
    expect([again, told.reason]).to.deep.equal([409, 'Conflict']);
  });

  it('owner references are told apart by uid, finalizers by value', async () => {
    const { body: real } = await api().post(maps, configMap(`${name}-owner`));
    const { body: other } = await api().post(maps, configMap(`${name}-other`));
    const references = [owner(real.metadata.uid, `${name}-owner`)];
    await api().apply(
      path,
      'one',
      map(undefined, { ownerReferences: references, finalizers: ['example.com/a'] }),
    );
    const second = {
      ownerReferences: [owner(other.metadata.uid, `${name}-other`)],
      finalizers: ['example.com/b'],
    };
    const { body } = await api().apply(path, 'two', map(undefined, second));
    expect(body.metadata.ownerReferences).to.have.length(2);
    expect(body.metadata.finalizers).to.have.members(['example.com/a', 'example.com/b']);
    const { body: less } = await api().apply(path, 'one', map());
    expect(less.metadata.ownerReferences).to.have.length(1);
    expect(less.metadata.finalizers).to.deep.equal(['example.com/b']);
    await api().patch(path, MERGE_PATCH, { metadata: { finalizers: null } });
  });

  it('secrets of a service account merge by name', async () => {
    const account = (secrets: object[]): object => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name },
      secrets,
    });
    await api().apply(`${accounts}/${name}`, 'one', account([{ name: 'a' }]));
    const { body } = await api().apply(`${accounts}/${name}`, 'two', account([{ name: 'b' }]));
    expect(body.secrets.map((item: Body) => item.name)).to.have.members(['a', 'b']);
  });

  it('imagePullSecrets of a service account are one value', async function () {
    since(this, api(), 26);
    const account = (imagePullSecrets: object[]): object => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name },
      imagePullSecrets,
    });
    await api().apply(`${accounts}/${name}`, 'one', account([{ name: 'a' }]));
    expect((await api().apply(`${accounts}/${name}`, 'two', account([{ name: 'b' }]))).status).to.equal(409);
  });

  it('an object without managedFields belongs to before-first-apply when it is first applied to', async () => {
    await api().post(maps, map({ a: '1' }));
    const { body: bare } = await api().patch(path, MERGE_PATCH, { metadata: { managedFields: [{}] } });
    expect(bare.metadata).not.to.have.property('managedFields');
    const { body } = await api().apply(path, 'one', map({ b: '2' }));
    expect(Object.keys(owners(body))).to.have.members(['before-first-apply Update', 'one Apply']);
    expect(body.data).to.deep.equal({ a: '1', b: '2' });
  });

  it('nobody owns what the server adds to a namespace', async function () {
    since(this, api(), 21);
    const { body } = await api().get(`/api/v1/namespaces/${maps.split('/')[4]}`);
    expect(owners(body)).to.deep.equal({
      'contract Update': { 'f:metadata': { 'f:labels': { '.': {}, 'f:kubernetes.io/metadata.name': {} } } },
    });
  });

  it('refuses a field that the schema does not have', async () => {
    const { status } = await api().apply(path, 'one', { ...map(), nonsense: 1 });
    expect(status).to.be.oneOf([400, 500]);
  });
});
