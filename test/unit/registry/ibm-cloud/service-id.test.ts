import { expect } from 'chai';
import { IamState } from '../../../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud } from '../../../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { Connection, Registry } from '../../../../src/registry/port.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { IBM_CLOUD, type IbmCloudBlock } from '../../../../src/registry/ibm-cloud/ibm-cloud.ts';
import { FakeSender } from '../../../conformance/support/fake-sender.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const API_KEY = 'operators-own-api-key-for-service-ids';
registerSecret(API_KEY);
const { signal } = new AbortController();

describe("IBM Cloud with an administrator's service ID", () => {
  let state: IamState;
  let connect: (block: IbmCloudBlock) => Connection;
  let serviceId: string;

  beforeEach(() => {
    const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
    state = new IamState('0123456789abcdef0123456789abcdef');
    const fake = new IbmCloud({ clock, state, region: 'us-south', host: 'us.icr.io' });
    fake.addAdministrator(API_KEY);
    serviceId = [...state.serviceIds.keys()][0] ?? '';
    const sender = new FakeSender(new Map([['https://iam.cloud.ibm.com', fake]]), clock);
    connect = (block) =>
      IBM_CLOUD.connect(
        { name: 'default', block, credentials: { apiKey: new Redacted(API_KEY) } },
        aToolbox({ clock, sender }),
      );
  });

  const registry = (block: IbmCloudBlock): Registry => {
    const place = IBM_CLOUD.places(block, []).resolve(undefined);
    if (!place) throw new Error('IBM Cloud has a default region');
    return connect(block).registry(place);
  };

  it('creates keys on it, and neither service IDs nor policies', async () => {
    await registry({ serviceId }).issue(aRequest(), signal);
    expect([state.serviceIds.size, state.policies.size, state.keys.size]).to.deep.equal([1, 0, 2]);
  });

  it('still lists, revokes and releases what was issued before there was one', async () => {
    const { id } = await registry({}).issue(aRequest(), signal);
    const later = registry({ serviceId });
    const ids = (await later.list?.([], (row) => row.id, signal)) ?? [];
    expect(ids).to.include(id);
    await later.revoke?.(id, signal);
    const { tag } = aRequest();
    await later.release?.(tag, [], signal);
    const left = [...state.serviceIds.values(), ...state.policies.values()].filter(
      ({ deletedAt, createdAt }) => deletedAt === undefined && createdAt > 0,
    );
    expect(left).to.deep.equal([]);
  });

  it('tells whose a key is that was issued on it, once it is another or none and lists lack it', async () => {
    const { id } = await registry({ serviceId }).issue(aRequest(), signal);
    const later = registry({});
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
    const issuing = registry({ serviceId });
    for (let revision = 1; revision <= 15; revision++) await issuing.issue(aRequest({ revision }), signal);
    expect((await connect({ serviceId }).verify(signal)).remark).to.match(/has 16 of at most 20 API keys/);
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
