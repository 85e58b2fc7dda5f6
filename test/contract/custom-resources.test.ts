import { expect } from 'chai';
import { APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, type Answer, type Body } from './support/api.ts';
import { contract, customResourcesSince, eventually } from './support/contract.ts';
import { Things } from './support/things.ts';

const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';

contract('custom resources', (api) => {
  let things: Things;
  let namespace: string;
  let path: string;
  before(async () => {
    things = await Things.define(api());
    namespace = await api().namespace();
    path = things.path(namespace);
  });

  const applying = (manager: string, name: string, spec: object): Promise<Answer> =>
    api().apply(`${path}/${name}`, manager, things.thing(name, spec));

  describe('definition', () => {
    it('is accepted and established', async () => {
      const { status } = (await api().get(things.definitionPath)).body;
      const conditions = status.conditions.map((item: Body) => [item.type, item.status]);
      expect(conditions).to.deep.include(['NamesAccepted', 'True']).and.deep.include(['Established', 'True']);
      expect(status.storedVersions).to.deep.equal(['v1']);
      expect(status.acceptedNames).to.deep.include({ plural: things.plural, kind: things.kind });
    });

    it('shows in discovery', async () => {
      const { body } = await api().get('/apis/example.com/v1');
      const resource = body.resources.find((item: Body) => item.name === things.plural);
      expect(resource).to.deep.include({ kind: things.kind, namespaced: true, categories: ['toys'] });
      expect(body.resources.map((item: Body) => item.name)).to.include(`${things.plural}/status`);
      const groups = (await api().get('/apis')).body.groups.map((item: Body) => item.name);
      expect(groups).to.include('example.com');
    });

    it('is refused without a structural schema', async () => {
      const { body: whole } = await api().get(things.definitionPath);
      const [version] = whole.spec.versions;
      const { status } = await api().post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
        ...whole,
        metadata: { name: 'bare.example.com' },
        spec: {
          ...whole.spec,
          names: { plural: 'bare', kind: 'Bare' },
          versions: [{ ...version, schema: undefined }],
        },
      });
      expect(status).to.equal(422);
    });

    it('is refused with a default that a rule beside it refuses, as long as defaults within it are not spelt out', async () => {
      const { body: whole } = await api().get(things.definitionPath);
      const defining = (plural: string, value: object): Promise<Answer> => {
        const box = {
          type: 'object',
          default: value,
          properties: { inner: { type: 'object', default: {}, properties: { size: { type: 'integer' } } } },
          'x-kubernetes-validations': [{ rule: '!has(self.inner.size)', message: 'no size' }],
        };
        const openAPIV3Schema = { type: 'object', properties: { box } };
        return api().post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
          apiVersion: whole.apiVersion,
          kind: whole.kind,
          metadata: { name: `${plural}.example.com` },
          spec: {
            ...whole.spec,
            names: { plural, kind: plural },
            versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
          },
        });
      };
      const refused = await defining('unspelt', {});
      expect(refused.status).to.equal(422);
      expect(refused.body.message).to.match(/no such key: inner/i);
      expect(refused.body.message).to.include('.properties[box].default');
      expect((await defining('spelt', { inner: {} })).status).to.equal(201);
      await api().delete('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/spelt.example.com');
    });

    it('takes nothing new for long while its last objects hold it', async () => {
      const doomed = await Things.define(api());
      const finalizers = ['example.com/keep'];
      await api().post(doomed.path(namespace), {
        ...doomed.thing('held'),
        metadata: { name: 'held', finalizers },
      });
      await api().delete(doomed.definitionPath);
      // The server may not have seen it yet, and then takes what it deletes soon after.
      const { body } = await eventually('nothing new is taken', async () => {
        const answer = await api().post(doomed.path(namespace), doomed.thing(api().name('late')));
        return answer.status === 201 ? undefined : answer;
      });
      expect(body.code).to.be.oneOf([403, 405]);
      expect(body.message).to.include('create not allowed while custom resource definition is terminating');
      await api().patch(doomed.path(namespace, 'held'), MERGE_PATCH, { metadata: { finalizers: null } });
      await eventually('the definition is gone', async () =>
        (await api().get(doomed.definitionPath)).status === 404 ? true : undefined,
      );
    });

    it('takes its objects and their watches with it', async () => {
      const doomed = await Things.define(api());
      await doomed.create(namespace, 'doomed');
      const watch = await api().watch(doomed.path(namespace));
      expect(await watch.take(1)).to.deep.equal(['ADDED doomed']);
      await api().delete(doomed.definitionPath);
      expect(await watch.take(2)).to.include('DELETED doomed');
      expect(await watch.next()).to.equal(undefined);
      watch.close();
      await eventually('the resource is gone', async () =>
        (await api().get(doomed.path(namespace))).status === 404 ? true : undefined,
      );
    });
  });

  describe('create', () => {
    it('fills in defaults, drops what the schema does not know, and starts at generation 1', async () => {
      const { body } = await api().post(path, {
        ...things.thing('made', { size: 1, unknown: 1, free: { any: { thing: 1 } }, parts: [{ name: 'p' }] }),
        status: { seen: 1 },
        other: true,
      });
      expect(body.spec).to.deep.equal({
        size: 1,
        colour: 'red',
        options: { depth: 3 },
        free: { any: { thing: 1 } },
        parts: [{ name: 'p', count: 1 }],
      });
      expect(body).not.to.have.any.keys('status', 'other');
      expect(body.metadata.generation).to.equal(1);
    });

    it('drops nulls where a default stands in or nothing may be null', async () => {
      const { body } = await api().post(path, things.thing('nulls', { size: 1, colour: null, old: null }));
      expect(body.spec).to.deep.equal({ size: 1, colour: 'red', old: null, options: { depth: 3 } });
    });

    const invalid: [string, object, string, string, RegExp][] = [
      ['a missing field', {}, 'spec.size', 'FieldValueRequired', /^Required value/],
      [
        'a value outside the enum',
        { size: 1, colour: 'blue' },
        'spec.colour',
        'FieldValueNotSupported',
        /^Unsupported value: "blue": supported values: "red", "green"$/,
      ],
      [
        'a number too small',
        { size: 0 },
        'spec.size',
        'FieldValueInvalid',
        /^Invalid value: 0: spec\.size in body should be greater than or equal to 1$/,
      ],
      [
        'a number too large',
        { size: 10 },
        'spec.size',
        'FieldValueInvalid',
        /^Invalid value: 10: spec\.size in body should be less than or equal to 9$/,
      ],
      [
        'text too short',
        { size: 1, name: 'a' },
        'spec.name',
        'FieldValueInvalid',
        /^Invalid value: "a": spec\.name in body should be at least 2 chars long$/,
      ],
      [
        'text that does not match',
        { size: 1, name: 'A1' },
        'spec.name',
        'FieldValueInvalid',
        /^Invalid value: "A1": spec\.name in body should match '\^\[a-z\]\+\$'$/,
      ],
      [
        'a time that is none',
        { size: 1, when: 'noon' },
        'spec.when',
        'FieldValueTypeInvalid',
        /^Invalid value: "noon": spec\.when in body must be of type date-time: "noon"$/,
      ],
      [
        'twice the same in a set',
        { size: 1, tags: ['a', 'a'] },
        'spec.tags[1]',
        'FieldValueDuplicate',
        /^Duplicate value: "a"$/,
      ],
      [
        'two items of one name',
        { size: 1, parts: [{ name: 'a' }, { name: 'a' }] },
        'spec.parts[1]',
        'FieldValueDuplicate',
        /^Duplicate value: /,
      ],
    ];
    for (const [what, spec, field, reason, message] of invalid)
      it(`refuses ${what}`, async () => {
        const { status, body } = await api().post(path, things.thing('bad', spec));
        expect(status).to.equal(422);
        expect(body.reason).to.equal('Invalid');
        expect(body.message).to.match(new RegExp(`^${things.kind}\\.example\\.com "bad" is invalid: `));
        const cause = body.details.causes.find((item: Body) => item.field === field);
        expect(cause, JSON.stringify(body.details.causes)).to.include({ reason });
        expect(cause.message).to.match(message);
      });

    const mistyped: [string, object][] = [
      ['text for a number', { size: 'x' }],
      ['a fraction for an integer', { size: 1.5 }],
      ['a number for text', { size: 1, name: 1 }],
      ['text for a list', { size: 1, tags: 'a' }],
      ['text too long', { size: 1, name: 'abcdef' }],
      ['too many items', { size: 1, tags: ['a', 'b', 'c', 'd'] }],
    ];
    for (const [what, spec] of mistyped)
      it(`refuses ${what}`, async () => {
        expect((await api().post(path, things.thing('bad', spec))).status).to.equal(422);
      });

    it('refuses unknown fields when validation is strict, and warns of them otherwise', async function () {
      customResourcesSince(this, api(), 25);
      const strict = await api().post(path, things.thing('strict', { size: 1, extra: 1 }), {
        query: { fieldValidation: 'Strict' },
      });
      expect(strict.status).to.equal(400);
      expect(strict.body.message).to.include('strict decoding error: unknown field "spec.extra"');
      const warned = await api().post(path, things.thing('warned', { size: 1, extra: 1 }));
      expect(warned.headers.get('warning')).to.equal('299 - "unknown field \\"spec.extra\\""');
      const ignored = await api().post(path, things.thing('ignored', { size: 1, extra: 1 }), {
        query: { fieldValidation: 'Ignore' },
      });
      expect(ignored.headers.get('warning')).to.equal(null);
    });
  });

  describe('rules', () => {
    it('are checked, with their message and path', async function () {
      customResourcesSince(this, api(), 27);
      const { status, body } = await api().post(path, things.thing('five', { size: 5 }));
      expect(status).to.equal(422);
      expect(body.details.causes[0]).to.include({ reason: 'FieldValueInvalid', field: 'spec.colour' });
      expect(body.details.causes[0].message).to.include('five must be green');
      expect((await api().post(path, things.thing('five', { size: 5, colour: 'green' }))).status).to.equal(
        201,
      );
    });

    it('may compare with what was', async function () {
      customResourcesSince(this, api(), 27);
      await things.create(namespace, 'shrinking', { size: 3 });
      const grown = await api().patch(`${path}/shrinking`, MERGE_PATCH, { spec: { size: 4 } });
      expect(grown.status).to.equal(200);
      const { status, body } = await api().patch(`${path}/shrinking`, MERGE_PATCH, { spec: { size: 2 } });
      expect(status).to.equal(422);
      expect(body.message).to.include('size may not shrink');
    });

    it('wait until the object has the right shape', async function () {
      customResourcesSince(this, api(), 27);
      const { body } = await api().post(path, things.thing('shapeless', { size: 'x' }));
      expect(body.message).to.include(
        'some validation rules were not checked because the object was invalid',
      );
    });
  });

  describe('update', () => {
    it('moves the generation only with the spec', async () => {
      const made = await things.create(namespace, 'growing');
      const labelled = await api().patch(`${path}/growing`, MERGE_PATCH, {
        metadata: { labels: { a: 'b' } },
      });
      expect(labelled.body.metadata.generation).to.equal(1);
      const grown = await api().patch(`${path}/growing`, MERGE_PATCH, { spec: { size: 2 } });
      expect(grown.body.metadata.generation).to.equal(2);
      expect(made.metadata.uid).to.equal(grown.body.metadata.uid);
    });

    it('needs a resourceVersion', async () => {
      await things.create(namespace, 'blind');
      const { status, body } = await api().put(`${path}/blind`, things.thing('blind', { size: 2 }));
      expect(status).to.equal(422);
      expect(body.message).to.include('metadata.resourceVersion: Invalid value: 0');
    });

    it('takes no strategic patches', async () => {
      await things.create(namespace, 'plain');
      const { status, body } = await api().patch(`${path}/plain`, STRATEGIC_PATCH, {});
      expect(status).to.equal(415);
      expect(body.reason).to.equal('UnsupportedMediaType');
    });

    it('moves the generation when deletion begins', async () => {
      await api().post(path, {
        ...things.thing('held'),
        metadata: { name: 'held', finalizers: ['example.com/keep'] },
      });
      const { body } = await api().delete(`${path}/held`);
      expect(body.metadata.generation).to.equal(2);
      await api().patch(`${path}/held`, MERGE_PATCH, { metadata: { finalizers: null } });
      expect((await api().get(`${path}/held`)).status).to.equal(404);
    });
  });

  describe('status', () => {
    it('is written on its own, and nothing else with it', async () => {
      const made = await things.create(namespace, 'reported');
      const { status, body } = await api().put(`${path}/reported/status`, {
        ...made,
        metadata: { ...made.metadata, labels: { a: 'b' } },
        spec: { size: 9 },
        status: { seen: 1 },
      });
      expect(status).to.equal(200);
      expect(body.status).to.deep.equal({ seen: 1 });
      expect(body.spec.size).to.equal(1);
      expect(body.metadata).not.to.have.property('labels');
      expect(body.metadata.generation).to.equal(1);
    });

    it('is left alone by other writes', async () => {
      await things.create(namespace, 'quiet');
      await api().patch(`${path}/quiet/status`, MERGE_PATCH, { status: { seen: 1 } });
      const { body } = await api().patch(`${path}/quiet`, MERGE_PATCH, {
        status: { seen: 2 },
        spec: { size: 2 },
      });
      expect(body.status).to.deep.equal({ seen: 1 });
      expect(body.spec.size).to.equal(2);
    });

    it('is validated', async () => {
      await things.create(namespace, 'checked');
      const { status } = await api().patch(`${path}/checked/status`, MERGE_PATCH, { status: { seen: 'x' } });
      expect(status).to.equal(422);
    });

    it('is applied by one manager per condition', async () => {
      await things.create(namespace, 'conditions');
      const apply = (manager: string, type: string): Promise<Body> =>
        api().patch(
          `${path}/conditions/status`,
          APPLY_PATCH,
          {
            apiVersion: 'example.com/v1',
            kind: things.kind,
            metadata: { name: 'conditions' },
            status: { conditions: [{ type, status: 'True' }] },
          },
          { query: { fieldManager: manager } },
        );
      await apply('one', 'Ready');
      const { status, body } = await apply('two', 'Synced');
      expect(status).to.equal(200);
      expect(body.status.conditions.map((item: Body) => item.type)).to.have.members(['Ready', 'Synced']);
    });

    it('shows in managedFields as a subresource', async function () {
      customResourcesSince(this, api(), 22);
      await things.create(namespace, 'tracked');
      const { body } = await api().patch(
        `${path}/tracked/status`,
        MERGE_PATCH,
        { status: { seen: 1 } },
        { query: { fieldManager: 'reporter' } },
      );
      const entry = body.metadata.managedFields.find((item: Body) => item.manager === 'reporter');
      expect(entry).to.deep.include({
        subresource: 'status',
        fieldsV1: { 'f:status': { '.': {}, 'f:seen': {} } },
      });
    });
  });

  describe('apply', () => {
    it('merges sets by value and maps by key, and replaces other lists', async () => {
      await applying('one', 'lists', {
        size: 1,
        tags: ['a'],
        parts: [{ name: 'p', count: 2 }],
        steps: ['x'],
      });
      const { status, body } = await api().apply(`${path}/lists`, 'two', {
        ...things.thing('lists', { tags: ['b'], parts: [{ name: 'q' }] }),
      });
      expect(status).to.equal(200);
      expect(body.spec.tags).to.have.members(['a', 'b']);
      expect(body.spec.parts).to.deep.equal([
        { name: 'p', count: 2 },
        { name: 'q', count: 1 },
      ]);
      const steps = await api().apply(`${path}/lists`, 'two', things.thing('lists', { steps: ['y'] }));
      expect(steps.status).to.equal(409);
      expect(steps.body.details.causes[0].field).to.equal('.spec.steps');
    });

    it('names the item in a conflict', async () => {
      await applying('one', 'items', { size: 1, parts: [{ name: 'p', count: 2 }] });
      const { body } = await applying('two', 'items', { size: 1, parts: [{ name: 'p', count: 3 }] });
      expect(body.details.causes[0].field).to.equal('.spec.parts[name="p"].count');
    });

    it('removes items it no longer applies', async () => {
      await applying('one', 'removed', { size: 1, tags: ['a', 'b'], parts: [{ name: 'p' }, { name: 'q' }] });
      const { body } = await applying('one', 'removed', { size: 1, tags: ['b'], parts: [{ name: 'q' }] });
      expect(body.spec.tags).to.deep.equal(['b']);
      expect(body.spec.parts.map((item: Body) => item.name)).to.deep.equal(['q']);
    });

    it('brings defaults back when a field is no longer applied', async () => {
      await applying('one', 'defaulted', { size: 1, colour: 'green' });
      const { body } = await applying('one', 'defaulted', { size: 1 });
      expect(body.spec.colour).to.equal('red');
    });

    it('again of an empty map keeps it, with its defaults and with what others put into it', async () => {
      await applying('one', 'empty', { size: 1, shape: {}, free: {} });
      await api().patch(`${path}/empty`, MERGE_PATCH, { metadata: { labels: { theirs: 'x' } } });
      const { status, body } = await applying('one', 'empty', { size: 1, shape: {}, free: {} });
      expect(status).to.equal(200);
      expect(body.spec).to.deep.include({ shape: { sides: 4 }, free: {} });
      await api().patch(`${path}/empty`, MERGE_PATCH, { spec: { free: { theirs: true } } });
      const { body: last } = await applying('one', 'empty', { size: 1, shape: {}, free: {} });
      expect(last.spec).to.deep.include({ shape: { sides: 4 }, free: { theirs: true } });
    });

    it('validates what results', async () => {
      expect((await applying('one', 'faulty', { size: 99 })).status).to.equal(422);
    });
  });

  describe('table', () => {
    it('has the columns of the definition', async () => {
      const other = await api().namespace();
      const when = new Date(Date.now() - 3 * 3_600_000).toISOString();
      await things.create(other, 'shown', { size: 3, when });
      const conditions = [
        { type: 'Other', status: 'False' },
        { type: 'Ready', status: 'True' },
      ];
      await api().patch(things.path(other, 'shown/status'), MERGE_PATCH, { status: { conditions } });
      const { body } = await api().get(things.path(other), { accept: TABLE });
      expect(body.columnDefinitions.map((item: Body) => [item.name, item.type, item.priority])).to.deep.equal(
        [
          ['Name', 'string', 0],
          ['Size', 'integer', 0],
          ['Ready', 'string', 0],
          ['When', 'date', 1],
          ['Age', 'date', 0],
        ],
      );
      const [name, size, ready, shownWhen, age] = body.rows[0].cells;
      expect([name, size, ready, shownWhen]).to.deep.equal(['shown', 3, 'True', '3h']);
      expect(age).to.match(/^\d+s$/);
    });
  });
});
