import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { PodCounter } from '../../../src/controller/pods/pod-counter.ts';
import type { PodCounts } from '../../../src/token/workloads/pod-counts.ts';
import { aToken, at, SECOND } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const NAME = { namespace: 'team', name: 'app' };
const signal = new AbortController().signal;
const counted = (using: number, waiting: number): RegistryToken =>
  aToken({ status: { pods: { using, waiting } } });

class Scene {
  readonly clock = new VirtualClock();
  token: RegistryToken | undefined = aToken();
  counts: PodCounts | undefined = { using: 2, waiting: 1 };
  changed = 0;
  readonly counter = new PodCounter({
    token: () => this.token,
    counts: () => this.counts,
    onChanged: () => void this.changed++,
    clock: this.clock,
  });
}

describe('what a status says of pods', () => {
  for (const [what, token, counts, changes] of [
    ['that is as it should be', counted(2, 1), { using: 2, waiting: 1 }, 0],
    ['that is not there yet', aToken(), { using: 0, waiting: 0 }, 1],
    ['with other pods that use the Secret', counted(3, 1), { using: 2, waiting: 1 }, 1],
    ['with other pods that wait for it', counted(2, 0), { using: 2, waiting: 1 }, 1],
    ['while pods are not known', counted(2, 0), undefined, 0],
    [
      'of a RegistryToken that is deleted',
      aToken({ metadata: { deletionTimestamp: at(0) } }),
      { using: 2, waiting: 1 },
      0,
    ],
    ['of one that is gone', undefined, { using: 2, waiting: 1 }, 0],
  ] as const)
    it(`${what}: ${changes === 0 ? 'nothing is done' : 'its RegistryToken is looked at'}`, async () => {
      const scene = new Scene();
      scene.token = token;
      scene.counts = counts;
      expect(await scene.counter.reconcile(NAME, signal)).to.equal(undefined);
      expect(scene.changed).to.equal(changes);
    });

  it('changes for twenty RegistryTokens a second at most', async () => {
    const scene = new Scene();
    const all = (async () => {
      for (let left = 100; left > 0; left--) await scene.counter.reconcile(NAME, signal);
    })();
    await scene.clock.advance(2 * SECOND);
    expect(scene.changed).to.be.within(40, 62);
    await scene.clock.advance(10 * SECOND);
    await all;
    expect(scene.changed).to.equal(100);
  });
});
