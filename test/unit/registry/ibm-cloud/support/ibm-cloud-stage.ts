import { IamState } from '../../../../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud } from '../../../../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { Redacted } from '../../../../../src/common/redacted.ts';
import type { Connection, Registry } from '../../../../../src/registry/port.ts';
import { IBM_CLOUD, type IbmCloudBlock } from '../../../../../src/registry/ibm-cloud/ibm-cloud.ts';
import { FakeSender } from '../../../../conformance/support/fake-sender.ts';
import { registerSecret } from '../../../../support/secrecy.ts';
import { aToolbox } from '../../../../support/toolbox.ts';
import { VirtualClock } from '../../../../support/virtual-clock.ts';

const API_KEY = 'operators-own-api-key-at-ibm-cloud';
registerSecret(API_KEY);

/** An account at the fake of IBM Cloud, without sockets and on a virtual clock. */
export class IbmCloudStage {
  readonly clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  readonly state = new IamState('0123456789abcdef0123456789abcdef');
  readonly fake = new IbmCloud({
    clock: this.clock,
    state: this.state,
    region: 'us-south',
    host: 'us.icr.io',
  });
  readonly sender = new FakeSender(new Map([['https://iam.cloud.ibm.com', this.fake]]), this.clock);

  constructor() {
    this.fake.addAdministrator(API_KEY);
  }

  connect(block: IbmCloudBlock = {}): Connection {
    return IBM_CLOUD.connect(
      { name: 'default', block, credentials: { apiKey: new Redacted(API_KEY) } },
      aToolbox({ clock: this.clock, sender: this.sender }),
    );
  }

  /** The registry as a process that just connected has it. */
  registry(block: IbmCloudBlock = {}): Registry {
    const place = IBM_CLOUD.places(block, []).resolve(undefined);
    if (!place) throw new Error('IBM Cloud has a default region');
    return this.connect(block).registry(place);
  }
}
