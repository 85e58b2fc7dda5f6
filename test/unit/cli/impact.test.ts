import { expect } from 'chai';
import { Impact, type DependentWorkload } from '../../../src/cli/impact/impact.ts';
import { workloadOf } from '../../../src/cli/impact/owner.ts';
import type { ObjectMeta } from '../../../src/common/objects.ts';
import type { Pod, PodSpec } from '../../../src/token/workloads/pods.ts';
import type { ServiceAccount } from '../../../src/token/workloads/service-accounts.ts';
import { CliStage, forbidden, listOf } from './support/cli-stage.ts';

const IMAGE = 'us.icr.io/team/web:1';

function metaOf(name: string, part: Partial<ObjectMeta> = {}): ObjectMeta {
  return { name, namespace: 'team-a', uid: name, resourceVersion: '1', creationTimestamp: '', ...part };
}
const owned = (kind: string, name: string, labels: Record<string, string> = {}): Partial<ObjectMeta> => ({
  labels,
  ownerReferences: [{ apiVersion: 'v1', kind, name, uid: name, controller: true }],
});
function podOf(
  meta: ObjectMeta,
  spec: Partial<PodSpec> = {},
  status: Pod['status'] = { phase: 'Running' },
): Pod {
  const containers = [{ name: 'app', image: IMAGE, imagePullPolicy: 'IfNotPresent' }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta,
    spec: { containers, imagePullSecrets: [{ name: 'app-pull' }], ...spec },
    status,
  };
}
const account = (name: string, ...secrets: string[]): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: metaOf(name),
  imagePullSecrets: secrets.map((each) => ({ name: each })),
});

function impactOf(pods: Pod[], accounts: ServiceAccount[] = []): DependentWorkload[] {
  const impact = new Impact({ name: 'app-pull', hosts: ['us.icr.io'], exists: true }, accounts);
  for (const pod of pods) impact.add(pod);
  return impact.workloads;
}

describe('the workload of a pod', () => {
  const rows: [title: string, meta: ObjectMeta, workload: string][] = [
    [
      'a Deployment',
      metaOf('web-5d8f-x', owned('ReplicaSet', 'web-5d8f', { 'pod-template-hash': '5d8f' })),
      'Deployment/web',
    ],
    ['a ReplicaSet of its own', metaOf('web-x', owned('ReplicaSet', 'web')), 'ReplicaSet/web'],
    [
      'a ReplicaSet whose pods bear another hash',
      metaOf('w', owned('ReplicaSet', 'web', { 'pod-template-hash': 'x' })),
      'ReplicaSet/web',
    ],
    ['a CronJob', metaOf('clean-28958400-x', owned('Job', 'clean-28958400')), 'CronJob/clean'],
    ['a Job', metaOf('import-2024-x', owned('Job', 'import-2024')), 'Job/import-2024'],
    ['a StatefulSet', metaOf('db-0', owned('StatefulSet', 'db')), 'StatefulSet/db'],
    ['nothing', metaOf('alone', { labels: { 'pod-template-hash': '' } }), 'Pod/alone'],
  ];
  for (const [title, meta, workload] of rows)
    it(`is told for one of ${title}`, () => {
      const { kind, name } = workloadOf(meta);
      expect(`${kind}/${name}`).to.equal(workload);
    });
});

describe('the impact of a RegistryToken', () => {
  it('is on workloads, with the pods and images of each', () => {
    const web = owned('StatefulSet', 'web');
    const spec = {
      containers: [
        { name: 'app', image: IMAGE, imagePullPolicy: 'Always' },
        { name: 'side', image: 'quay.io/x/y' },
      ],
    };
    expect(
      impactOf([
        podOf(metaOf('web-0', web), spec),
        podOf(metaOf('web-1', web), spec),
        podOf(metaOf('alone')),
      ]),
    ).to.deep.equal([
      {
        kind: 'Pod',
        name: 'alone',
        pods: 1,
        waiting: 0,
        via: ['imagePullSecrets'],
        images: [IMAGE],
        otherSecrets: [],
        whenRotated: ['NextPull'],
        whenRevoked: ['NeedsImageOnNode'],
      },
      {
        kind: 'StatefulSet',
        name: 'web',
        pods: 2,
        waiting: 0,
        via: ['imagePullSecrets'],
        images: [IMAGE],
        otherSecrets: [],
        whenRotated: ['NextPull'],
        whenRevoked: ['PullsFail'],
      },
    ]);
  });

  it('is not on pods that have ended, name another Secret, or pull from other registries', () => {
    expect(
      impactOf([
        podOf(metaOf('a'), {}, { phase: 'Succeeded' }),
        podOf(metaOf('b'), { imagePullSecrets: [{ name: 'other' }] }),
        podOf(metaOf('c'), { containers: [{ name: 'app', image: 'nginx' }] }),
        podOf(metaOf('d', { deletionTimestamp: '2026-01-01T00:00:00Z' })),
      ]),
    ).to.deep.equal([]);
  });

  it('comes through a ServiceAccount where the pod has its list, and tells the other Secrets of it', () => {
    const spec = { serviceAccountName: 'builder', imagePullSecrets: [{ name: 'app-pull' }, { name: 'hub' }] };
    const [given] = impactOf([podOf(metaOf('a'), spec)], [account('builder', 'app-pull', 'hub')]);
    expect(given).to.deep.include({ via: ['ServiceAccount builder'], otherSecrets: ['hub'] });
    const [own] = impactOf([podOf(metaOf('a'), spec)], [account('builder', 'app-pull')]);
    expect(own?.via).to.deep.equal(['imagePullSecrets']);
  });

  it('counts pods that wait for it', () => {
    const containerStatuses = [{ name: 'app', state: { waiting: { reason: 'ImagePullBackOff' } } }];
    const [waiting] = impactOf([podOf(metaOf('a'), {}, { phase: 'Pending', containerStatuses })]);
    expect(waiting).to.include({ pods: 1, waiting: 1 });
  });

  it('is other for files and for an environment than for pulls', () => {
    const imagePullSecrets = undefined as unknown as [];
    const volumes = [{ name: 'v', secret: { secretName: 'app-pull' } }];
    const containers = [{ name: 'app', image: 'nginx', envFrom: [{ secretRef: { name: 'app-pull' } }] }];
    const [files, environment] = impactOf([
      podOf(metaOf('a'), { imagePullSecrets, volumes }),
      podOf(metaOf('b'), { imagePullSecrets, containers }),
    ]);
    expect(files).to.deep.include({
      via: ['volume'],
      images: [],
      whenRotated: ['FilesFollow'],
      whenRevoked: ['LosesAccess'],
    });
    expect(environment).to.deep.include({
      via: ['environment'],
      whenRotated: ['RecreatePods'],
      whenRevoked: ['LosesAccess'],
    });
  });

  it('is nothing when revoked for images that are never pulled', () => {
    const containers = [{ name: 'app', image: IMAGE, imagePullPolicy: 'Never' }];
    expect(impactOf([podOf(metaOf('a'), { containers })])[0]?.whenRevoked).to.deep.equal(['GoesOn']);
  });

  it('is told of a thousand workloads, and of some images of each', () => {
    const impact = new Impact({ name: 'app-pull', hosts: undefined, exists: true }, []);
    for (let at = 0; at < 1_002; at++) impact.add(podOf(metaOf(`pod-${at}`)));
    const containers = Array.from({ length: 100 }, (_, at) => ({
      name: `c${at}`,
      image: `us.icr.io/${'x'.repeat(5_000)}${at}`,
    }));
    impact.add(podOf(metaOf('pod-1'), { containers }));
    expect(impact.workloads).to.have.length(1_000);
    expect(impact.morePods).to.equal(2);
    const largest = impact.workloads.find(({ name }) => name === 'pod-1');
    expect(largest).to.include({ pods: 2 });
    expect(JSON.stringify(largest).length).to.be.below(20_000);
  });
});

describe('kubectl registrytoken impact', () => {
  const BASE = '/api/v1/namespaces/team-a';
  const token = {
    metadata: metaOf('app-pull'),
    spec: { secret: { extraHosts: ['icr.io'] } },
    status: { host: 'us.icr.io', secretRef: { name: 'app-pull' }, token: {} },
  };
  const answers = {
    'GET /apis/pullsecrets.dev/v1alpha1/namespaces/team-a/registrytokens/app-pull': token,
    [`GET ${BASE}/serviceaccounts`]: listOf(account('default', 'app-pull'), account('other')),
    [`GET ${BASE}/pods`]: listOf(
      podOf(metaOf('web-5d8f-x', owned('ReplicaSet', 'web-5d8f', { 'pod-template-hash': '5d8f' }))),
      podOf(metaOf('evil'), { containers: [{ name: 'a', image: 'us.icr.io/\u001b[31m\u009bx' }] }),
    ),
  };

  it('lists workloads with what becomes of them, and explains its words', async () => {
    const { exit, out, err } = await new CliStage(answers).run(['impact', 'app-pull']);
    expect({ exit, err }).to.deep.equal({ exit: 0, err: '' });
    expect(out.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      'Secret app-pull: credentials for us.icr.io, icr.io',
      'ServiceAccounts that give it to pods: default',
      '2 pods depend on it for 2 images, and 0 of them wait for it',
      '',
      'WORKLOAD | PODS | WAITING | VIA | WHEN ROTATED | WHEN REVOKED | IMAGES',
      'Deployment/web | 1 | 0 | ServiceAccount default | NextPull | NeedsImageOnNode | us.icr.io/team/web:1',
      'Pod/evil | 1 | 0 | ServiceAccount default | NextPull | NeedsImageOnNode | us.icr.io/ [31m x',
      '',
      'NextPull: its next pull takes the new token.',
      'NeedsImageOnNode: new containers start only on nodes that have the image.',
      '',
    ]);
  });

  it('says the same as JSON', async () => {
    const { out } = await new CliStage(answers).run(['impact', 'app-pull', '-o', 'json']);
    expect(JSON.parse(out)).to.deep.include({
      kind: 'ImpactReport',
      hosts: ['us.icr.io', 'icr.io'],
      serviceAccounts: ['default'],
      summary: { pods: 2, waiting: 0, images: 2 },
    });
  });

  it('leaves out ServiceAccounts that may not be listed, and fails where pods may not', async () => {
    const denied = forbidden('list', `${BASE}/x`, 'serviceaccounts', 'team-a');
    const { exit, err } = await new CliStage({ ...answers, [`GET ${BASE}/serviceaccounts`]: denied }).run([
      'impact',
      'app-pull',
    ]);
    expect({ exit, err }).to.deep.equal({
      exit: 0,
      err: 'you may not list serviceaccounts in namespace team-a: ServiceAccounts are left out\n',
    });
    const pods = forbidden('list', `${BASE}/pods`, 'pods', 'team-a');
    const failed = await new CliStage({ ...answers, [`GET ${BASE}/pods`]: pods }).run(['impact', 'app-pull']);
    expect(failed.exit).to.equal(1);
    expect(failed.err).to.match(/^error: you may not list pods in namespace team-a/);
  });

  it('says so where nothing depends on it yet', async () => {
    const { exit, out } = await new CliStage({
      ...answers,
      'GET /apis/pullsecrets.dev/v1alpha1/namespaces/team-a/registrytokens/app-pull': {
        metadata: metaOf('app-pull'),
        spec: {},
      },
      [`GET ${BASE}/serviceaccounts`]: listOf(),
      [`GET ${BASE}/pods`]: listOf(),
    }).run(['impact', 'app-pull']);
    expect(exit).to.equal(0);
    expect(out).to.equal(
      'Secret app-pull: there is no token in it yet\nServiceAccounts that give it to pods: none\n0 pods depend on it for 0 images, and 0 of them wait for it\n',
    );
  });
});
