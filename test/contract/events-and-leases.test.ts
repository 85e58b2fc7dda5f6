import { expect } from 'chai';
import { contract } from './support/contract.ts';

contract('events and leases', (api) => {
  let namespace: string;
  let core: string;
  let v1: string;
  let leases: string;
  before(async () => {
    namespace = await api().namespace();
    core = `/api/v1/namespaces/${namespace}/events`;
    v1 = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  });
  const event = (name: string, more: object = {}): object => ({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name },
    eventTime: '2026-01-01T00:00:00.123456Z',
    reportingController: 'example.com/controller',
    reportingInstance: 'one',
    action: 'Testing',
    reason: 'Tested',
    type: 'Normal',
    note: 'all is well',
    regarding: { kind: 'Pod', namespace, name: 'pod' },
    ...more,
  });

  it('events are the same in both groups', async () => {
    expect((await api().post(v1, event('both'))).status).to.equal(201);
    const { body } = await api().get(`${core}/both`);
    expect(body).to.deep.include({
      apiVersion: 'v1',
      message: 'all is well',
      involvedObject: { kind: 'Pod', namespace, name: 'pod' },
      reportingComponent: 'example.com/controller',
      eventTime: '2026-01-01T00:00:00.123456Z',
    });
    await api().delete(`${core}/both`);
    expect((await api().get(`${v1}/both`)).status).to.equal(404);
  });

  it('events are found by what they are about', async () => {
    await api().post(v1, event('about-pod'));
    await api().post(v1, event('about-other', { regarding: { kind: 'Pod', namespace, name: 'other' } }));
    const fieldSelector = 'involvedObject.name=pod,involvedObject.kind=Pod';
    const { body } = await api().get(core, { query: { fieldSelector } });
    expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).to.deep.equal([
      'about-pod',
    ]);
  });

  const invalid: [string, object, string][] = [
    ['without a time', { eventTime: undefined }, 'eventTime'],
    ['of an unknown type', { type: 'Odd' }, 'type'],
    ['without a reporter', { reportingController: '' }, 'reportingController'],
    ['without an action', { action: '' }, 'action'],
    [
      'about something in no namespace',
      { regarding: { kind: 'Node', name: 'x' } },
      'involvedObject.namespace',
    ],
  ];
  for (const [what, fields, field] of invalid)
    it(`events ${what} are refused`, async () => {
      const { status, body } = await api().post(v1, event('bad', fields));
      expect(status).to.equal(422);
      expect(body.details.causes.map((cause: { field: string }) => cause.field)).to.include(field);
    });

  it('leases keep microseconds and are created by PUT too', async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'lock' },
      spec: { holderIdentity: 'one', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.123456Z' },
    };
    const made = await api().put(`${leases}/lock`, lease);
    expect(made.status).to.equal(201);
    expect(made.body.spec.renewTime).to.equal('2026-01-01T00:00:00.123456Z');
    expect((await api().put(`${leases}/lock`, lease)).status).to.equal(422);
    const spec = { ...lease.spec, leaseDurationSeconds: 0 };
    expect((await api().put(`${leases}/lock`, { ...made.body, spec })).status).to.equal(422);
  });

  it('two holders cannot both renew', async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'race' },
      spec: {},
    };
    const { body } = await api().post(leases, lease);
    const renew = (holderIdentity: string): Promise<number> =>
      api()
        .put(`${leases}/race`, { ...body, spec: { holderIdentity } })
        .then(({ status }) => status);
    expect(await Promise.all([renew('one'), renew('two')])).to.have.members([200, 409]);
  });
});
