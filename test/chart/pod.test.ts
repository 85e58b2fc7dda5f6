import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { whenServed } from '../../sandbox/setup.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { ROTATE_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { LEASES, NAMESPACES, PODS, SECRETS } from '../../src/kube/client/resources.ts';
import { eventually } from '../support/eventually.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { CHART, helms, NAMESPACE, objectsOf, RELEASE, runProgram, type Values } from './support/helm.ts';
import { inventory, since } from './support/inventory.ts';
import { API_KEY, IMAGE, startNodeCluster, type NodeCluster } from './support/node-cluster.ts';
import { pluginInPod } from './support/plugin-in-pod.ts';
import { runTestPod } from './support/test-pod.ts';

const SCRIPT = process.env['CLUSTER_SCRIPT'];
const PROGRAMS = ['containerd', 'ctr', 'runc', 'jq', 'busybox', 'ip'];
const APP = { namespace: 'team', name: 'app' };

/** Before Kubernetes 1.23: docs/install.md. */
const OLD_API_SERVER = ['--server-side=false'];
const BASE: Values = {
  image: IMAGE,
  tolerations: [{ operator: 'Exists' }],
};

interface Pod extends KubeObject {
  status?: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number }[];
  };
}

describe('chart: the operator in pods of a real node', function () {
  this.timeout(300_000);
  let cluster: NodeCluster | undefined;
  let issued = 0;
  let revoked = 0;
  let values: Values;
  let untouched: string[];

  before(async function () {
    const reason = await whyNot();
    if (reason !== undefined) {
      process.stdout.write(`    skipped: ${reason}\n`);
      this.skip();
    }
    cluster = await startNodeCluster(SCRIPT!);
    const { client, service, serviceUrl } = cluster;
    service.on('issued', () => issued++);
    service.on('revoked', () => revoked++);
    for (const name of [NAMESPACE, APP.namespace]) {
      await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    const data = { apikey: Buffer.from(API_KEY).toString('base64') };
    const metadata = { name: 'registry', namespace: NAMESPACE };
    await client.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata, data });
    const region = { name: 'us-south', host: new URL(serviceUrl).host, endpoint: serviceUrl };
    untouched = await everything();
    values = {
      ...BASE,
      accounts: {
        default: {
          ibmRegistryTokens: { iamEndpoint: serviceUrl },
          credentialsSecretRef: { name: 'registry' },
          regions: [region],
        },
      },
      tokens: { [APP.name]: { namespace: APP.namespace, spec: { rotation: { gracePeriod: '0s' } } } },
    };
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  /** Runs helm until what it did is ready. @throws Error with what it said */
  async function helm(args: readonly string[], input?: Values): Promise<void> {
    const from = input === undefined ? [] : [...OLD_API_SERVER, '--values', '-'];
    const { status, stdout, stderr } = await runProgram(
      helms.get(4)!.helm,
      [...args, '--namespace', NAMESPACE, '--wait', '--timeout', '120s', ...from],
      input === undefined ? '' : JSON.stringify(input),
      { KUBECONFIG: cluster!.kubeconfig },
    );
    expect(status, `${stdout}\n${stderr}`).to.equal(0);
  }

  /** What kubectl or helm prints. @throws Error with what it said */
  async function output(program: 'helm' | 'kubectl', args: readonly string[]): Promise<string> {
    const env = { KUBECONFIG: cluster!.kubeconfig };
    const { status, stdout, stderr } = await runProgram(helms.get(4)![program], args, '', env);
    expect(status, stderr).to.equal(0);
    return stdout;
  }

  const everything = (): Promise<string[]> => inventory((args) => output('kubectl', args));
  const upgrade = (input: Values): Promise<void> => helm(['upgrade', RELEASE, CHART], input);
  const token = () => cluster!.client.get<RegistryToken>(REGISTRY_TOKENS, APP);
  const pods = async (): Promise<Pod[]> => cluster!.client.listAll<Pod>(PODS, { namespace: NAMESPACE });

  /** The Secret's uid, and the token in it by the password of its only host. */
  async function secret(): Promise<{ uid: string; password: string }> {
    const { metadata, data } = await cluster!.client.get<KubeObject & { data: Record<string, string> }>(
      SECRETS,
      APP,
    );
    const text = Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString();
    const { auths } = JSON.parse(text) as { auths: Record<string, { password: string }> };
    return { uid: metadata.uid, password: Object.values(auths)[0]!.password };
  }

  async function revisionIs(revision: number): Promise<void> {
    await eventually(`revision ${revision} is in force and Ready`, async () => {
      const { status } = await token();
      return (
        status?.token?.revision === revision && findCondition(status.conditions, 'Ready')?.status === 'True'
      );
    });
  }

  /** Who holds the lease: the name of a pod, an underscore, and what is unique to the process. */
  async function holder(): Promise<string> {
    const name = { namespace: NAMESPACE, name: 'registry-token-operator' };
    const lease = await cluster!.client.get<KubeObject & { spec: { holderIdentity?: string } }>(LEASES, name);
    return lease.spec.holderIdentity ?? '';
  }

  /** Name of the pod that holds the lease. */
  const leader = async (): Promise<string> => (await holder()).split('_')[0]!;
  const restarts = async (): Promise<number[]> =>
    (await pods()).map(({ status }) => status?.containerStatuses?.[0]?.restartCount ?? 0);

  it('starts two replicas, of which one leads', async () => {
    // This cluster serves a group only some time after its first CRD, and helm would not wait for it.
    await output('kubectl', [
      'apply',
      '--server-side',
      '--validate=false',
      '--filename',
      join(CHART, 'crds'),
    ]);
    for (const kind of [REGISTRY_ACCOUNTS, REGISTRY_TOKENS])
      await whenServed(cluster!.client, kind, new AbortController().signal);
    await helm(['install', RELEASE, CHART], values);
    const running = await pods();
    expect(running).to.have.length(2);
    for (const { metadata, status } of running) {
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status, metadata.name).to.equal(
        'True',
      );
    }
    expect(running.map(({ metadata }) => metadata.name)).to.include(await leader());
  });

  it('runs them as nobody in particular, without a capability, under seccomp', async () => {
    const processes = await cluster!.processes();
    expect(processes).to.have.length(2);
    for (const pid of processes) {
      const status = Object.fromEntries(
        (await readFile(`/proc/${pid}/status`, 'utf8')).split('\n').map((line) => line.split(/:\s+/)),
      ) as Record<string, string>;
      expect(status['Uid']).to.equal('65532\t65532\t65532\t65532');
      expect(status).to.include({
        CapEff: '0000000000000000',
        CapBnd: '0000000000000000',
        NoNewPrivs: '1',
        Seccomp: '2',
      });
      const [root = ''] = (await readFile(`/proc/${pid}/mounts`, 'utf8'))
        .split('\n')
        .filter((line) => / \/ /.test(line));
      expect(root.split(' ')[3]).to.match(/^ro,/);
    }
  });

  it('lets them read of the system what their metrics need', async () => {
    for (const { status } of await pods()) {
      const page = await (await fetch(`http://${status?.podIP}:8080/metrics`)).text();
      for (const name of ['process_resident_memory_bytes', 'process_open_fds', 'process_max_fds']) {
        expect(page).to.match(new RegExp(`^${name} [1-9]\\d*$`, 'm'));
      }
    }
  });

  it('fills the Secret of the RegistryToken that came with the installation', async () => {
    await revisionIs(1);
    expect(cluster!.service.values()).to.include((await secret()).password);
    expect(issued).to.equal(1);
  });

  it("passes the release's test", async () => {
    const hooks = await output('helm', ['get', 'hooks', RELEASE, '--namespace', NAMESPACE]);
    const [replica] = await pods();
    const phase = await runTestPod(cluster!.client, objectsOf(hooks), replica?.status?.podIP ?? '');
    expect(phase).to.equal('Succeeded');
  });

  it('has the kubectl plugin in its pods, which shows what their ServiceAccount may read and says what it may not', async () => {
    const status = await pluginInPod(cluster!.execKubeconfig);
    expect(status, status.stderr).to.include({ status: 0, stderr: '' });
    for (const line of [
      /^RegistryToken team\/app: Ready, Issued: /m,
      /^├─ RegistryAccount default, region us-south: (not )?Ready/m,
      /^├─ Secret app: holds the token above$/m,
      /^├─ Pods: not shown, you may not list pods in namespace team$/m,
      /^└─ Events: not shown, you may not list events.events.k8s.io in namespace team$/m,
    ])
      expect(status.stdout).to.match(line);
    const tokens = await pluginInPod(
      cluster!.execKubeconfig,
      `tokens --account default --operator-namespace ${NAMESPACE}`,
    );
    expect(tokens.stdout, tokens.stderr).to.match(/ InUse +team\/app +1 /);
    const { password } = await secret();
    expect(status.stdout + tokens.stdout).not.to.include(password);
    const creation = await pluginInPod(
      cluster!.execKubeconfig,
      `create another --namespace ${APP.namespace}`,
    );
    expect(creation.status).to.equal(1);
    expect(creation.stderr).to.include('you may not create registrytokens.pullsecrets.dev in namespace team');
  });

  it('creates no token when an upgrade replaces its pods', async () => {
    const before = { ...(await secret()), pods: (await pods()).map(({ metadata }) => metadata.uid) };
    await upgrade({ ...values, podAnnotations: { 'example.com/release': '2' } });
    await eventually('new pods have replaced the old ones', async () => {
      const now = (await pods()).map(({ metadata }) => metadata.uid);
      return now.length === 2 && now.every((uid) => !before.pods.includes(uid));
    });
    await eventually('one of them leads', async () => {
      const name = await leader();
      return (await pods()).some(({ metadata }) => metadata.name === name);
    });
    expect(await secret()).to.include({ uid: before.uid, password: before.password });
    expect(issued).to.equal(1);
  });

  it('rotates every token when helm asks for it, in the same Secret', async () => {
    const before = await secret();
    await sleep(clock, 1_100);
    await upgrade({
      ...values,
      rotation: { requestedAt: new Date(clock.now()).toISOString().replace(/\.\d+/, '') },
    });
    await revisionIs(2);
    const now = await secret();
    expect(now.uid).to.equal(before.uid);
    expect(now.password).not.to.equal(before.password);
    expect(issued).to.equal(2);
    await eventually('the former token is revoked', async () => revoked === 1);
  });

  it('is not harmed by a rollback', async () => {
    const before = await secret();
    await helm(['rollback', RELEASE, '1']);
    await cluster!.client.mergePatch(REGISTRY_TOKENS, APP, { metadata: { labels: { seen: 'true' } } });
    await sleep(clock, 2_000);
    expect(await secret()).to.deep.equal(before);
    expect(issued).to.equal(2);
  });

  /** Asks for a rotation, and waits until it is done. */
  async function rotate(request: string, revision: number): Promise<void> {
    const annotations = { [ROTATE_ANNOTATION]: request };
    await cluster!.client.mergePatch(REGISTRY_TOKENS, APP, { metadata: { annotations } });
    await revisionIs(revision);
    expect(issued).to.equal(revision);
  }

  it("goes on when the leader's pod is deleted", async () => {
    const deleted = await leader();
    await cluster!.client.delete(PODS, { namespace: NAMESPACE, name: deleted });
    await eventually('another leads', async () => ![deleted, ''].includes(await leader()));
    await rotate('after-the-deletion', 3);
    await eventually('there are two again', async () => (await pods()).length === 2);
    expect(await restarts()).to.deep.equal([0, 0]);
  });

  it('goes on when the leader is killed before it can give back the lease', async () => {
    const killed = await holder();
    process.kill(await processOf(await leader()), 'SIGKILL');
    await eventually('another process leads', async () => ![killed, ''].includes(await holder()));
    await rotate('after-the-kill', 4);
    await eventually('the one killed is started again', async () => (await restarts()).includes(1));
  });

  /** Process id of the operator in a pod. */
  async function processOf(pod: string): Promise<number> {
    for (const pid of await cluster!.processes()) {
      if ((await readFile(`/proc/${pid}/root/etc/hostname`, 'utf8')).trim() === pod) return pid;
    }
    throw new Error(`no process of pod ${pod}`);
  }

  it('leaves what policy keeps when it is uninstalled, and nothing else', async () => {
    const before = await secret();
    await helm(['uninstall', RELEASE]);
    await eventually('its pods are gone', async () => (await pods()).length === 0);
    const expected = [
      'CustomResourceDefinition clusterregistrytokens.pullsecrets.dev',
      'CustomResourceDefinition registryaccounts.pullsecrets.dev',
      'CustomResourceDefinition registrytokens.pullsecrets.dev',
      // The operator's own, which Helm does not know of.
      `Lease ${NAMESPACE}/registry-token-operator`,
      'RegistryAccount default',
      'RegistryToken team/app',
      'Secret team/app',
    ];
    await eventually('only these are left', async () => {
      expect(since(untouched, await everything())).to.deep.equal(expected);
      return true;
    });
    expect(await secret()).to.deep.equal(before);
  });
});

/** Why these tests can't run here; undefined when they can. */
async function whyNot(): Promise<string | undefined> {
  if (SCRIPT === undefined || SCRIPT === '')
    return 'CLUSTER_SCRIPT names no script that starts a cluster with a node';
  if (process.getuid?.() !== 0) return 'only root can start a node';
  if (!helms.has(4)) return 'there is no helm 4';
  const missing = await missingPrograms(...PROGRAMS);
  return missing.length > 0 ? `${missing.join(', ')} not on the PATH` : undefined;
}
