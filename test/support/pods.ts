import { merge } from 'ts-deepmerge';
import type { ContainerStatus, Pod } from '../../src/token/workloads/pods.ts';
import { at, HOST, MINUTE, type Part } from './builders.ts';

/** A container that waits, and why. */
export const pulling = (reason: string, name = 'main'): ContainerStatus => ({
  name,
  state: { waiting: { reason } },
});

/** A pod that failed to pull a minute before `ISSUED`, and has everything else right. */
export function aPod(part: Part<Pod> = {}): Pod {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'app-1',
      namespace: 'team',
      uid: 'pod-uid',
      resourceVersion: '1',
      creationTimestamp: at(-MINUTE),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app', uid: 'rs', controller: true },
      ],
    },
    spec: {
      imagePullSecrets: [{ name: 'app' }],
      containers: [{ name: 'main', image: `${HOST}/team/app:1` }],
    },
    status: { phase: 'Pending', containerStatuses: [pulling('ImagePullBackOff')] },
  };
  return merge.withOptions({ mergeArrays: false }, pod, part) as Pod;
}
