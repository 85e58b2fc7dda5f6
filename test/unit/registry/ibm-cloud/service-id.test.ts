import { expect } from 'chai';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { IBM_CLOUD, type IbmCloudBlock } from '../../../../src/registry/ibm-cloud/ibm-cloud.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { IbmCloudStage } from './support/ibm-cloud-stage.ts';

const { signal } = new AbortController();

describe("IBM Cloud with an administrator's service ID", () => {
  let stage: IbmCloudStage;
  let serviceId: string;

  beforeEach(() => {
    stage = new IbmCloudStage();
    serviceId = [...stage.state.serviceIds.keys()][0] ?? '';
  });

  it('creates keys on it, and neither service IDs nor policies', async () => {
    await stage.registry({ serviceId }).issue(aRequest(), signal);
    expect([stage.state.serviceIds.size, stage.state.policies.size, stage.state.keys.size]).to.deep.equal([
      1, 0, 2,
    ]);
  });

  it('still lists, revokes and releases what was issued before there was one', async () => {
    const { id } = await stage.registry({}).issue(aRequest(), signal);
    const later = stage.registry({ serviceId });
    const ids = (await later.list?.([], (row) => row.id, signal)) ?? [];
    expect(ids).to.include(id);
    await later.revoke?.(id, signal);
    const { tag } = aRequest();
    await later.release?.(tag, [], signal);
    const left = [...stage.state.serviceIds.values(), ...stage.state.policies.values()].filter(
      ({ deletedAt, createdAt }) => deletedAt === undefined && createdAt > 0,
    );
    expect(left).to.deep.equal([]);
  });

  it('tells whose a key is that was issued on it, once it is another or none and lists lack it', async () => {
    const { id } = await stage.registry({ serviceId }).issue(aRequest(), signal);
    const later = stage.registry({});
    expect((await later.list?.([], (row) => row.id, signal)) ?? []).to.not.include(id);
    expect(await later.lookUp?.(id, signal)).to.include({
      id,
      description: aRequest().description,
      revoked: false,
    });
    await later.revoke?.(id, signal);
    expect(await later.lookUp?.(id, signal)).to.equal(undefined);
    const error = await later.lookUp?.('..', signal).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(RegistryError).with.property('code', 'InvalidRequest');
  });

  it('says that its keys run out before they do, and what to do once they have', async () => {
    const issuing = stage.registry({ serviceId });
    for (let revision = 1; revision <= 15; revision++) await issuing.issue(aRequest({ revision }), signal);
    expect((await stage.connect({ serviceId }).verify(signal)).remark).to.match(
      /has 16 of at most 20 API keys/,
    );
    for (let revision = 16; revision <= 19; revision++) await issuing.issue(aRequest({ revision }), signal);
    const error = await issuing.issue(aRequest({ revision: 20 }), signal).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(RegistryError).with.property('code', 'QuotaExceeded');
    expect(String(error)).to.match(/as many API keys as IAM allows \(20\).*leave out ibmCloud\.serviceId/);
  });

  it('names private hosts where the network is private', () => {
    const hosts = (block: IbmCloudBlock): unknown => IBM_CLOUD.places(block, []).resolve('eu-de')?.host;
    expect(hosts({})).to.equal('de.icr.io');
    expect(hosts({ network: 'Private' })).to.equal('private.de.icr.io');
  });
});
