import { expect } from 'chai';
import { IamState } from '../../../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud } from '../../../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { Registry } from '../../../../src/registry/port.ts';
import { IBM_CLOUD } from '../../../../src/registry/ibm-cloud/ibm-cloud.ts';
import { FakeSender } from '../../../conformance/support/fake-sender.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const API_KEY = 'operators-own-api-key-for-groups';
registerSecret(API_KEY);

describe('the service ID group of IBM Cloud, which first issues share,', () => {
  let clock: VirtualClock;
  let fake: IbmCloud;
  let state: IamState;
  let registry: Registry;

  beforeEach(() => {
    clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
    state = new IamState('0123456789abcdef0123456789abcdef');
    fake = new IbmCloud({ clock, state, region: 'us-south', host: 'us.icr.io' });
    fake.addAdministrator(API_KEY);
    const sender = new FakeSender(new Map([['https://iam.cloud.ibm.com', fake]]), clock);
    const place = IBM_CLOUD.places({}, []).resolve(undefined);
    if (!place) expect.fail('IBM Cloud has a default region');
    const credentials = { apiKey: new Redacted(API_KEY) };
    registry = IBM_CLOUD.connect(
      { name: 'default', block: {}, credentials },
      aToolbox({ clock, sender }),
    ).registry(place);
    fake.faults.add({ operation: 'createGroup', kind: 'slow', milliseconds: 1_000 });
  });

  it('is created for all who wait for it, though the one who began gives up', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const reason = new Error('enough');
    const given = registry.issue(aRequest({ uid: 'uid-1' }), first.signal).catch((error: unknown) => error);
    const wanted = registry.issue(aRequest({ uid: 'uid-2' }), second.signal);
    await clock.advance(500);
    first.abort(reason);
    expect(await given).to.equal(reason);
    await clock.advance(500);
    expect((await wanted).id).to.match(/^ApiKey-/);
    expect(state.groups.size).to.equal(1);
  });

  it('is created by the next who asks, once all who waited for it gave up', async () => {
    const only = new AbortController();
    const given = registry.issue(aRequest(), only.signal).catch((error: unknown) => error);
    await clock.advance(500);
    only.abort(new Error('enough'));
    await given;
    const wanted = registry.issue(aRequest(), new AbortController().signal);
    await clock.advance(1_000);
    expect((await wanted).id).to.match(/^ApiKey-/);
    expect(state.groups.size).to.equal(1);
  });
});
