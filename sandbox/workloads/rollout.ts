import { createHash } from 'node:crypto';
import type { Condition } from '../../src/api/conditions.ts';
import { matchesSelector } from '../../src/api/syntax/label-selector.ts';
import type { OwnerReference, KubeObject } from '../../src/common/objects.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { canonical, type JsonObject } from '../apiserver/json.ts';
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  Pod,
  ReplicaSet,
  ReplicaCounts,
} from './objects.ts';
import { readOperatorContainer } from './operator-container.ts';

const HASH = 'pod-template-hash';

export interface Adoption<T extends KubeObject> {
  object: T;
  ownerReferences: OwnerReference[];
}

/** What there is, and what of it is to change. */
export interface Rollout {
  /** Without a controller, and selected: they become owned as if they had been created here, as Kubernetes has it. */
  adopt: { replicaSets: Adoption<ReplicaSet>[]; pods: Adoption<Pod>[] };
  create: { replicaSets: Manifest[]; pods: Manifest[] };
  /** With all that they own. */
  remove: { replicaSets: ReplicaSet[]; pods: Pod[] };
  /** ReplicaSets whose number of pods is to follow the Deployment's. */
  scale: ReplicaSet[];
  statuses: { replicaSets: [ReplicaSet, ReplicaCounts][]; deployment: DeploymentStatus };
}

/**
 * What a Deployment asks for: one ReplicaSet, of its present template, with as many pods as it says. Pods of an earlier template stay
 * until these are ready, whatever the strategy says; no history is kept.
 * @param now RFC 3339
 */
export function rolloutOf(
  deployment: Deployment,
  all: { replicaSets: readonly ReplicaSet[]; pods: readonly Pod[] },
  now: string,
): Rollout {
  const wanted = deployment.spec.replicas;
  const replicaSets = all.replicaSets.filter((each) => belongs(each, deployment));
  const podsOf = (owner: ReplicaSet): Pod[] =>
    all.pods.filter((pod) => belongs(pod, owner) && pod.metadata.deletionTimestamp === undefined);
  const fresh = replicaSetFor(deployment);
  const current = replicaSets.find(({ metadata }) => metadata.name === fresh.metadata.name);
  const others = replicaSets.filter((each) => each !== current);
  const pods = current ? podsOf(current) : [];
  const ready = pods.filter(isReady);
  const complete = current !== undefined && pods.length === wanted && ready.length === wanted;
  const counts = {
    replicas: [...pods, ...others.flatMap(podsOf)].length,
    ready: [...ready, ...others.flatMap(podsOf).filter(isReady)].length,
  };
  return {
    adopt: {
      replicaSets: adoptions(replicaSets, deployment),
      pods: replicaSets.flatMap((each) => adoptions(podsOf(each), each)),
    },
    create: {
      replicaSets: current ? [] : [fresh],
      pods: current ? missingPods(current, pods, wanted) : [],
    },
    remove: { replicaSets: complete ? others : [], pods: pods.slice(wanted) },
    scale: current && current.spec.replicas !== wanted ? [current] : [],
    statuses: {
      replicaSets: replicaSets.map((each) => [each, replicaSetStatus(each, podsOf(each))]),
      deployment: {
        ...countsOf(deployment, counts.replicas, counts.ready),
        updatedReplicas: pods.length,
        unavailableReplicas: Math.max(wanted - counts.ready, 0),
        conditions: [
          condition(deployment, now, 'Available', availability(pods, counts.ready, wanted)),
          condition(deployment, now, 'Progressing', progress(fresh.metadata.name, complete)),
        ],
      },
    },
  };
}

type Owner = Deployment | ReplicaSet;

function controllerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

/** Whether it is the owner's, or becomes that: `kubectl delete --cascade=orphan` leaves what its successor selects. */
function belongs(object: KubeObject, owner: Owner): boolean {
  const { namespace, labels = {}, deletionTimestamp } = object.metadata;
  const controller = controllerOf(object);
  if (controller !== undefined) return controller === owner.metadata.uid;
  const free = deletionTimestamp === undefined && namespace === owner.metadata.namespace;
  return free && matchesSelector(owner.spec.selector, labels);
}

function adoptions<T extends KubeObject>(objects: readonly T[], owner: Owner): Adoption<T>[] {
  return objects
    .filter((object) => controllerOf(object) === undefined)
    .map((object) => ({
      object,
      ownerReferences: [...(object.metadata.ownerReferences ?? []), ...ownedBy(owner)],
    }));
}

export function isReady({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

function ownedBy({ apiVersion, kind, metadata }: KubeObject): OwnerReference[] {
  const { name, uid } = metadata;
  return [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }];
}

/** Named by what its pods are like, so that a template that comes back has the one it had. */
function replicaSetFor(deployment: Deployment): Manifest {
  const { replicas, selector, template } = deployment.spec;
  const { name, namespace } = deployment.metadata;
  const text = canonical(template as unknown as JsonObject);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 10);
  const labels = { ...template.metadata?.labels, [HASH]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels,
      ownerReferences: ownedBy(deployment),
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function missingPods(owner: ReplicaSet, pods: readonly Pod[], wanted: number): Manifest[] {
  const { name, namespace } = owner.metadata;
  const taken = new Set(pods.map(({ metadata }) => metadata.name));
  const names = Array.from({ length: wanted }, (_, index) => `${name}-${index}`);
  const { metadata, spec } = owner.spec.template;
  return names
    .filter((each) => !taken.has(each))
    .slice(0, Math.max(wanted - pods.length, 0))
    .map((each) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...metadata,
        name: each,
        ...(namespace !== undefined && { namespace }),
        ownerReferences: ownedBy(owner),
      },
      spec,
    }));
}

function countsOf({ metadata }: KubeObject, replicas: number, ready: number): ReplicaCounts {
  const { generation = 0 } = metadata;
  return { observedGeneration: generation, replicas, readyReplicas: ready, availableReplicas: ready };
}

function replicaSetStatus(replicaSet: ReplicaSet, pods: readonly Pod[]): ReplicaSet['status'] & object {
  const counts = countsOf(replicaSet, pods.length, pods.filter(isReady).length);
  return { ...counts, fullyLabeledReplicas: pods.length };
}

type Finding = Pick<Condition, 'status' | 'reason' | 'message'>;

function availability(pods: readonly Pod[], ready: number, wanted: number): Finding {
  if (ready >= wanted)
    return {
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    };
  const why = pods.flatMap((pod) => {
    const read = readOperatorContainer(pod);
    return 'refusal' in read ? [`The sandbox does not run pod ${pod.metadata.name}: ${read.refusal}.`] : [];
  });
  return {
    status: 'False',
    reason: 'MinimumReplicasUnavailable',
    message: ['Deployment does not have minimum availability.', ...why.slice(0, 1)].join(' '),
  };
}

function progress(name: string, complete: boolean): Finding {
  const [reason, done] = complete
    ? ['NewReplicaSetAvailable', 'has successfully progressed']
    : ['ReplicaSetUpdated', 'is progressing'];
  return { status: 'True', reason, message: `ReplicaSet "${name}" ${done}.` };
}

/** A status that says besides why what the Deployment asks for can't be had. @param now RFC 3339 */
export function withReplicaFailure(
  deployment: Deployment,
  status: DeploymentStatus,
  message: string,
  now: string,
): DeploymentStatus {
  const finding: Finding = { status: 'True', reason: 'FailedCreate', message };
  const failure = condition(deployment, now, 'ReplicaFailure', finding);
  return { ...status, conditions: [...(status.conditions ?? []), failure] };
}

/** With the time at which its status changed last. */
function condition({ status }: Deployment, now: string, type: string, finding: Finding): DeploymentCondition {
  const before = status?.conditions?.find((each) => each.type === type);
  const since = before?.status === finding.status ? before.lastTransitionTime : now;
  return { type, ...finding, lastTransitionTime: since, lastUpdateTime: since };
}
