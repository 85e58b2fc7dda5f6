import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { writeKubeconfig } from '../../../sandbox/apiserver/kubeconfig.ts';
import { CUSTOM_RESOURCE_DEFINITIONS, installDefinitions, whenServed } from '../../../sandbox/setup.ts';
import { REGISTRY_TOKENS } from '../../../src/api/resources.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import type { KubeObject, Resource } from '../../../src/common/objects.ts';
import type { Manifest } from '../../../src/kube/client/manifest.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { NAMESPACES, resourcePath, SECRETS } from '../../../src/kube/client/resources.ts';
import { httpTransport } from '../../../src/kube/transport/http-transport.ts';
import { startReal, type RunningApiServer } from '../../support/api-servers.ts';
import { eventually } from '../../support/eventually.ts';
import type { AdmissionRequest, Answer, Policy, PolicyEngine } from './admission-policy.ts';
import { ClusterRequests, type User } from './cluster-requests.ts';
import { helms, runProgram, type Outcome, type Rendered } from './helm.ts';
import { BINDINGS, POLICIES, startPolicyHost, type PolicyHost } from './policy-host.ts';

const NAMESPACE_OF_CASES = 'team-a';
/** Has a label for which a rule may be. */
export const TENANT = { name: 'tenant', labels: { tenant: 'yes' } };

/** Core kinds are an old kube-apiserver's, which knows no policies. These are of the same shape. */
const TRIAL_SECRETS: Resource = { ...SECRETS, group: 'trial.pullsecrets.dev' };
const CLUSTER_ROLE_BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};

/** Name of the administrator's. */
const KUBECONFIG = 'kubeconfig';

/** Made what is there before an update: somebody whom no guardrail of the tests restricts. */
const AUTHOR: User = { user: 'admin', groups: ['system:masters', 'release-engineers'] };

/** `message` is what a policy says; the rest says which policy. */
const DENIED = /ValidatingAdmissionPolicy '\S+' with binding '\S+' denied request: (.*)$/s;
const WARNED = /^Validation failed for ValidatingAdmissionPolicy '\S+' with binding '\S+': (.*)$/s;
/** Of Kubernetes' metrics (https://kubernetes.io/docs/reference/instrumentation/metrics/), those of expressions that do not compile or can't be worked out. */
const FAILED =
  /^apiserver_(?:validating_admission_policy_check_total\{enforcement_action="allow",error_type="(?!no_error).*,policy|admission_match_condition_evaluation_errors_total\{.*,name)="([^"]+)"/;

/** A cluster whose API server has the policies' CEL evaluated by Kubernetes. Everybody may do anything there that no policy forbids. */
export class EnforcingCluster implements PolicyEngine {
  readonly #metrics: () => Promise<string>;
  readonly #started: AsyncDisposableStack;
  readonly #host: PolicyHost;
  readonly #folder: string;
  readonly #requests: ClusterRequests;
  #sets = 0;
  #objects = 0;

  /** @param assets binaries of a control plane with apiextensions-apiserver, which enforces */
  static async start(assets: string): Promise<EnforcingCluster> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'policies-'));
    stack.defer(() => rm(folder, { recursive: true }));
    let host: PolicyHost | undefined;
    stack.defer(() => host?.close());
    const serveAdmission = async (kubeconfig: string): Promise<string> => {
      const kubeConfig = new KubeConfig();
      kubeConfig.loadFromString(kubeconfig);
      host = await startPolicyHost(kubeConfig);
      const path = join(folder, 'policies.kubeconfig');
      await writeKubeconfig(path, host.url);
      return path;
    };
    const apiServer = await startReal(assets, { serveAdmission });
    stack.defer(apiServer.close);
    await writeFile(join(folder, KUBECONFIG), apiServer.kubeconfig, { mode: 0o600 });
    await prepare(apiServer.kubeConfig);
    return new EnforcingCluster(apiServer, host!, folder, stack.move());
  }

  private constructor(
    apiServer: RunningApiServer,
    host: PolicyHost,
    folder: string,
    started: AsyncDisposableStack,
  ) {
    this.#metrics = apiServer.customResourceMetrics!;
    this.#host = host;
    this.#folder = folder;
    this.#requests = new ClusterRequests(apiServer.kubeConfig);
    this.#started = started;
    started.defer(() => this.#requests.close());
  }

  close(): Promise<void> {
    return this.#started.disposeAsync();
  }

  /** Waits until those are in force: a policy of its own, written after them, says so. */
  async enforce(objects: readonly Rendered[]): Promise<void> {
    const set = `set-${++this.#sets}`;
    const sentinel = { user: `sentinel:${set}` };
    await this.#host.replace([...objects.map(forTrialSecrets), ...sentinelOf(set, sentinel.user)]);
    await eventually(`${set} of policies is in force`, async () => {
      const { warnings } = await this.review({
        resource: REGISTRY_TOKENS,
        object: { spec: { lifetime: '1m' } },
        oldObject: null,
        ...sentinel,
      });
      return warnings.includes(set);
    });
  }

  async review({ resource, object, oldObject, namespace, ...user }: AdmissionRequest): Promise<Answer> {
    const served = resource === SECRETS ? TRIAL_SECRETS : resource;
    const name = `object-${++this.#objects}`;
    const where = resource.namespaced ? { namespace: namespace ?? NAMESPACE_OF_CASES } : {};
    const identity = { name, ...where };
    const collection = resourcePath(served, where);
    if (oldObject === null)
      return this.#answer(user, 'POST', `${collection}?dryRun=All`, manifest(served, object, identity));
    const { status, body } = await this.#requests.ask<KubeObject>('POST', collection, {
      as: AUTHOR,
      body: manifest(served, oldObject, identity),
    });
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    const { resourceVersion } = body.metadata;
    const changed = manifest(served, object, { ...identity, resourceVersion });
    return this.#answer(user, 'PUT', `${collection}/${name}?dryRun=All`, changed);
  }

  /** @throws Error with the answer, unless the request is taken or a policy refuses it */
  async #answer(as: User, method: string, path: string, sent: object): Promise<Answer> {
    const options = { as, body: sent };
    const { status, body, warnings } = await this.#requests.ask<{ message?: string }>(method, path, options);
    const told = warnings.map((text) => WARNED.exec(text)?.[1] ?? text);
    if (status < 300) return { warnings: told };
    const [, refused] = DENIED.exec(body.message ?? '') ?? [];
    if (status !== 403 || refused === undefined) throw new Error(`${status} ${JSON.stringify(body)}`);
    return { refused, warnings: told };
  }

  /**
   * Has kubectl write a RegistryToken.
   * @param command as `create --as jane`
   */
  kubectl(command: string, { spec }: { spec: object }): Promise<Outcome> {
    const { kubectl } = helms.get(4)!;
    const object = manifest(REGISTRY_TOKENS, { spec }, { name: 'app-pull', namespace: NAMESPACE_OF_CASES });
    const args = [...command.split(' '), '--dry-run=server', '--filename', '-'];
    return runProgram(kubectl, args, JSON.stringify(object), {
      KUBECONFIG: join(this.#folder, KUBECONFIG),
    });
  }

  /** The policies one of whose expressions failed where that refuses nothing: `Ignore` keeps it silent. */
  async failures(): Promise<Set<string>> {
    const metrics = await this.#metrics();
    return new Set(metrics.split('\n').flatMap((line) => FAILED.exec(line)?.[1] ?? []));
  }
}

/** What the cases need of a cluster. */
async function prepare(kubeConfig: KubeConfig): Promise<void> {
  const logger = pino({ level: 'silent' });
  const transport = httpTransport(kubeConfig, { clock, logger, userAgent: 'test' });
  const client = new KubeClient(transport, { fieldManager: 'test' });
  const { signal } = new AbortController();
  await installDefinitions(client, signal);
  const texts = { type: 'object', additionalProperties: { type: 'string' } };
  const shape = { type: { type: 'string' }, data: texts };
  await client.create(CUSTOM_RESOURCE_DEFINITIONS, definitionOf(TRIAL_SECRETS, shape));
  await whenServed(client, TRIAL_SECRETS, signal);
  for (const metadata of [{ name: NAMESPACE_OF_CASES }, TENANT])
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
  const apiGroup = CLUSTER_ROLE_BINDINGS.group;
  await client.create(CLUSTER_ROLE_BINDINGS, {
    apiVersion: `${apiGroup}/v1`,
    kind: CLUSTER_ROLE_BINDINGS.kind,
    metadata: { name: 'everybody' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup, kind: 'Group', name: 'system:authenticated' }],
  });
  await transport.close();
}

/** A CustomResourceDefinition of the resource, whose objects have these properties. */
function definitionOf({ group, version, plural, kind, namespaced }: Resource, properties: object): Manifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' },
    },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties },
          },
        },
      ],
    },
  };
}

function manifest({ group, version, kind }: Resource, object: object, metadata: object): object {
  const own = (object as { metadata?: object }).metadata;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { ...object, apiVersion, kind, metadata: { ...own, ...metadata } };
}

/** A policy about Secrets, as one about their stand-ins. */
function forTrialSecrets(object: Rendered): Rendered {
  if (object.kind !== POLICIES.kind) return object;
  const spec = object['spec'] as Policy;
  const rules = spec.matchConstraints.resourceRules;
  if (!rules.some(({ resources }) => resources.includes(SECRETS.plural))) return object;
  const resourceRules = rules.map((rule) => ({ ...rule, apiGroups: [TRIAL_SECRETS.group] }));
  return { ...object, spec: { ...spec, matchConstraints: { ...spec.matchConstraints, resourceRules } } };
}

/** Tells one user its name. */
function sentinelOf(name: string, user: string): Rendered[] {
  const { group, version, plural } = REGISTRY_TOKENS;
  const apiVersion = `${POLICIES.group}/v1`;
  const resourceRules = [
    { apiGroups: [group], apiVersions: [version], operations: ['CREATE'], resources: [plural] },
  ];
  const policy = {
    matchConstraints: { resourceRules },
    matchConditions: [{ name: 'asked', expression: `request.userInfo.username == '${user}'` }],
    validations: [{ expression: 'false', message: name }],
  };
  return [
    { apiVersion, kind: POLICIES.kind, metadata: { name }, spec: policy },
    {
      apiVersion,
      kind: BINDINGS.kind,
      metadata: { name },
      spec: { policyName: name, validationActions: ['Warn'] },
    },
  ];
}
