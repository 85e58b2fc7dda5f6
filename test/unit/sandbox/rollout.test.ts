import { expect } from 'chai';
import type { KubeObject } from '../../../src/common/objects.ts';
import type { Manifest } from '../../../src/kube/client/manifest.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../sandbox/workloads/objects.ts';
import { rolloutOf, withReplicaFailure, type Rollout } from '../../../sandbox/workloads/rollout.ts';

const NOW = '2026-01-01T00:00:00Z';
const IMAGE = 'registry.test/registry-token-operator:1';

function aDeployment({ replicas = 2, image = IMAGE, args = ['--a'] } = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace: 'system',
      name: 'operator',
      uid: 'deployment',
      generation: 3,
      resourceVersion: '1',
      creationTimestamp: NOW,
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'operator' } },
      template: {
        metadata: { labels: { app: 'operator' }, annotations: { note: 'x' } },
        spec: { containers: [{ name: 'operator', image, args }] },
      },
    },
  };
}

/** What there is once the API server has taken these. */
const stored = (manifest: Manifest): unknown => ({
  ...manifest,
  metadata: { uid: manifest.metadata.name, ...manifest.metadata },
});
const ready = (pod: Pod): Pod => ({ ...pod, status: { conditions: [{ type: 'Ready', status: 'True' }] } });

interface World {
  replicaSets: ReplicaSet[];
  pods: Pod[];
}

/** What there is after what a rollout creates. */
function after(world: World, { create }: Rollout): World {
  return {
    replicaSets: [...world.replicaSets, ...create.replicaSets.map((each) => stored(each) as ReplicaSet)],
    pods: [...world.pods, ...create.pods.map((each) => stored(each) as Pod)],
  };
}

const EMPTY: World = { replicaSets: [], pods: [] };
const names = (objects: readonly { metadata: { name: string } }[]): string[] =>
  objects.map(({ metadata }) => metadata.name);

/** Goes on until nothing more is created. */
function grown(deployment: Deployment, world = EMPTY): World {
  const rollout = rolloutOf(deployment, world, NOW);
  const { replicaSets, pods } = rollout.create;
  return replicaSets.length + pods.length === 0 ? world : grown(deployment, after(world, rollout));
}

describe('the rollout of a Deployment in the sandbox', () => {
  it('makes a ReplicaSet of its template, then as many pods, each owned by the one before', () => {
    const first = rolloutOf(aDeployment(), EMPTY, NOW).create;
    expect(first.pods).to.deep.equal([]);
    const [replicaSet] = first.replicaSets;
    expect(replicaSet?.metadata).to.deep.include({ namespace: 'system' });
    expect(replicaSet?.metadata.ownerReferences?.[0]).to.deep.include({
      uid: 'deployment',
      controller: true,
    });

    const { replicaSets, pods } = grown(aDeployment());
    expect(replicaSets).to.have.length(1);
    expect(names(pods)).to.deep.equal([0, 1].map((index) => `${replicaSets[0]!.metadata.name}-${index}`));
    for (const { metadata, spec } of pods) {
      expect(metadata.ownerReferences?.[0]).to.include({
        kind: 'ReplicaSet',
        uid: replicaSets[0]!.metadata.uid,
      });
      expect(metadata.annotations).to.deep.equal({ note: 'x' });
      expect(spec.containers[0]?.args).to.deep.equal(['--a']);
    }
  });

  it('has pods and ReplicaSet select each other by the hash of the template', () => {
    const { replicaSets, pods } = grown(aDeployment());
    const labels = pods[0]!.metadata.labels;
    expect(labels).to.have.keys('app', 'pod-template-hash');
    expect(replicaSets[0]!.spec.selector.matchLabels).to.deep.equal(labels);
    expect(replicaSets[0]!.spec.template.metadata?.labels).to.deep.equal(labels);
  });

  it('replaces a pod that is gone', () => {
    const world = grown(aDeployment());
    const [gone, left] = world.pods as [Pod, Pod];
    const { create } = rolloutOf(aDeployment(), { ...world, pods: [left] }, NOW);
    expect(names(create.pods)).to.deep.equal([gone.metadata.name]);
  });

  it('removes pods and scales the ReplicaSet when fewer are wanted', () => {
    const world = grown(aDeployment());
    const { remove, scale, create } = rolloutOf(aDeployment({ replicas: 1 }), world, NOW);
    expect(names(remove.pods)).to.deep.equal([world.pods[1]!.metadata.name]);
    expect(scale).to.deep.equal(world.replicaSets);
    expect(create.pods).to.deep.equal([]);
  });

  it('keeps the pods of an earlier template until all of the present one are ready', () => {
    const before = grown(aDeployment());
    const old = { ...before, pods: before.pods.map(ready) };
    const deployment = aDeployment({ args: ['--b'] });
    const during = grown(deployment, old);
    const waiting = rolloutOf(deployment, during, NOW);
    expect(waiting.remove.replicaSets).to.deep.equal([]);
    expect(waiting.statuses.deployment).to.deep.include({
      replicas: 4,
      updatedReplicas: 2,
      readyReplicas: 2,
    });
    expect(waiting.statuses.deployment.conditions?.map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['Available', 'MinimumReplicasAvailable'],
      ['Progressing', 'ReplicaSetUpdated'],
    ]);

    const done = rolloutOf(deployment, { ...during, pods: during.pods.map(ready) }, NOW);
    expect(done.remove.replicaSets).to.deep.equal(old.replicaSets);
  });

  it('says that all is there when all is ready, for the generation it has seen', () => {
    const world = grown(aDeployment());
    const { statuses } = rolloutOf(aDeployment(), { ...world, pods: world.pods.map(ready) }, NOW);
    expect(statuses.deployment).to.deep.include({
      observedGeneration: 3,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      unavailableReplicas: 0,
    });
    expect(
      statuses.deployment.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    ).to.deep.equal([
      ['Available', 'True', 'MinimumReplicasAvailable'],
      ['Progressing', 'True', 'NewReplicaSetAvailable'],
    ]);
    const [[, counts] = []] = statuses.replicaSets;
    expect(counts).to.include({ replicas: 2, readyReplicas: 2, availableReplicas: 2 });
  });

  it('says why pods of another image never are ready', () => {
    const deployment = aDeployment({ image: 'registry.test/web:1' });
    const { statuses } = rolloutOf(deployment, grown(deployment), NOW);
    const available = statuses.deployment.conditions?.find(({ type }) => type === 'Available');
    expect(available).to.include({ status: 'False', reason: 'MinimumReplicasUnavailable' });
    expect(available?.message).to.match(/does not run pod operator-\w+-0: .*registry\.test\/web:1 is not/);
  });

  it('keeps the time of a condition whose status did not change', () => {
    const deployment = aDeployment();
    const { statuses } = rolloutOf(deployment, grown(deployment), NOW);
    const later = { ...deployment, status: statuses.deployment };
    const { deployment: status } = rolloutOf(later, grown(deployment), '2026-01-01T00:01:00Z').statuses;
    expect(status).to.deep.equal(statuses.deployment);
  });

  it('takes over what an earlier Deployment of its kind has left without an owner', () => {
    const orphan = <T extends KubeObject>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences: [] },
    });
    const left = grown(aDeployment());
    const orphans = { replicaSets: left.replicaSets.map(orphan), pods: left.pods.map(orphan) };
    const { adopt, create } = rolloutOf(aDeployment(), orphans, NOW);
    expect(create).to.deep.equal({ replicaSets: [], pods: [] });
    expect(adopt.replicaSets.map(({ ownerReferences }) => ownerReferences)).to.deep.equal(
      left.replicaSets.map(({ metadata }) => metadata.ownerReferences),
    );
    expect(adopt.pods.map(({ ownerReferences }) => ownerReferences)).to.deep.equal(
      left.pods.map(({ metadata }) => metadata.ownerReferences),
    );
    expect(rolloutOf(aDeployment(), left, NOW).adopt).to.deep.equal({ replicaSets: [], pods: [] });
  });

  it('takes over nothing of another namespace, that it does not select, or that is being deleted', () => {
    const { replicaSets } = grown(aDeployment());
    const left = (metadata: object): ReplicaSet[] =>
      replicaSets.map((each) => ({
        ...each,
        metadata: { ...each.metadata, ownerReferences: [], ...metadata },
      }));
    for (const metadata of [{ namespace: 'other' }, { labels: {} }, { deletionTimestamp: NOW }]) {
      const world = { replicaSets: left(metadata), pods: [] };
      expect(rolloutOf(aDeployment(), world, NOW).adopt.replicaSets).to.deep.equal([]);
    }
  });

  it('says beside its other conditions what the API server refuses', () => {
    const deployment = aDeployment();
    const { deployment: status } = rolloutOf(deployment, EMPTY, NOW).statuses;
    const { conditions } = withReplicaFailure(deployment, status, 'exceeded quota', NOW);
    expect(conditions?.map(({ type }) => type)).to.deep.equal(['Available', 'Progressing', 'ReplicaFailure']);
    expect(conditions?.at(-1)).to.include({
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota',
    });
  });

  it('leaves what others own alone', () => {
    const foreign = grown({ ...aDeployment(), metadata: { ...aDeployment().metadata, uid: 'another' } });
    const { create, remove, statuses } = rolloutOf(aDeployment(), foreign, NOW);
    expect(create.replicaSets).to.have.length(1);
    expect(remove).to.deep.equal({ replicaSets: [], pods: [] });
    expect(statuses.replicaSets).to.deep.equal([]);
  });
});
