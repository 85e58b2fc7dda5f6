import { carriesWatch, ProxiedWorld } from '../support/proxied-world.ts';
import { minted } from '../support/tested-registry.ts';
import { survive } from '../support/survival.ts';

minted.describe('the network between operator and API server fails for a moment', function () {
  this.timeout(60_000);
  let there: ProxiedWorld;
  before(async () => {
    there = await ProxiedWorld.start();
    there.world.startOperator({}, there.kubeConfig);
  });
  after(() => there?.close());

  it('watches are reset and answers lost: everything ends as asked for, without a mint too many', async () => {
    const strike = ({ api }: ProxiedWorld): void => {
      api.reset(carriesWatch);
      api.add({ kind: 'reset', direction: 'down', times: 4 });
    };
    await survive(there, { strike, lasts: 500, recovery: 40_000 });
  });
});
