import { expect } from 'chai';
import type { Registry } from '../../../../src/registry/port.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { IbmCloudStage } from './support/ibm-cloud-stage.ts';

describe('the service ID group of IBM Cloud, which first issues share,', () => {
  let stage: IbmCloudStage;
  let registry: Registry;

  beforeEach(() => {
    stage = new IbmCloudStage();
    registry = stage.registry();
    stage.fake.faults.add({ operation: 'createGroup', kind: 'slow', milliseconds: 1_000 });
  });

  it('is created for all who wait for it, though the one who began gives up', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const reason = new Error('enough');
    const given = registry.issue(aRequest({ uid: 'uid-1' }), first.signal).catch((error: unknown) => error);
    const wanted = registry.issue(aRequest({ uid: 'uid-2' }), second.signal);
    await stage.clock.advance(500);
    first.abort(reason);
    expect(await given).to.equal(reason);
    await stage.clock.advance(500);
    expect((await wanted).id).to.match(/^ApiKey-/);
    expect(stage.state.groups.size).to.equal(1);
  });

  it('is created by the next who asks, once all who waited for it gave up', async () => {
    const only = new AbortController();
    const given = registry.issue(aRequest(), only.signal).catch((error: unknown) => error);
    await stage.clock.advance(500);
    only.abort(new Error('enough'));
    await given;
    const wanted = registry.issue(aRequest(), new AbortController().signal);
    await stage.clock.advance(1_000);
    expect((await wanted).id).to.match(/^ApiKey-/);
    expect(stage.state.groups.size).to.equal(1);
  });
});
