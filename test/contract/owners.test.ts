import { expect } from 'chai';
import type { Body } from './support/api.ts';
import { configMap, CONFIG_MAPS } from './support/builders.ts';
import { contract, eventually } from './support/contract.ts';

contract('owners', (api) => {
  let maps: string;
  before(async () => {
    maps = CONFIG_MAPS(await api().namespace());
  });

  const create = async (name: string, owners: Body[] = [], more: object = {}): Promise<Body> => {
    const ownerReferences = owners.map(({ metadata }) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: metadata.name,
      uid: metadata.uid,
      ...more,
    }));
    const object = { ...configMap(name), metadata: { name, ...(owners.length > 0 && { ownerReferences }) } };
    return (await api().post(maps, object)).body;
  };
  const gone = (name: string): Promise<true> =>
    eventually(`${name} is gone`, async () =>
      (await api().get(`${maps}/${name}`)).status === 404 ? (true as const) : undefined,
    );

  it('take what they own with them', async () => {
    const owner = await create('owner');
    await create('owned', [owner]);
    await api().delete(`${maps}/owner`, undefined, { propagationPolicy: 'Background' });
    await gone('owned');
  });

  it('leave what somebody else owns too', async () => {
    const [one, two] = [await create('one'), await create('two')];
    await create('shared', [one, two]);
    await api().delete(`${maps}/one`);
    await eventually('the reference is gone', async () => {
      const { body } = await api().get(`${maps}/shared`);
      return body.metadata.ownerReferences.length === 1 ? true : undefined;
    });
  });

  it('that never were make an object go', async () => {
    const owner = await create('short-lived');
    await api().delete(`${maps}/short-lived`);
    await create('late', [owner]);
    await gone('late');
  });

  it('wait for what blocks them, in foreground deletion', async () => {
    const owner = await create('foreground');
    await create('blocking', [owner], { blockOwnerDeletion: true });
    const { body } = await api().delete(`${maps}/foreground`, { propagationPolicy: 'Foreground' });
    expect(body.metadata.finalizers).to.deep.equal(['foregroundDeletion']);
    await gone('foreground');
    await gone('blocking');
  });

  it('can leave orphans', async () => {
    const owner = await create('parent');
    await create('orphan', [owner]);
    await api().delete(`${maps}/parent`, { propagationPolicy: 'Orphan' });
    await gone('parent');
    const { status, body } = await api().get(`${maps}/orphan`);
    expect(status).to.equal(200);
    expect(body.metadata).not.to.have.property('ownerReferences');
  });
});
