import { expect } from 'chai';
import { APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, type Body } from './support/api.ts';
import { contract, eventually } from './support/contract.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

contract('Deployments and ReplicaSets', (api) => {
  let namespace: string;
  before(async () => {
    namespace = await api().namespace();
  });

  const path = (plural: string, name = ''): string =>
    `/apis/apps/v1/namespaces/${namespace}/${plural}${name && `/${name}`}`;
  const workload = (kind: string, name: string, spec: object = {}): Body => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'registry.test/app:1',
              ports: [{ name: 'http', containerPort: 80 }],
              readinessProbe: { httpGet: { port: 'http' }, timeoutSeconds: 5 },
            },
          ],
        },
      },
      ...spec,
    },
  });
  const create = async (name: string, spec?: object): Promise<Body> => {
    const { status, body } = await api().post(path('deployments'), workload('Deployment', name, spec));
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  };

  it('are told by discovery, with a status', async () => {
    const { body } = await api().get('/apis/apps/v1');
    const named = (name: string): Body => body.resources.find((resource: Body) => resource.name === name);
    expect(named('deployments')).to.deep.include({
      kind: 'Deployment',
      namespaced: true,
      shortNames: ['deploy'],
    });
    expect(named('replicasets')).to.deep.include({
      kind: 'ReplicaSet',
      categories: ['all'],
      shortNames: ['rs'],
    });
    expect(named('deployments/status').verbs).to.include.members(['get', 'patch', 'update']);
  });

  it('get the defaults of their spec and of their pods', async () => {
    const { spec, metadata } = await create('defaulted');
    expect(metadata.generation).to.equal(1);
    expect(spec).to.deep.include({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    });
    expect(spec.template.spec).to.deep.include({ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' });
    expect(spec.template.spec.containers[0]).to.deep.include({
      imagePullPolicy: 'IfNotPresent',
      ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
      readinessProbe: {
        httpGet: { path: '/', port: 'http', scheme: 'HTTP' },
        timeoutSeconds: 5,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
    });
  });

  it('keep to a strategy without a rolling update', async () => {
    const { spec } = await create('recreated', { strategy: { type: 'Recreate' } });
    expect(spec.strategy).to.deep.equal({ type: 'Recreate' });
  });

  it('count changes of the spec, not of the status', async () => {
    await create('counted');
    const { body: scaled } = await api().patch(path('deployments', 'counted'), MERGE_PATCH, {
      spec: { replicas: 3 },
    });
    expect(scaled.metadata.generation).to.equal(2);
    const { body } = await api().patch(`${path('deployments', 'counted')}/status`, MERGE_PATCH, {
      spec: { replicas: 9 },
      status: { observedGeneration: 2, replicas: 3, unavailableReplicas: 0 },
    });
    expect(body.spec.replicas).to.equal(3);
    expect(body.status.replicas).to.equal(3);
    expect(body.metadata.generation).to.equal(2);
  });

  it('are scaled to nothing', async () => {
    const { spec } = await create('idle', { replicas: 0 });
    expect(spec.replicas).to.equal(0);
  });

  const CONTAINERS = 'spec.template.spec.containers';
  const template = (spec: object | null): object => ({ metadata: { labels: { app: 'a' } }, spec });
  const refusals: [title: string, spec: object, field: string][] = [
    ['no selector', { selector: undefined }, 'spec.selector'],
    ['an empty selector', { selector: {} }, 'spec.selector'],
    [
      'a selector for other pods',
      { selector: { matchLabels: { app: 'b' } } },
      'spec.template.metadata.labels',
    ],
    ['a negative number of replicas', { replicas: -1 }, 'spec.replicas'],
    ['no spec', { selector: null, template: null }, 'spec.selector'],
    ['a template without containers', { template: template({ containers: [] }) }, CONTAINERS],
    ['a template without a spec', { template: template(null) }, CONTAINERS],
    [
      'a container without an image',
      { template: template({ containers: [{ name: 'a' }] }) },
      `${CONTAINERS}[0].image`,
    ],
    [
      'pods that are not restarted',
      { template: template({ containers: [{ name: 'a', image: 'a' }], restartPolicy: 'Never' }) },
      'spec.template.spec.restartPolicy',
    ],
  ];
  for (const kind of ['Deployment', 'ReplicaSet'])
    for (const [title, spec, field] of refusals)
      it(`refuse ${title} of a ${kind}`, async () => {
        const plural = `${kind.toLowerCase()}s`;
        const { status, body } = await api().post(path(plural), workload(kind, 'a', spec));
        expect(status).to.equal(422);
        expect(body.details.causes.map((cause: Body) => cause.field)).to.include(field);
      });

  it('keep their selector', async () => {
    const made = await create('selected');
    const labels = { app: 'selected', tier: 'front' };
    const spec = {
      ...made.spec,
      selector: { matchLabels: labels },
      template: { ...made.spec.template, metadata: { labels } },
    };
    const { status, body } = await api().put(path('deployments', 'selected'), { ...made, spec });
    expect(status).to.equal(422);
    expect(body.details.causes[0]).to.include({ field: 'spec.selector', reason: 'FieldValueInvalid' });
  });

  it('merge containers by name in strategic patches', async () => {
    await create('patched');
    const containers = [{ name: 'main', image: 'registry.test/app:2' }];
    const { body } = await api().patch(path('deployments', 'patched'), STRATEGIC_PATCH, {
      spec: { template: { spec: { containers } } },
    });
    expect(body.spec.template.spec.containers[0].image).to.equal('registry.test/app:2');
    expect(body.spec.template.spec.containers[0].ports).to.have.length(1);
  });

  it('are applied on the server by several managers', async () => {
    const name = 'applied';
    const made = await api().apply(path('deployments', name), 'one', workload('Deployment', name));
    expect(made.status).to.equal(201);
    const env = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } };
    const containers = [{ name: 'main', env: [{ name: 'A', value: '1' }] }];
    const added = await api().patch(
      path('deployments', name),
      APPLY_PATCH,
      { ...env, spec: { template: { spec: { containers } } } },
      { query: { fieldManager: 'two' } },
    );
    expect(added.status, JSON.stringify(added.body)).to.equal(200);
    const [container] = added.body.spec.template.spec.containers;
    expect(container).to.deep.include({ image: 'registry.test/app:1', env: [{ name: 'A', value: '1' }] });
    const again = await api().apply(path('deployments', name), 'one', workload('Deployment', name));
    expect(again.body.spec.template.spec.containers[0].env).to.have.length(1);
  });

  it('take what they own with them', async () => {
    const own = ({ kind, metadata }: Body, apiVersion = 'apps/v1'): object[] => [
      {
        apiVersion,
        kind,
        name: metadata.name,
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ];
    const deployment = await create('owner');
    const set = workload('ReplicaSet', 'owned', { replicas: 0 });
    set.metadata.ownerReferences = own(deployment);
    await api().post(path('replicasets'), set);
    await api().delete(path('deployments', 'owner'), undefined, { propagationPolicy: 'Background' });
    await eventually('the ReplicaSet is gone', async () =>
      (await api().get(path('replicasets', 'owned'))).status === 404 ? true : undefined,
    );
  });

  const columns: [plural: string, names: string[]][] = [
    ['deployments', ['Name', 'Ready', 'Up-to-date', 'Available', 'Age', 'Containers', 'Images', 'Selector']],
    ['replicasets', ['Name', 'Desired', 'Current', 'Ready', 'Age', 'Containers', 'Images', 'Selector']],
  ];
  for (const [plural, names] of columns)
    it(`are shown by kubectl in their usual columns: ${plural}`, async () => {
      const { body } = await api().get(path(plural), { accept: TABLE });
      expect(body.columnDefinitions.map(({ name }: Body) => name)).to.deep.equal(names);
    });

  it('are shown with how many are ready', async () => {
    await create('shown', { replicas: 2 });
    await api().patch(`${path('deployments', 'shown')}/status`, MERGE_PATCH, {
      status: { replicas: 2, readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
    });
    const { body } = await api().get(path('deployments', 'shown'), { accept: TABLE });
    const [name, ready, updated, available, , ...wide] = body.rows[0].cells;
    expect([name, ready, updated, available]).to.deep.equal(['shown', '1/2', 2, 1]);
    expect(wide).to.deep.equal(['main', 'registry.test/app:1', 'app=shown']);
  });
});
