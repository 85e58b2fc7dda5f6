import { expect } from 'chai';
import type { Answer, ApiRequest } from '../../../sandbox/apiserver/request.ts';
import { ApiServer } from '../../../sandbox/apiserver/server.ts';
import { StatusError } from '../../../sandbox/apiserver/status-error.ts';
import type { Admission, Webhook } from '../../../sandbox/apiserver/writer.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const MAP = '/api/v1/namespaces/default/configmaps/colours';

function apply(server: ApiServer, colour: string): Promise<Answer> {
  const metadata = { name: 'colours', namespace: 'default' };
  const request: ApiRequest = {
    method: 'PATCH',
    path: MAP,
    query: new URLSearchParams({ fieldManager: 'painter', force: 'true' }),
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { colour } }),
    signal: new AbortController().signal,
  };
  return server.handle(request);
}

const onMaps =
  (effect: Webhook): Webhook =>
  (admission) =>
    admission.collection === 'configmaps' ? effect(admission) : admission.object;

describe('admission webhooks of the embedded API server', () => {
  it('see an object with what it was before, and change what is stored', async () => {
    const seen: Admission[] = [];
    const webhook = onMaps((admission) => {
      seen.push(admission);
      return { ...admission.object, data: { colour: 'grey' } };
    });
    const server = new ApiServer({ clock: new VirtualClock(), webhook });
    const { status, body } = await apply(server, 'red');
    expect(status).to.equal(201);
    expect(JSON.parse(body as string)).to.have.nested.property('data.colour', 'grey');
    await apply(server, 'blue');
    expect(seen.map(({ object, previous }) => [object['data'], previous?.['data']])).to.deep.equal([
      [{ colour: 'red' }, undefined],
      [{ colour: 'blue' }, { colour: 'grey' }],
    ]);
    server.close();
  });

  it('refuse a write, which then changes nothing', async () => {
    const webhook = onMaps(() => {
      throw new StatusError(403, 'Forbidden', 'admission webhook "policy.test" denied the request');
    });
    const server = new ApiServer({ clock: new VirtualClock(), webhook });
    expect((await apply(server, 'red')).status).to.equal(403);
    expect(server.store.list('configmaps')).to.deep.equal([]);
    server.close();
  });
});
