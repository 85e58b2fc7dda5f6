import type { Condition } from '../../src/api/conditions.ts';
import type { LabelSelector } from '../../src/api/syntax/label-selector.ts';
import type { KubeObject, Resource } from '../../src/common/objects.ts';

const apps = (plural: string, kind: string): Resource => ({
  group: 'apps',
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});
export const DEPLOYMENTS = apps('deployments', 'Deployment');
export const REPLICA_SETS = apps('replicasets', 'ReplicaSet');

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string }; [other: string]: unknown };
}

/** A container, as far as it is read here. */
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvironmentVariable[];
  envFrom?: unknown[];
  workingDir?: string;
  volumeMounts?: { mountPath: string }[];
}

export interface PodSpec {
  containers: Container[];
  initContainers?: unknown[];
  restartPolicy?: string;
  serviceAccountName?: string;
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: PodSpec;
}

export interface PodStatus {
  phase?: string;
  conditions?: Partial<Condition>[];
}

export interface Pod extends KubeObject {
  spec: PodSpec;
  status?: PodStatus;
}

interface ScaledSpec {
  replicas: number;
  selector: LabelSelector;
  template: PodTemplate;
}

/** What both say of their pods; counts of zero are left out. */
export interface ReplicaCounts {
  observedGeneration?: number;
  replicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
}

export interface ReplicaSet extends KubeObject {
  spec: ScaledSpec;
  status?: ReplicaCounts & { fullyLabeledReplicas?: number };
}

export interface DeploymentCondition extends Condition {
  lastUpdateTime: string;
}

export interface DeploymentStatus extends ReplicaCounts {
  updatedReplicas?: number;
  unavailableReplicas?: number;
  conditions?: DeploymentCondition[];
}

export interface Deployment extends KubeObject {
  spec: ScaledSpec;
  status?: DeploymentStatus;
}
