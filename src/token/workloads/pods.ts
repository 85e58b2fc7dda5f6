import type { ObjectMeta } from '../../common/objects.ts';
import type { PullSecret } from './service-accounts.ts';

/** What matters here of a pod. */
export interface Pod {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

export interface PodSpec {
  nodeName?: string;
  serviceAccountName?: string;
  /** Admission copies those of the ServiceAccount here when the pod is created, unless the pod has its own; later they never change. */
  imagePullSecrets?: PullSecret[];
  containers: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  volumes?: Volume[];
}

export interface Container {
  name: string;
  image?: string;
  imagePullPolicy?: string;
  env?: { valueFrom?: { secretKeyRef?: { name?: string } } }[];
  envFrom?: { secretRef?: { name?: string } }[];
}

export interface Volume {
  name: string;
  secret?: { secretName?: string };
  projected?: { sources?: { secret?: { name?: string } }[] };
  /** Its content is that of an image. */
  image?: { reference?: string };
}

interface PodStatus {
  phase?: string;
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  ephemeralContainerStatuses?: ContainerStatus[];
}

export interface ContainerStatus {
  name: string;
  state?: { waiting?: { reason?: string }; running?: object; terminated?: { exitCode: number } };
}

/** Why kubelet's image manager does not start a container (pkg/kubelet/images/types.go). */
const PULL_FAILED = ['ErrImagePull', 'ImagePullBackOff'];

/** All containers of a pod, those for debugging included. */
export function containersOf({ initContainers, containers, ephemeralContainers }: PodSpec): Container[] {
  return [...(initContainers ?? []), ...containers, ...(ephemeralContainers ?? [])];
}

/** What kubelet says of the containers of a pod. */
export function statusesOf(status: PodStatus = {}): ContainerStatus[] {
  const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses } = status;
  return [
    ...(initContainerStatuses ?? []),
    ...(containerStatuses ?? []),
    ...(ephemeralContainerStatuses ?? []),
  ];
}

/** Whether a container waits for an image that could not be pulled so far. */
export function couldNotPull({ state }: ContainerStatus): boolean {
  return PULL_FAILED.includes(state?.waiting?.reason ?? '');
}
