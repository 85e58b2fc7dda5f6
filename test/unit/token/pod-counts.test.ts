import { expect } from 'chai';
import { countPods, withPods } from '../../../src/token/workloads/pod-counts.ts';
import { needsOf } from '../../../src/token/workloads/secret-use.ts';
import { HOST } from '../../support/builders.ts';
import { aPod } from '../../support/pods.ts';

describe('the pods that depend on a Secret', () => {
  it('are those that use it, and among them those that wait for it', () => {
    const running = {
      status: { phase: 'Running', containerStatuses: [{ name: 'main', state: { running: {} } }] },
    };
    const pods = [{}, running, running, { spec: { imagePullSecrets: [{ name: 'other' }] } }];
    const needs = pods.flatMap((part) => needsOf(aPod(part)) ?? []);
    const secret = { name: 'app', hosts: [HOST], exists: true };
    expect(countPods(needs, secret)).to.deep.equal({ using: 3, waiting: 1 });
    expect(countPods([], secret)).to.deep.equal({ using: 0, waiting: 0 });
  });

  const counted = { using: 1, waiting: 0 };
  const fresh = { using: 2, waiting: 1 };
  for (const [what, before, counts, after] of [
    ['are in the status', { host: HOST }, fresh, { host: HOST, pods: fresh }],
    ['replace those that the status had', { pods: counted }, fresh, { pods: fresh }],
    ['stay in the status while pods are not known', { pods: counted }, undefined, { pods: counted }],
    ['are not in the status before pods are known', {}, undefined, {}],
    ['go from the status where pods are not counted any more', { pods: counted }, 'off', {}],
  ] as const)
    it(what, () => {
      expect(withPods(before, counts)).to.deep.equal(after);
    });
});
