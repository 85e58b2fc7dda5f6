import { expect } from 'chai';
import { IamState } from '../../../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud } from '../../../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { MAX_SCOPE } from '../../../../src/api/registry-token.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import { MAX_REQUESTS } from '../../../../src/registry/port.ts';
import { IBM_CLOUD } from '../../../../src/registry/ibm-cloud/ibm-cloud.ts';
import { FakeSender } from '../../../conformance/support/fake-sender.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const API_KEY = 'operators-own-api-key-that-is-counted';
registerSecret(API_KEY);
const { signal } = new AbortController();

// docs/registries/ibm-cloud.md gives these numbers.
describe('an API key of IBM Cloud', () => {
  const cases: [what: string, names: number, requests: number][] = [
    ['of one name', 1, 8],
    ['of all', 0, 8],
    ['of as many names as a scope takes', MAX_SCOPE, MAX_SCOPE + 7],
  ];
  for (const [what, names, requests] of cases)
    it(`${what} takes ${requests} requests at first, of ${MAX_REQUESTS} at the most, and four later`, async () => {
      const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
      const state = new IamState('0123456789abcdef0123456789abcdef');
      const fake = new IbmCloud({ clock, state, region: 'us-south', host: 'us.icr.io' });
      fake.addAdministrator(API_KEY);
      const sender = new FakeSender(new Map([['https://iam.cloud.ibm.com', fake]]), clock);
      const place = IBM_CLOUD.places({}, []).resolve(undefined);
      if (!place) expect.fail('IBM Cloud has a default region');
      const registry = IBM_CLOUD.connect(
        { name: 'default', block: {}, credentials: { apiKey: new Redacted(API_KEY) } },
        aToolbox({ clock, sender }),
      ).registry(place);
      const scope = Array.from({ length: names }, (_, at) => `team-${at}`);
      await registry.issue(aRequest({ scope }), signal);
      expect(sender.sent).to.have.length(requests);
      expect(requests).to.be.at.most(MAX_REQUESTS);
      await clock.advance(600_000);
      sender.restart();
      await registry.issue(aRequest({ scope, revision: 2 }), signal);
      expect(sender.sent).to.have.length(4);
    });
});
