import { expect } from 'chai';
import { MAX_SCOPE } from '../../../../src/api/registry-token.ts';
import { MAX_REQUESTS } from '../../../../src/registry/port.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { IbmCloudStage } from './support/ibm-cloud-stage.ts';

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
      const stage = new IbmCloudStage();
      const { clock, sender } = stage;
      const registry = stage.registry();
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

describe('a list of what IBM Cloud has of the operator', () => {
  it('takes one request for each hundred of service IDs, and of API keys', async () => {
    const stage = new IbmCloudStage();
    const { clock, sender, state } = stage;
    const registry = stage.registry();
    await registry.issue(aRequest(), signal);
    await clock.advance(600_000);
    for (const rows of [state.serviceIds, state.keys] as Map<string, { id: string }>[]) {
      const [last = expect.fail('nothing was issued')] = [...rows.values()].slice(-1);
      for (let at = 1; at < 100; at++) rows.set(`${last.id}-${at}`, { ...last, id: `${last.id}-${at}` });
    }
    sender.restart();
    expect(await registry.list?.([], ({ id }) => id, signal)).to.have.length(200);
    const lists = sender.sent.filter((each) => !each.endsWith('_groups'));
    expect(lists).to.deep.equal(['GET /v1/serviceids', 'GET /v1/apikeys']);
  });
});
