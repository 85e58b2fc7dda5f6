import { expect } from 'chai';
import type { Body } from './support/api.ts';
import { contract } from './support/contract.ts';

/** Kinds, where they are, and what of their schema clients look at. */
const KINDS: { group: string; kind: string; collection: string; fields: Record<string, string> }[] = [
  {
    group: '',
    kind: 'Secret',
    collection: '/api/v1/namespaces/{namespace}/secrets',
    fields: { data: 'object', stringData: 'object', type: 'string', immutable: 'boolean', kind: 'string' },
  },
  {
    group: '',
    kind: 'ConfigMap',
    collection: '/api/v1/namespaces/{namespace}/configmaps',
    fields: { data: 'object', binaryData: 'object', immutable: 'boolean', apiVersion: 'string' },
  },
  {
    group: '',
    kind: 'ServiceAccount',
    collection: '/api/v1/namespaces/{namespace}/serviceaccounts',
    fields: { imagePullSecrets: 'array', secrets: 'array', automountServiceAccountToken: 'boolean' },
  },
  { group: '', kind: 'Namespace', collection: '/api/v1/namespaces', fields: {} },
  {
    group: 'coordination.k8s.io',
    kind: 'Lease',
    collection: '/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases',
    fields: { apiVersion: 'string', kind: 'string' },
  },
];
const OBJECT_PATCHES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

contract('OpenAPI v2', (api) => {
  let document: Body;
  before(async () => {
    const { status, body } = await api().get('/openapi/v2');
    expect(status).to.equal(200);
    // Old releases do not say that it is JSON.
    document = typeof body === 'string' ? JSON.parse(body) : body;
  });

  /** What is there, or what it refers to: from 1.27 on, parameters that several operations take are written once. */
  const resolve = (item: Body): Body => {
    const [, section = '', name = ''] = /^#\/(definitions|parameters)\/(.*)$/.exec(item.$ref) ?? [];
    return section ? document[section][name] : item;
  };

  it('is of version 2.0', () => {
    expect(document.swagger).to.equal('2.0');
  });

  for (const { group, kind, collection, fields } of KINDS) {
    describe(kind, () => {
      const gvk = { group, version: 'v1', kind };
      const operations: [path: string, method: string, action: string][] = [
        [collection, 'get', 'list'],
        [collection, 'post', 'post'],
        [`${collection}/{name}`, 'get', 'get'],
        [`${collection}/{name}`, 'put', 'put'],
        [`${collection}/{name}`, 'patch', 'patch'],
        [`${collection}/{name}`, 'delete', 'delete'],
      ];
      for (const [path, method, action] of operations)
        it(`${method} ${path} is told to be a ${action} of it`, () => {
          const operation = document.paths[path][method];
          expect(operation['x-kubernetes-action']).to.equal(action);
          expect(operation['x-kubernetes-group-version-kind']).to.deep.equal(gvk);
        });

      it('tells the kinds of patches, and that writing can be tried', () => {
        const { patch } = document.paths[`${collection}/{name}`];
        expect(patch.consumes).to.include.members(OBJECT_PATCHES);
        const names = patch.parameters.map((parameter: Body) => resolve(parameter).name);
        expect(names).to.include.members(['body', 'dryRun', 'fieldManager', 'force']);
      });

      it('has a schema that says whose it is and what it holds', () => {
        const { get } = document.paths[`${collection}/{name}`];
        const schema = resolve(get.responses['200'].schema);
        expect(schema['x-kubernetes-group-version-kind']).to.deep.include(gvk);
        for (const [field, type] of Object.entries(fields))
          expect(schema.properties[field].type, field).to.equal(type);
        expect(schema.properties).to.have.property('metadata');
      });
    });
  }
});
