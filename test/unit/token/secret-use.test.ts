import { expect } from 'chai';
import type { Pod } from '../../../src/token/workloads/pods.ts';
import {
  needsOf,
  usesSecret,
  waitsForSecret,
  type PullSecretHosts,
} from '../../../src/token/workloads/secret-use.ts';
import { HOST, ISSUED, type Part } from '../../support/builders.ts';
import { aPod, pulling } from '../../support/pods.ts';

const THERE: PullSecretHosts = { name: 'app', hosts: [HOST], exists: true };
const NOT_YET: PullSecretHosts = { name: 'app', hosts: undefined, exists: false };

const runs = { name: 'main', state: { running: {} } };
const running: Part<Pod> = { status: { phase: 'Running', containerStatuses: [runs] } };
const creating: Part<Pod> = { status: { containerStatuses: [pulling('ContainerCreating')] } };
const elsewhere = [{ name: 'main', image: 'elsewhere.example/app' }];
const ownImage = `${HOST}/team/tool:1`;
const mounting: Part<Pod> = {
  spec: {
    nodeName: 'node-1',
    imagePullSecrets: [],
    containers: elsewhere,
    volumes: [{ name: 'docker', secret: { secretName: 'app' } }],
  },
};

const has = (part: Part<Pod>, secret: PullSecretHosts): { uses: boolean; waits: boolean } => {
  const needs = needsOf(aPod(part));
  if (!needs) return { uses: false, waits: false };
  return { uses: usesSecret(needs, secret), waits: waitsForSecret(needs, secret) };
};

describe('a pod and a Secret with registry credentials', () => {
  type Row = [string, { uses: boolean; waits: boolean }, Part<Pod>, PullSecretHosts?];
  const rows: Row[] = [
    ['runs, and names it', { uses: true, waits: false }, running],
    ['is in back-off with an image from its host', { uses: true, waits: true }, {}],
    [
      'has just failed to pull from its host',
      { uses: true, waits: true },
      { status: { containerStatuses: [pulling('ErrImagePull')] } },
    ],
    ['is not scheduled yet', { uses: true, waits: false }, { status: { containerStatuses: [] } }],
    ['names another', { uses: false, waits: false }, { spec: { imagePullSecrets: [{ name: 'other' }] } }],
    [
      'names it among others',
      { uses: true, waits: true },
      { spec: { imagePullSecrets: [{ name: 'other' }, { name: 'app' }, { name: 'app' }] } },
    ],
    [
      'has no pull secrets, though its ServiceAccount may have got it since',
      { uses: false, waits: false },
      { spec: { serviceAccountName: 'builder', imagePullSecrets: [] } },
    ],
    [
      'has an entry without a name',
      { uses: false, waits: false },
      { spec: { imagePullSecrets: [{}, { name: '' }] } },
    ],
    ['has no image from its hosts', { uses: false, waits: false }, { spec: { containers: elsewhere } }],
    [
      'fails to pull from another registry alone',
      { uses: true, waits: false },
      {
        spec: { containers: [...elsewhere, { name: 'side', image: ownImage }] },
        status: { containerStatuses: [pulling('ImagePullBackOff'), { ...runs, name: 'side' }] },
      },
    ],
    [
      'fails to pull from a host that a pattern stands for',
      { uses: true, waits: true },
      { spec: { containers: [{ name: 'main', image: 'de.icr.io/team/app' }] } },
      { ...THERE, hosts: ['*.icr.io'] },
    ],
    [
      'fails to pull in an init container',
      { uses: true, waits: true },
      {
        spec: { containers: elsewhere, initContainers: [{ name: 'init', image: ownImage }] },
        status: {
          initContainerStatuses: [pulling('ImagePullBackOff', 'init')],
          containerStatuses: [pulling('PodInitializing')],
        },
      },
    ],
    [
      'runs, and fails to pull in a container for debugging',
      { uses: true, waits: true },
      {
        spec: { containers: elsewhere, ephemeralContainers: [{ name: 'debug', image: ownImage }] },
        status: {
          phase: 'Running',
          containerStatuses: [runs],
          ephemeralContainerStatuses: [pulling('ErrImagePull', 'debug')],
        },
      },
    ],
    [
      'fails to pull an image that it mounts',
      { uses: true, waits: true },
      { spec: { containers: elsewhere, volumes: [{ name: 'data', image: { reference: ownImage } }] } },
    ],
    [
      'waits for something else than an image',
      { uses: true, waits: false },
      { status: { containerStatuses: [pulling('CrashLoopBackOff')] } },
    ],
    ['has succeeded', { uses: false, waits: false }, { status: { phase: 'Succeeded' } }],
    ['has failed', { uses: false, waits: false }, { status: { phase: 'Failed' } }],
    [
      'is being deleted',
      { uses: false, waits: false },
      { metadata: { deletionTimestamp: new Date(ISSUED).toISOString() } },
    ],
    ['fails to pull while the Secret has no host yet', { uses: true, waits: true }, {}, NOT_YET],
    ['is being created while the Secret is not there', { uses: true, waits: false }, creating, NOT_YET],
    ['mounts it', { uses: true, waits: false }, { ...mounting, ...running }],
    [
      'mounts it beside other things',
      { uses: true, waits: false },
      {
        ...running,
        spec: {
          ...mounting.spec,
          volumes: [{ name: 'docker', projected: { sources: [{}, { secret: { name: 'app' } }] } }],
        },
      },
    ],
    ['is being created, and mounts it', { uses: true, waits: false }, { ...mounting, ...creating }],
    [
      'mounts it while it is not there',
      { uses: true, waits: true },
      { ...mounting, ...creating },
      { ...THERE, exists: false },
    ],
    [
      'runs on, and mounts it while it is not there any more',
      { uses: true, waits: false },
      { ...mounting, ...running },
      { ...THERE, exists: false },
    ],
    [
      'is not scheduled yet, and mounts it while it is not there',
      { uses: true, waits: false },
      {
        ...creating,
        spec: { imagePullSecrets: [], containers: elsewhere, volumes: mounting.spec!.volumes! },
      },
      { ...THERE, exists: false },
    ],
    [
      'has a key of it in its environment',
      { uses: true, waits: false },
      {
        ...running,
        spec: {
          imagePullSecrets: [],
          containers: [{ name: 'main', env: [{}, { valueFrom: { secretKeyRef: { name: 'app' } } }] }],
        },
      },
    ],
    [
      'has all of it in its environment',
      { uses: true, waits: false },
      {
        ...running,
        spec: {
          imagePullSecrets: [],
          containers: [{ name: 'main', envFrom: [{ secretRef: { name: 'app' } }] }],
        },
      },
    ],
  ];
  for (const [what, expected, pod, secret = THERE] of rows) {
    const is = expected.uses ? `uses it${expected.waits ? ' and waits for it' : ''}` : 'does not use it';
    it(`one that ${what}: ${is}`, () => {
      expect(has(pod, secret)).to.deep.equal(expected);
    });
  }
});
