import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import type { Pod } from '../../../sandbox/workloads/objects.ts';
import { logOf, restartDelay, runPod, type PodState } from '../../../sandbox/workloads/pod-process.ts';

function aPod(name: string, namespace = 'system'): Pod {
  const uid = '00000000-0000-4000-8000-000000000000';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, uid, resourceVersion: '1', creationTimestamp: '' },
    spec: { containers: [] },
  };
}

/** The first that is told of a pod's process. */
async function firstState(args: string[], folder: string): Promise<PodState> {
  const stop = new AbortController();
  const options = { pod: aPod('operator'), container: { args, env: {} }, kubeconfig: '/none', folder };
  const { promise, resolve } = Promise.withResolvers<PodState>();
  const running = runPod({ ...options, tell: () => {}, onState: resolve }, stop.signal);
  const state = await promise;
  stop.abort();
  await running;
  return state;
}

describe('the process that the sandbox runs for a pod', () => {
  it('is told to wait, and why, where no process can have the arguments', async () => {
    const folder = `${await mkdtemp(join(tmpdir(), 'sandbox-'))}/`;
    const { waiting, ...state } = await firstState(['--a=\0'], folder);
    await rm(folder, { recursive: true });
    expect(state).to.deep.equal({ ready: false, restarts: 0 });
    expect(waiting).to.match(/^it can't be started: .*null bytes/);
  });

  it('is told to wait, and why, where its log can not be written', async () => {
    const { waiting } = await firstState([], '/dev/null/');
    expect(waiting).to.match(/^it can't be started: E\w+/);
  });

  it('stays away longer after each end, up to a minute', () => {
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) delays.push(restartDelay(delays.at(-1), 599_999));
    expect(delays).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('stays away as after the first end once it ran for ten minutes', () => {
    expect(restartDelay(60_000, 600_000)).to.equal(1_000);
  });

  it('logs to a file of its own, whose name is short enough whatever the pod is called', () => {
    const [long, another] = [aPod('a'.repeat(253), 'n'.repeat(63)), aPod('operator', 'team')];
    expect(basename(logOf(long)).length).to.be.below(256);
    expect(logOf(another)).to.equal('pods/team_operator_00000000-0000-4000-8000-000000000000.log');
  });
});
