import { expect } from 'chai';
import type { Answer, Body } from './support/api.ts';
import { contract, eventually } from './support/contract.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const CONTAINER = { name: 'main', image: 'registry.test/app:1' };

/** The smallest definition there can be. */
function definition(plural: string, description: string): Body {
  const schema = { openAPIV3Schema: { type: 'object', description } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, kind: `${plural[0]?.toUpperCase()}${plural.slice(1)}` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

contract('finalizers', (api) => {
  let namespace: string;
  /** The group of PodDisruptionBudgets, with its version. */
  let policy: string;

  before(async () => {
    namespace = await api().namespace();
    const { groups } = (await api().get('/apis')).body;
    policy = groups.find(({ name }: Body) => name === 'policy').preferredVersion.groupVersion;
  });

  /** By its article and kind: whether its finalizers need a domain, where it is posted, and what it takes to be accepted. */
  const kinds: [what: string, domainNeeded: boolean, path: () => string, fields: () => Body][] = [
    ['a ConfigMap', true, () => core('configmaps'), () => ({ kind: 'ConfigMap' })],
    ['a Secret', true, () => core('secrets'), () => ({ kind: 'Secret' })],
    ['a ServiceAccount', true, () => core('serviceaccounts'), () => ({ kind: 'ServiceAccount' })],
    ['a Pod', true, () => core('pods'), () => ({ kind: 'Pod', spec: { containers: [CONTAINER] } })],
    ['a Namespace', true, () => '/api/v1/namespaces', () => ({ kind: 'Namespace' })],
    [
      'an Event of events.k8s.io',
      true,
      () => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      () => ({
        kind: 'Event',
        apiVersion: 'events.k8s.io/v1',
        eventTime: '2026-01-01T00:00:00.123456Z',
        reportingController: 'example.com/controller',
        reportingInstance: 'one',
        action: 'Testing',
        reason: 'Tested',
        type: 'Normal',
        regarding: { kind: 'Pod', namespace, name: 'pod' },
      }),
    ],
    [
      'an Event of the core',
      false,
      () => core('events'),
      () => ({ kind: 'Event', involvedObject: { kind: 'Pod', namespace, name: 'pod' } }),
    ],
    [
      'a Lease',
      false,
      () => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
      () => ({ kind: 'Lease', apiVersion: 'coordination.k8s.io/v1' }),
    ],
    [
      'a PodDisruptionBudget',
      false,
      () => `/apis/${policy}/namespaces/${namespace}/poddisruptionbudgets`,
      () => ({ kind: 'PodDisruptionBudget', apiVersion: policy, spec: { minAvailable: 1 } }),
    ],
    ['a CustomResourceDefinition', false, () => DEFINITIONS, () => definition('trials', '')],
  ];
  const core = (plural: string): string => `/api/v1/namespaces/${namespace}/${plural}`;

  for (const [what, domainNeeded, path, fields] of kinds) {
    const tryWith = (finalizer: string): Promise<Answer> => {
      const object = fields();
      const metadata = { name: api().name('held'), ...object.metadata, finalizers: [finalizer] };
      return api().post(path(), { apiVersion: 'v1', ...object, metadata }, { query: { dryRun: 'All' } });
    };

    it(`of ${what} ${domainNeeded ? 'need a domain, but for standard ones' : 'need no domain'}`, async () => {
      for (const finalizer of ['example.com/keep', 'foregroundDeletion'])
        expect((await tryWith(finalizer)).status, finalizer).to.equal(201);
      const { status, body } = await tryWith('keep.example.com');
      expect(status, body.message).to.equal(domainNeeded ? 422 : 201);
      if (domainNeeded)
        expect(body.details.causes).to.deep.equal([
          {
            reason: 'FieldValueInvalid',
            field: 'metadata.finalizers[0]',
            message:
              'Invalid value: "keep.example.com": name is neither a standard finalizer name nor is it fully qualified',
          },
        ]);
    });

    it(`of ${what} have to be names`, async () => {
      const { status, body } = await tryWith('example.com/-keep');
      expect(status).to.equal(422);
      expect(body.details.causes[0]).to.include({
        reason: 'FieldValueInvalid',
        field: 'metadata.finalizers',
      });
    });
  }

  it('of the server itself do not keep a definition from being applied again', async () => {
    const plural = api().name('things').replace('-', '');
    const path = `${DEFINITIONS}/${plural}.example.com`;
    expect((await api().apply(path, 'one', definition(plural, 'older'))).status).to.equal(201);
    await eventually('the definition is served', async () =>
      (await api().get(`/apis/example.com/v1/${plural}`)).status === 200 ? true : undefined,
    );
    const { status, body } = await api().apply(path, 'one', definition(plural, 'newer'));
    expect(status, body.message).to.equal(200);
    await api().delete(path);
  });
});
