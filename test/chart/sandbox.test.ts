/** docs/sandbox.md: the chart in the sandbox, by every command of the page, with the operator that helm installs. */
import { randomUUID } from 'node:crypto';
import { delimiter, dirname } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { chartValues, type Example } from '../../sandbox/chart-values.ts';
import { REGISTRIES, REGISTRY_NAMES } from '../../sandbox/registries/registries.ts';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import { eventually } from '../support/eventually.ts';
import { blocksOf } from '../support/pages.ts';
import { processesWith } from '../support/processes.ts';
import { PROJECT, SandboxTerminal } from '../support/sandbox-terminal.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { describeHelm, find, runProgram, type Outcome, type Values } from './support/helm.ts';

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'registry.test/web:1'}]}
`;

describeHelm('the chart in the sandbox', (helm) => {
  const mark = `SANDBOX_MARK=${randomUUID()}`;
  let sandbox: SandboxTerminal;
  let environment: NodeJS.ProcessEnv;
  let commands: string[];
  let untouched: string[];

  before(async () => {
    const [name = '', value] = mark.split('=');
    const PATH = [dirname(helm.tools.helm), process.env['PATH']].join(delimiter);
    environment = { ...process.env, PATH };
    const blocks = (await blocksOf('sandbox.md')).filter(({ language }) => language === 'sh');
    const [start, ...more] = blocks.filter(({ remark }) => remark === 'sandbox');
    expect(more).to.deep.equal([]);
    const { KUBEBUILDER_ASSETS: _, ...embedded } = environment;
    sandbox = await SandboxTerminal.open(start?.text ?? '', { ...embedded, [name]: value });
    environment = { ...environment, KUBECONFIG: sandbox.kubeconfig };
    const chart = blocks.filter(({ remark }) => remark === 'chart');
    commands = chart.map(({ text }) => sandbox.inFolder(text));
    untouched = await everything();
  });
  after(() => sandbox?.close());

  /** Types commands in the project's folder. */
  const attempt = (script: string): Promise<Outcome> =>
    runProgram('bash', ['-c', `set -euo pipefail; cd ${PROJECT}\n${script}`], '', environment);

  /** @throws Error with what was said when a command fails */
  async function type(script: string): Promise<string> {
    const { status, stdout, stderr } = await attempt(script);
    if (status !== 0) throw new Error(`${stdout}\n${stderr}`);
    return stdout;
  }

  /** Every object there is, of whatever kind, but for Events. */
  async function everything(): Promise<string[]> {
    const kinds = (await type('kubectl api-resources --verbs=list --output=name')).trim().split('\n');
    const own = kinds.filter((kind) => !kind.startsWith('events'));
    return (await type(`kubectl get ${own.join()} --all-namespaces --output=name`)).trim().split('\n').sort();
  }

  const operators = (): Promise<number[]> => processesWith(mark, /src\/main\.ts/);

  it('is installed with an account and a token in one step, and the operator that it installs issues the token', async () => {
    expect(commands).to.have.length(3);
    const said = await type(commands[0] ?? '');
    expect(said).to.match(/registrytoken\.pullsecrets\.dev\/app-pull condition met/);
    expect(said).to.match(/app-pull +True +Issued/);
    expect(await operators()).to.have.length(2);
    const leader =
      'kubectl --namespace registry-token-operator get lease registry-token-operator --output=name';
    expect(await type(leader)).to.include('lease');
  });

  it('is upgraded, and its pods are replaced', async () => {
    const before = await operators();
    const said = await type(commands[1] ?? '');
    expect(said).to.match(/deployment\.apps\/registry-token-operator +1\/1 +1 +1/);
    await eventually('only the new one runs', async () => (await operators()).length === 1);
    expect(before).to.not.include.members(await operators());
    const args = "kubectl get pods -A --output=jsonpath='{.items[*].spec.containers[0].args}'";
    expect(await type(args)).to.include('--log-level=debug');
  });

  it('is started again where its process ends', async () => {
    const [pid = 0] = await operators();
    process.kill(pid, 'SIGKILL');
    const path = "jsonpath='{.items[*].status.containerStatuses[0].restartCount}'";
    const restarts = `kubectl --namespace registry-token-operator get pods --output=${path}`;
    await eventually('the pod tells of it', async () => (await type(restarts)) === '1');
    await type(
      'kubectl --namespace registry-token-operator wait pod --all --for=condition=Ready --timeout=60s',
    );
    expect(await operators())
      .to.have.length(1)
      .and.not.include(pid);
  });

  it('has no test there, which fails at once and says why', async () => {
    const namespace = '--namespace registry-token-operator';
    const { status } = await attempt(`helm test registry-token-operator ${namespace} --timeout 60s`);
    expect(status).to.not.equal(0);
    const path = "jsonpath='{.status.phase}: {.status.message}'";
    const said = await type(`kubectl ${namespace} get pod registry-token-operator-test --output=${path}`);
    expect(said).to.match(
      /^Failed: The sandbox does not run it: there is no kubelet, and a process has no command/,
    );
  });

  it('is uninstalled, and leaves nothing but CRDs', async () => {
    await type(commands[2] ?? '');
    const left = (await everything()).filter((object) => !untouched.includes(object));
    expect(left).to.deep.equal(
      ['clusterregistrytokens', 'registryaccounts', 'registrytokens'].map(
        (plural) => `customresourcedefinition.apiextensions.k8s.io/${plural}.pullsecrets.dev`,
      ),
    );
    await eventually('no operator runs', async () => (await operators()).length === 0);
  });

  it('says of a Deployment of another image that nothing runs it', async () => {
    await type(`kubectl apply -f - <<'END'\n${WEB}\nEND`);
    await type('kubectl wait deployment/web --for=condition=Available=False --timeout=30s');
    const message = await type(
      "kubectl get deployment web --output=jsonpath='{.status.conditions[0].message}'",
    );
    expect(message).to.include('registry.test/web:1 is not the image registry-token-operator');
    await type('kubectl delete deployment web --wait');
    await eventually(
      'its pods are gone',
      async () => !(await everything()).some((each) => each.includes('web')),
    );
  });
});

describeHelm(
  'values that the sandbox writes for the chart',
  (helm) => {
    for (const name of REGISTRY_NAMES)
      it(`make an account of ${name}, its credentials and a RegistryToken`, async () => {
        const registry = REGISTRIES[name].prepare(new VirtualClock(0));
        const account = { registry, url: 'http://127.0.0.1:1', host: '127.0.0.1:2' };
        const spec: Example['spec'] = { access: 'ReadOnly', lifetime: '2m', scope: ['team'] };
        const token = { metadata: { namespace: 'default', name: 'app-pull' }, spec };
        const objects = await helm.render(parse(chartValues(account, token)) as Values);
        const { name: secret } = (find(objects, 'RegistryAccount', 'default').spec as RegistryAccountSpec)
          .credentialsSecretRef!;
        expect(find(objects, 'Secret', secret).data).to.have.keys(Object.keys(registry.credentials));
        expect(find(objects, 'RegistryToken', 'app-pull').spec).to.deep.equal(token.spec);
      });
  },
  [4],
);
