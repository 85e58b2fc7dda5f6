import { expect } from 'chai';
import type { Answer, Body } from './support/api.ts';
import { MERGE_PATCH } from './support/api.ts';
import { contract } from './support/contract.ts';

contract('evictions', (api) => {
  let namespace: string;
  /** Of the Eviction's group. */
  let apiVersion: string;
  let budgets: string;

  before(async () => {
    namespace = await api().namespace();
    const { body } = await api().get('/api/v1');
    const eviction = body.resources.find(({ name }: { name: string }) => name === 'pods/eviction');
    expect(eviction).to.deep.include({
      group: 'policy',
      kind: 'Eviction',
      namespaced: true,
      verbs: ['create'],
    });
    apiVersion = `${eviction.group}/${eviction.version}`;
    budgets = `/apis/${apiVersion}/namespaces/${namespace}/poddisruptionbudgets`;
  });

  const pods = (): string => `/api/v1/namespaces/${namespace}/pods`;
  async function createPod(labels: Record<string, string> = {}): Promise<Body> {
    const metadata = { name: api().name('pod'), labels };
    const spec = { containers: [{ name: 'main', image: 'registry.test/app:1' }] };
    const { status, body } = await api().post(pods(), { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    expect(status).to.equal(201);
    return body;
  }
  const runs = (name: string): Promise<Answer> =>
    api().patch(`${pods()}/${name}/status`, MERGE_PATCH, {
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  async function createBudget(labels: Record<string, string>, disruptionsAllowed: number): Promise<string> {
    const name = api().name('budget');
    const { body } = await api().post(budgets, {
      apiVersion,
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    });
    const counts = { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
    await api().patch(`${budgets}/${name}/status`, MERGE_PATCH, {
      status: { observedGeneration: body.metadata.generation, ...counts },
    });
    return name;
  }
  const evict = (name: string, more: object = {}): Promise<Answer> =>
    api().post(`${pods()}/${name}/eviction`, {
      apiVersion,
      kind: 'Eviction',
      metadata: { name, namespace },
      ...more,
    });
  const exists = async (name: string): Promise<boolean> =>
    (await api().get(`${pods()}/${name}`)).status === 200;

  it('deletes a pod that no budget counts', async () => {
    const { metadata } = await createPod();
    const { status, body } = await evict(metadata.name);
    expect(status).to.equal(201);
    expect(body).to.include({ kind: 'Status', status: 'Success', code: 201 });
    expect(await exists(metadata.name)).to.equal(false);
  });

  it('deletes a pending pod whatever its budget says', async () => {
    const labels = { app: api().name() };
    const { metadata } = await createPod(labels);
    await createBudget(labels, 0);
    expect((await evict(metadata.name)).status).to.equal(201);
  });

  it('refuses a running pod while its budget allows no disruption', async () => {
    const labels = { app: api().name() };
    const { metadata } = await createPod(labels);
    await runs(metadata.name);
    const budget = await createBudget(labels, 0);
    const { status, body } = await evict(metadata.name);
    expect(status).to.equal(429);
    expect(body).to.deep.include({
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    });
    expect(body.details.causes).to.deep.equal([
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${budget} needs 1 healthy pods and has 1 currently`,
      },
    ]);
    expect(await exists(metadata.name)).to.equal(true);
  });

  it('takes one disruption from the budget', async () => {
    const labels = { app: api().name() };
    const [first, second] = [await createPod(labels), await createPod(labels)];
    for (const { metadata } of [first, second]) await runs(metadata.name);
    const budget = await createBudget(labels, 1);
    expect((await evict(first.metadata.name)).status).to.equal(201);
    expect((await api().get(`${budgets}/${budget}`)).body.status.disruptionsAllowed).to.equal(0);
    expect((await evict(second.metadata.name)).status).to.equal(429);
  });

  it('refuses a running pod of two budgets', async () => {
    const labels = { app: api().name() };
    const { metadata } = await createPod(labels);
    await runs(metadata.name);
    await createBudget(labels, 1);
    await createBudget(labels, 1);
    const { status, body } = await evict(metadata.name);
    expect(status).to.equal(500);
    expect(JSON.stringify(body)).to.include('more than one PodDisruptionBudget');
  });

  it('refuses another pod of that name', async () => {
    const { metadata } = await createPod();
    const { status, body } = await evict(metadata.name, {
      deleteOptions: { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } },
    });
    expect(status).to.equal(409);
    expect(body.reason).to.equal('Conflict');
    expect(await exists(metadata.name)).to.equal(true);
  });

  it('refuses a pod that has changed since it was read, pending or not', async () => {
    const { metadata } = await createPod();
    const { resourceVersion } = metadata;
    const readAt = (version: string): object => ({
      deleteOptions: { preconditions: { resourceVersion: version } },
    });
    await api().patch(`${pods()}/${metadata.name}`, MERGE_PATCH, {
      metadata: { labels: { changed: 'yes' } },
    });
    const stale = await evict(metadata.name, readAt(resourceVersion));
    expect([stale.status, stale.body.reason]).to.deep.equal([409, 'Conflict']);
    const { body } = await api().get(`${pods()}/${metadata.name}`);
    expect((await evict(metadata.name, readAt(body.metadata.resourceVersion))).status).to.equal(201);
  });

  it('refuses an Eviction of another name', async () => {
    const { metadata } = await createPod();
    const { status } = await evict(metadata.name, { metadata: { name: 'other', namespace } });
    expect(status).to.equal(400);
  });

  it('knows no pod that is not there', async () => {
    expect((await evict('nobody')).status).to.equal(404);
  });
});
