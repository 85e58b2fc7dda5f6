import { expect } from 'chai';
import type { KubeObject, Resource } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { jsonPointer } from '../../../src/kube/client/json-patch.ts';
import { objectKey, parseObjectKey } from '../../../src/kube/client/object-key.ts';
import { NAMESPACES, resourcePath, resourceTitle, SECRETS } from '../../../src/kube/client/resources.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';

const THINGS: Resource = {
  group: 'example.com',
  version: 'v1alpha1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
};

describe('KubeClient', () => {
  let calls: Call[];
  let answer: unknown;
  const client = new KubeClient(
    {
      request: (call) => {
        const { keep, ...sent } = call;
        calls.push(sent);
        const { items } = answer as { items?: unknown[] | null };
        return Promise.resolve(keep ? { ...(answer as object), items: items?.map(keep) } : answer);
      },
      stream: () => expect.fail('nothing is watched'),
      close: () => Promise.resolve(),
    },
    { fieldManager: 'me' },
  );
  beforeEach(() => {
    calls = [];
    answer = {};
  });

  const name = { namespace: 'ns', name: 'a' };
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'ns', name: 'a' },
    data: { x: 'eA==' },
  };
  const { signal } = new AbortController();
  const path = '/api/v1/namespaces/ns/secrets/a';

  const cases: [string, () => Promise<unknown>, Call][] = [
    [
      'get',
      () => client.get(SECRETS, name, { signal }),
      { method: 'GET', path, accept: 'application/json', signal },
    ],
    [
      'get, metadata only',
      () => client.get(NAMESPACES, { name: 'ns' }, { metadataOnly: true, timeout: 5 }),
      {
        method: 'GET',
        path: '/api/v1/namespaces/ns',
        accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
        timeout: 5,
      },
    ],
    [
      'create',
      () => client.create(SECRETS, object),
      { method: 'POST', path: '/api/v1/namespaces/ns/secrets', query: { fieldManager: 'me' }, body: object },
    ],
    [
      'apply',
      () => client.apply(SECRETS, object, { force: true }),
      {
        method: 'PATCH',
        path,
        query: { fieldManager: 'me', force: 'true' },
        body: object,
        contentType: 'application/apply-patch+yaml',
      },
    ],
    [
      'merge patch of the status',
      () => client.mergePatch(THINGS, name, { status: {} }, { subresource: 'status' }),
      {
        method: 'PATCH',
        path: '/apis/example.com/v1alpha1/namespaces/ns/things/a/status',
        query: { fieldManager: 'me' },
        body: { status: {} },
        contentType: 'application/merge-patch+json',
      },
    ],
    [
      'JSON patch',
      () => client.jsonPatch(SECRETS, name, [{ op: 'remove', path: '/data' }]),
      {
        method: 'PATCH',
        path,
        query: { fieldManager: 'me' },
        body: [{ op: 'remove', path: '/data' }],
        contentType: 'application/json-patch+json',
      },
    ],
    [
      'delete with preconditions',
      () => client.delete(SECRETS, name, { uid: 'u', resourceVersion: '7', propagationPolicy: 'Foreground' }),
      {
        method: 'DELETE',
        path,
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions: { uid: 'u', resourceVersion: '7' },
          propagationPolicy: 'Foreground',
        },
      },
    ],
    [
      'delete',
      () => client.delete(SECRETS, name),
      { method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions' } },
    ],
  ];
  for (const [what, act, expected] of cases) {
    it(`sends a ${what}`, async () => {
      await act();
      expect(calls).to.deep.equal([expected]);
    });
  }

  it('lists a page as it is asked to, and names the objects', async () => {
    answer = { metadata: { resourceVersion: '9', continue: 'more' }, items: [{ metadata: { name: 'a' } }] };
    const page = await client.listPage<KubeObject>(THINGS, {
      namespace: 'ns',
      labelSelector: 'a in (b)',
      fieldSelector: 'metadata.name=a',
      limit: 5,
      continue: 'from here',
    });
    expect(page).to.deep.equal({
      items: [{ apiVersion: 'example.com/v1alpha1', kind: 'Thing', metadata: { name: 'a' } }],
      resourceVersion: '9',
      continue: 'more',
    });
    expect(calls[0]).to.include({ method: 'GET', path: '/apis/example.com/v1alpha1/namespaces/ns/things' });
    expect(calls[0]!.query).to.deep.equal({
      labelSelector: 'a in (b)',
      fieldSelector: 'metadata.name=a',
      limit: '5',
      continue: 'from here',
    });
  });

  it('takes a list without items for an empty one', async () => {
    answer = { metadata: { resourceVersion: '9' }, items: null };
    expect(await client.listAll(SECRETS)).to.deep.equal([]);
  });

  it('follows pages to the end', async () => {
    const pages = [
      { metadata: { resourceVersion: '9', continue: 'x' }, items: [{ metadata: { name: 'a' } }] },
      { metadata: { resourceVersion: '9' }, items: [{ metadata: { name: 'b' } }] },
    ];
    const turning = new KubeClient(
      {
        request: () => Promise.resolve(pages.shift()),
        stream: () => expect.fail(),
        close: () => Promise.resolve(),
      },
      { fieldManager: 'me' },
    );
    expect((await turning.listAll(SECRETS)).map(({ metadata }) => metadata.name)).to.deep.equal(['a', 'b']);
  });
});

describe('paths and keys', () => {
  it('escapes names', () => {
    expect(resourcePath(NAMESPACES, { name: 'a/b?c' })).to.equal('/api/v1/namespaces/a%2Fb%3Fc');
  });

  it('refuses half a name, which would mean something else', () => {
    expect(() => resourcePath(SECRETS, { name: 'a' })).to.throw(TypeError);
    expect(() => resourcePath(SECRETS, { namespace: 'ns', name: '' })).to.throw(TypeError);
  });

  it('lists all namespaces without one', () => {
    expect(resourcePath(THINGS)).to.equal('/apis/example.com/v1alpha1/things');
  });

  it('titles resources as people do', () => {
    expect([SECRETS, THINGS].map(resourceTitle)).to.deep.equal(['secrets', 'things.example.com']);
  });

  it('turns names into keys and back', () => {
    for (const given of [{ namespace: 'ns', name: 'a' }, { name: 'a' }])
      expect(parseObjectKey(objectKey(given))).to.deep.equal(given);
  });

  it('escapes JSON pointers', () => {
    expect(jsonPointer('metadata', 'annotations', 'a.b/c~d', 0)).to.equal(
      '/metadata/annotations/a.b~1c~0d/0',
    );
  });
});
