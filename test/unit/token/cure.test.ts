import { expect } from 'chai';
import { isCurable, type Cure, type Linking } from '../../../src/token/workloads/cure.ts';
import type { ContainerStatus, Pod } from '../../../src/token/workloads/pods.ts';
import { at, HOST, ISSUED, SECOND, type Part } from '../../support/builders.ts';
import { aPod, pulling } from '../../support/pods.ts';

const aCure = (part: Partial<Cure> = {}): Cure => ({
  secret: 'app',
  hosts: [HOST],
  goodSince: ISSUED,
  linkingsOf: () => [],
  ...part,
});

/** The ServiceAccount builder got the Secret when that became good. @param record Secrets of RegistryTokens among its names */
const linked = (names: string[], record: Record<string, string> = {}): Partial<Cure> => {
  const before = { entries: names.map((name) => ({ name })), record };
  const linking: Linking = { before, at: ISSUED };
  return { linkingsOf: (name) => (name === 'builder' ? [linking] : []) };
};
const admittedWith = (...names: string[]): Part<Pod> => ({
  spec: { serviceAccountName: 'builder', imagePullSecrets: names.map((name) => ({ name })) },
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
    ['has what its ServiceAccount had before the Secret', admittedWith('others'), linked(['others'])],
    ['has no pull secret, as its ServiceAccount had none', admittedWith(), linked([])],
    [
      'has none, as its ServiceAccount had before another RegistryToken gave it one',
      admittedWith(),
      linked(['another'], { 2: 'another' }),
    ],
    [
      'lacks one of two that came before, and has what was not theirs',
      admittedWith('others', 'second'),
      linked(['others', 'first', 'second'], { 2: 'first', 3: 'second' }),
    ],
    ['has the Secret of the former name', admittedWith('former'), linked(['former'], { 1: 'former' })],
    [
      'has what its ServiceAccount had, while the Secret was good all the time',
      admittedWith(),
      { ...linked([]), goodSince: undefined },
    ],
    [
      'is of the ServiceAccount default, and does not say so',
      { spec: { imagePullSecrets: [] } },
      {
        linkingsOf: (name) =>
          name === 'default' ? [{ before: { entries: [], record: {} }, at: ISSUED }] : [],
      },
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
    ['names a Secret that was good all the time', {}, { goodSince: undefined }],
    [
      'names a Secret that was good all the time, which its ServiceAccount has just got',
      admittedWith('app'),
      { ...linked([]), goodSince: undefined },
    ],
    ['has pull secrets of its own', admittedWith('own'), linked(['others'])],
    ['has more than its ServiceAccount had', admittedWith('others', 'own'), linked(['others'])],
    ['lacks what its ServiceAccount has of its own', admittedWith(), linked(['others'])],
    ['has them in another order', admittedWith('b', 'a'), linked(['a', 'b'])],
    [
      'came after its ServiceAccount got the Secret, which somebody has taken out again',
      { ...admittedWith(), metadata: { creationTimestamp: at(SECOND) } },
      linked([]),
    ],
    ['is of another ServiceAccount', { spec: { imagePullSecrets: [] } }, linked([])],
  ];
  for (const [what, pod, cure] of spared)
    it(`${what}: is left alone`, () => {
      expect(isCurable(aPod(pod), aCure(cure))).to.equal(false);
    });
});
