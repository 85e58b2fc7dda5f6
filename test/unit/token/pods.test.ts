import { expect } from 'chai';
import * as fc from 'fast-check';
import { imageHost, isCurable, type ContainerStatus, type Cure, type Pod } from '../../../src/token/pods.ts';
import { at, ISSUED, MINUTE, SECOND, type Part } from '../../support/builders.ts';
import { merge } from 'ts-deepmerge';

const HOST = 'us.icr.io';

const pulling = (reason: string, name = 'main'): ContainerStatus => ({
  name,
  state: { waiting: { reason } },
});

/** A pod that failed to pull a minute before its Secret was good, and has everything else right. */
function aPod(part: Part<Pod> = {}): Pod {
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

const aCure = (part: Partial<Cure> = {}): Cure => ({
  secret: 'app',
  hosts: [HOST],
  since: ISSUED,
  serviceAccounts: new Map(),
  ...part,
});

const running: ContainerStatus = { name: 'side', state: { running: {} } };
const sideImage = [
  { name: 'main', image: `${HOST}/team/app:1` },
  { name: 'side', image: 'elsewhere.example/side' },
];

describe('a pod that could not pull before its Secret was good', () => {
  const curable: [string, Part<Pod>, Partial<Cure>?][] = [
    ['waits in back-off', {}],
    ['has just failed', { status: { containerStatuses: [pulling('ErrImagePull')] } }],
    ['was created in the very second the Secret became good', { metadata: { creationTimestamp: at(0) } }],
    [
      'pulls from an extra host',
      { spec: { containers: [{ name: 'main', image: 'x.example:5000/a' }] } },
      { hosts: [HOST, 'x.example:5000'] },
    ],
    [
      'pulls from a host that a pattern stands for',
      { spec: { containers: [{ name: 'main', image: 'de.icr.io/a' }] } },
      { hosts: ['*.icr.io'] },
    ],
    [
      'has a container that runs beside',
      { spec: { containers: sideImage }, status: { containerStatuses: [pulling('ErrImagePull'), running] } },
    ],
    [
      'fails in an init container',
      {
        spec: { initContainers: [{ name: 'init', image: `${HOST}/init` }] },
        status: {
          initContainerStatuses: [pulling('ImagePullBackOff', 'init')],
          containerStatuses: [pulling('PodInitializing')],
        },
      },
    ],
    [
      'fails after an init container that did its work',
      {
        status: {
          initContainerStatuses: [{ name: 'init', state: { terminated: { exitCode: 0 } } }],
          containerStatuses: [pulling('ImagePullBackOff')],
        },
      },
    ],
    [
      'has what its ServiceAccount had before the Secret',
      { spec: { serviceAccountName: 'builder', imagePullSecrets: [{ name: 'others' }] } },
      { serviceAccounts: new Map([['builder', [{ name: 'others' }]]]) },
    ],
    [
      'has no pull secret, as its ServiceAccount had none',
      { spec: { imagePullSecrets: [] } },
      { serviceAccounts: new Map([['default', []]]) },
    ],
  ];
  for (const [what, pod, cure] of curable)
    it(`${what}: another in its place can pull`, () => {
      expect(isCurable(aPod(pod), aCure(cure))).to.equal(true);
    });

  const owner = { apiVersion: 'v1', kind: 'Node', name: 'node', uid: 'n' };
  const spared: [string, Part<Pod>, Partial<Cure>?][] = [
    ['is being deleted', { metadata: { deletionTimestamp: at(0) } }],
    ['came after the Secret was good', { metadata: { creationTimestamp: at(SECOND) } }],
    ['has nobody who replaces it', { metadata: { ownerReferences: [] } }],
    ['is owned, but not controlled', { metadata: { ownerReferences: [{ ...owner, kind: 'ReplicaSet' }] } }],
    ['is static', { metadata: { ownerReferences: [{ ...owner, controller: true }] } }],
    ['runs', { status: { phase: 'Running' } }],
    ['has failed for good', { status: { phase: 'Failed' } }],
    ['has not tried yet', { status: { containerStatuses: [pulling('ContainerCreating')] } }],
    ['is not scheduled', { status: { containerStatuses: [] } }],
    ['does not have the Secret', { spec: { imagePullSecrets: [{ name: 'other' }] } }],
    ['pulls from another host', { spec: { containers: [{ name: 'main', image: 'icr.io/team/app:1' }] } }],
    [
      'pulls from the host at another port',
      { spec: { containers: [{ name: 'main', image: `${HOST}:5000/a` }] } },
    ],
    [
      'pulls from two labels where a pattern stands for one',
      { spec: { containers: [{ name: 'main', image: 'a.b.icr.io/a' }] } },
      { hosts: ['*.icr.io'] },
    ],
    [
      'pulls from Docker Hub',
      { spec: { containers: [{ name: 'main', image: 'team/app' }] } },
      { hosts: ['team'] },
    ],
    [
      'fails at another image too',
      {
        spec: { containers: sideImage },
        status: { containerStatuses: [pulling('ErrImagePull'), pulling('ErrImagePull', 'side')] },
      },
    ],
    ...['CrashLoopBackOff', 'CreateContainerConfigError', 'InvalidImageName', 'ErrImageNeverPull'].map(
      (reason): [string, Part<Pod>] => [
        `has a container in ${reason} too`,
        {
          spec: { containers: sideImage },
          status: { containerStatuses: [pulling('ErrImagePull'), pulling(reason, 'side')] },
        },
      ],
    ),
    [
      'has an init container that failed',
      { status: { initContainerStatuses: [{ name: 'init', state: { terminated: { exitCode: 1 } } }] } },
    ],
    [
      'has pull secrets of its own beside a ServiceAccount with the Secret',
      { spec: { imagePullSecrets: [{ name: 'own' }] } },
      { serviceAccounts: new Map([['default', [{ name: 'others' }]]]) },
    ],
  ];
  for (const [what, pod, cure] of spared)
    it(`${what}: is left alone`, () => {
      expect(isCurable(aPod(pod), aCure(cure))).to.equal(false);
    });
});

describe("the registry in an image's name", () => {
  for (const [image, host] of [
    ['us.icr.io/team/app:1', 'us.icr.io'],
    ['us.icr.io/team/app@sha256:0123', 'us.icr.io'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000'],
    ['registry:5000/app', 'registry:5000'],
    ['localhost/app', 'localhost'],
    ['app', 'docker.io'],
    ['app:1.2', 'docker.io'],
    ['team/app', 'docker.io'],
    ['', 'docker.io'],
  ] as const)
    it(`${image === '' ? 'nothing' : image}: ${host}`, () => {
      expect(imageHost(image)).to.equal(host);
    });

  it('is what stands before the first slash, or Docker Hub', () => {
    fc.assert(
      fc.property(fc.string(), (image) => {
        expect([image.split('/')[0], 'docker.io']).to.include(imageHost(image));
      }),
    );
  });
});
