import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { parseConfig } from '../../src/config/config.ts';
import { PolicyEvaluator } from './support/admission-policy.ts';
import { CHART, describeHelm, objectsOf, type Values } from './support/helm.ts';

const ACCOUNT = { ibmCloud: {}, credentialsSecretRef: { name: 'ibm-cloud' } };
const account = (fields: object): Values => ({ accounts: { default: { ...ACCOUNT, ...fields } } });
const token = (fields: object): Values => ({ tokens: { pull: { namespace: 'team-a', ...fields } } });

/** What is wrong, the values, where helm must say it is, and what it must say. */
const WRONG: [string, Values, string, RegExp][] = [
  ['an unknown key', { replicas: 3 }, '', /replicas.*not allowed/],
  [
    'an unknown key further down',
    { metrics: { serviceMonitors: {} } },
    'metrics',
    /serviceMonitors.*not allowed/,
  ],
  ['a misspelled switch', { crds: { chek: true } }, 'crds', /chek.*not allowed/],
  ['text for a number', { replicaCount: '2' }, 'replicaCount', /string.*integer|integer.*string/],
  ['text for a switch', { hostNetwork: 'yes' }, 'hostNetwork', /boolean/],
  ['too many replicas', { replicaCount: 11 }, 'replicaCount', /maximum|less than or equal/],
  ['no image name', { image: { repository: 'Registry/Image' } }, 'image.repository', /pattern/],
  ['no replica', { replicaCount: 0 }, 'replicaCount', /minimum|greater than or equal/],
  ['a log level of others', { operator: { logLevel: 'trace' } }, 'operator.logLevel', /debug/],
  ['a part left out', { networkPolicy: null }, '', /networkPolicy/],
  [
    'a runbook that is no address',
    { metrics: { prometheusRule: { runbookUrl: 'docs/runbook.md' } } },
    'metrics.prometheusRule.runbookUrl',
    /pattern/,
  ],
  ['a digest without its algorithm', { image: { digest: 'abc' } }, 'image.digest', /pattern/],
  ['an unknown pull policy', { image: { pullPolicy: 'Sometimes' } }, 'image.pullPolicy', /'?Always/],
  ['a namespace that cannot be', { scope: { namespaces: ['Team_A'] } }, 'scope.namespaces.0', /pattern/],
  ['a namespace twice', { scope: { namespaces: ['a', 'a'] } }, 'scope.namespaces', /equal|unique/],
  ['namespaces as text', { scope: { namespaces: 'a,b' } }, 'scope.namespaces', /array/],
  [
    'an account at a registry that is not known',
    account({ ibmCloud: null, dockerHub: {} }),
    'accounts.default',
    /dockerHub.*not allowed/,
  ],
  [
    'a registry without what it requires',
    account({ ibmCloud: null, harbor: { url: null } }),
    'accounts.default.harbor.url',
    /string/,
  ],
  ['an account of impossible name', { accounts: { 'My Account': ACCOUNT } }, 'My Account', /pattern/],
  [
    'credentials that can be no key of a Secret',
    account({ credentialsSecretRef: null, credentials: { 'api key': 'x' } }),
    'api key',
    /pattern/,
  ],
  [
    'no credentials at all',
    account({ credentialsSecretRef: null, credentials: {} }),
    'accounts.default.credentials',
    /minProperties|at least 1|minimum/i,
  ],
  [
    'an account field that is none',
    account({ region: 'us-south' }),
    'accounts.default',
    /region.*not allowed/,
  ],
  [
    'an unknown limit',
    account({ limits: { maxAcces: 'ReadOnly' } }),
    'accounts.default.limits',
    /maxAcces.*not allowed/,
  ],
  [
    'an unknown access limit',
    account({ limits: { maxAccess: 'Write' } }),
    'accounts.default.limits.maxAccess',
    /ReadOnly/,
  ],
  ['a region without a host', account({ regions: [{ name: 'lab' }] }), 'accounts.default.regions.0', /host/],
  [
    'a cluster token without a selector',
    { clusterTokens: { pull: { template: {} } } },
    'clusterTokens.pull',
    /namespaceSelector/,
  ],
  [
    'an unknown field of a cluster token',
    { clusterTokens: { pull: { namespaceSelector: {}, template: { spec: { acces: 'ReadOnly' } } } } },
    'clusterTokens.pull.template.spec',
    /acces.*not allowed/,
  ],
  ['tokens as a list', { tokens: [{ namespace: 'team-a', name: 'pull' }] }, 'tokens', /object/],
  ['a token without a namespace', { tokens: { pull: {} } }, 'tokens.pull', /namespace/],
  ['a token of impossible name', { tokens: { My_Token: { namespace: 'a' } } }, 'My_Token', /pattern/],
  ['a token field in the wrong place', token({ access: 'ReadOnly' }), 'tokens.pull', /access.*not allowed/],
  ['an unknown access', token({ spec: { access: 'Admin' } }), 'tokens.pull.spec.access', /ReadOnly/],
  ['a lifetime in days', token({ spec: { lifetime: '7d' } }), 'tokens.pull.spec.lifetime', /pattern/],
  [
    'an unknown deletion policy',
    token({ spec: { deletionPolicy: 'Revoke' } }),
    'tokens.pull.spec.deletionPolicy',
    /Retain/,
  ],
  ['a scope that is no name', token({ spec: { scope: ['team-*'] } }), 'tokens.pull.spec.scope.0', /pattern/],
  [
    'a field the RegistryToken does not have',
    token({ spec: { expires: '1h' } }),
    'tokens.pull.spec',
    /expires.*not allowed/,
  ],
  ['a rotation at no time', { rotation: { requestedAt: 'now' } }, 'rotation.requestedAt', /pattern/],
  [
    'a time in no known zone',
    { rotation: { requestedAt: '2026-01-31T12:00:00' } },
    'rotation.requestedAt',
    /pattern/,
  ],
  [
    'a duration without a unit',
    { operator: { registryTimeout: '30' } },
    'operator.registryTimeout',
    /pattern/,
  ],
  ['no workers', { operator: { workers: 0 } }, 'operator.workers', /minimum|greater than or equal/],
  ['an unknown log level', { operator: { logLevel: 'loud' } }, 'operator.logLevel', /debug/],
  ['a reserved port', { metrics: { port: 80 } }, 'metrics.port', /minimum|greater than or equal/],
  [
    'root',
    { podSecurityContext: { runAsUser: 0 } },
    'podSecurityContext.runAsUser',
    /minimum|greater than or equal/,
  ],
  [
    'a weaker pod',
    { podSecurityContext: { runAsNonRoot: false } },
    'podSecurityContext.runAsNonRoot',
    /true/,
  ],
  [
    'a container that may become root',
    { securityContext: { allowPrivilegeEscalation: true } },
    'securityContext.allowPrivilegeEscalation',
    /false/,
  ],
  [
    'a container with capabilities',
    { securityContext: { capabilities: { add: ['NET_ADMIN'] } } },
    'securityContext.capabilities',
    /add.*not allowed/,
  ],
  [
    'a probe of one’s own',
    { livenessProbe: { exec: { command: ['true'] } } },
    'livenessProbe',
    /exec.*not allowed/,
  ],
  ['an argument that is no flag', { extraArgs: ['debug'] }, 'extraArgs.0', /pattern/],
  [
    'a duration in seconds',
    { leaderElection: { leaseDuration: 15 } },
    'leaderElection.leaseDuration',
    /string/,
  ],
  [
    'a writable mount',
    { extraVolumeMounts: [{ name: 'x', mountPath: '/x', readOnly: false }] },
    'extraVolumeMounts.0',
    /readOnly.*not allowed/,
  ],
  ['a label that cannot be', { commonLabels: { team: 'a b' } }, 'commonLabels.team', /pattern/],
  ['a label that is a number', { commonLabels: { team: 1 } }, 'commonLabels.team', /string/],
  [
    'a quantity that is none',
    { resources: { limits: { memory: '256MB' } } },
    'resources.limits.memory',
    /pattern/,
  ],
  [
    'a budget that lets nothing go',
    { podDisruptionBudget: { maxUnavailable: 0 } },
    'podDisruptionBudget.maxUnavailable',
    /minimum|greater than or equal/,
  ],
  [
    'an unknown action',
    { guardrails: { validationActions: ['Block'] } },
    'guardrails.validationActions.0',
    /Deny/,
  ],
  [
    'Deny together with Warn',
    { guardrails: { validationActions: ['Deny', 'Warn'] } },
    'guardrails.validationActions',
    /not/,
  ],
  [
    'a rule for regions without regions',
    { guardrails: { regions: { enabled: true } } },
    'guardrails.regions',
    /minItems|at least 1/,
  ],
  [
    'a rule for lifetimes without the longest',
    { guardrails: { lifetime: { max: null } } },
    'guardrails.lifetime',
    /max/,
  ],
  ['no way out', { networkPolicy: { egressPorts: [] } }, 'networkPolicy.egressPorts', /minItems|at least 1/],
];

/** Values that are each right, but not together. */
const CONTRADICTIONS: [string, Values, RegExp][] = [
  ['no image', { image: { repository: '' } }, /image\.repository is empty: say where/],
  [
    'a name that no Service can have',
    { fullnameOverride: 'pull.eu' },
    /would be named pull\.eu, which no Service can be: set fullnameOverride/,
  ],
  ['a name that begins with a digit', { fullnameOverride: '777' }, /would be named 777/],
  [
    'the ServiceAccount of everybody',
    { serviceAccount: { create: false } },
    /serviceAccount\.name: no ServiceAccount is made .* name yours/,
  ],
  [
    'a scrape longer than its interval',
    { metrics: { podMonitor: { interval: '1m', scrapeTimeout: '61s' } } },
    /metrics\.podMonitor\.scrapeTimeout \(61s\) must not be more than metrics\.podMonitor\.interval \(1m\)/,
  ],
  [
    'an account without credentials',
    account({ credentialsSecretRef: null }),
    /accounts\.default has no credentials: it takes credentialsSecretRef, .*; only ecr can do without/,
  ],
  [
    'an account without a registry',
    account({ ibmCloud: null }),
    /accounts\.default names no registry: it takes exactly one of ibmCloud, .*/,
  ],
  [
    'two keys',
    account({ credentials: { apikey: 'secret-key' } }),
    /accounts\.default has both credentialsSecretRef and credentials/,
  ],
  [
    'two registries',
    account({ harbor: { url: 'https://harbor.test' } }),
    /accounts\.default names several registries \(ibmCloud, harbor\); keep one, and set to null/,
  ],
  [
    'a token out of scope',
    { scope: { namespaces: ['team-b'] }, ...token({}) },
    /tokens\.pull is in a namespace that scope\.namespaces leaves out \(team-b\), .* RegistryToken team-a\/pull/,
  ],
  [
    'cluster tokens that nobody looks after',
    { clusterTokens: { pull: { namespaceSelector: {}, template: {} } } },
    /nobody would look after the ClusterRegistryTokens of clusterTokens \(pull\): set operator\.clusterTokens/,
  ],
  [
    'cluster tokens in named namespaces',
    { operator: { clusterTokens: true }, scope: { namespaces: ['team-b'] } },
    /operator\.clusterTokens selects among all namespaces, so it does not go with scope\.namespaces \(team-b\)/,
  ],
  [
    'a token twice',
    {
      tokens: { pull: { namespace: 'a' }, another: { namespace: 'a', name: 'pull' } },
    },
    /tokens\.another and tokens\.pull are both RegistryToken a\/pull/,
  ],
  ['one port for both', { health: { port: 8080 } }, /metrics\.port and health\.port are both 8080/],
  [
    'a ServiceMonitor without a Service',
    { metrics: { service: { enabled: false }, serviceMonitor: { enabled: true } } },
    /metrics\.serviceMonitor\.enabled needs metrics\.service\.enabled/,
  ],
  [
    'both monitors',
    { metrics: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } },
    /would scrape every pod twice/,
  ],
  [
    'a lease too short',
    { leaderElection: { leaseDuration: '10s' } },
    /leaseDuration \(10s\) must be more than .*renewDeadline \(10s\)/,
  ],
  [
    'retries too slow',
    { leaderElection: { retryPeriod: '9s' } },
    /renewDeadline \(10s\) must be more than 1\.2 times .*retryPeriod \(9s\)/,
  ],
  [
    'no time to stop',
    { operator: { shutdownTimeout: '1m' }, terminationGracePeriodSeconds: 30 },
    /terminationGracePeriodSeconds \(30\) must be at least operator\.shutdownTimeout \(60s\)/,
  ],
  [
    'a budget that leaves all replicas',
    { replicaCount: 2, podDisruptionBudget: { minAvailable: 2 } },
    /podDisruptionBudget\.minAvailable \(2\) must be less than replicaCount \(2\)/,
  ],
  [
    'annotations on no ServiceAccount',
    { serviceAccount: { create: false, name: 'mine', annotations: { a: 'b' } } },
    /there is no ServiceAccount to put them on/,
  ],
];

/** Values about the edge of what the operator takes, by the operator's flag. */
const BOUNDS: [string, string, (string | number)[]][] = [
  ['workers', 'workers', [0, 1, 256, 257]],
  ['mint-budget', 'mintBudget', [0, 64, 65]],
  ['default-grace-period', 'defaultGracePeriod', ['0s', '1h30m', '999999h', '9999999999999999h', '1d']],
  ['revocation-deadline', 'revocationDeadline', ['0s', '15s', '15']],
  ['sweep-interval', 'sweepInterval', ['0s', '59s', '60s', '0h60s', '1m', '0h1m', '1h0s', '010s', '100s']],
  ['sweep-delay', 'sweepDelay', ['0s', '0h0m', '1s', '0m1s', '1m']],
  ['registry-timeout', 'registryTimeout', ['0s', '1s', '30']],
  ['cluster-id', 'clusterId', ['a', 'a.b-1', '-a', 'a:b', 'x'.repeat(63), 'x'.repeat(64)]],
  ['log-level', 'logLevel', ['debug', 'trace', 'error']],
];

/** Keys, as a path, whose default in values.yaml is an empty list or map, or a list. */
function collections(values: object, path: string[] = []): string[][] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]) => {
    const here = [...path, key];
    if (Array.isArray(value)) return [here];
    if (typeof value !== 'object' || value === null) return [];
    return Object.keys(value).length === 0 ? [here] : collections(value, here);
  });
}
const defaults = parse(await readFile(`${CHART}/values.yaml`, 'utf8')) as object;
/** Those without which there is nothing that the chart could do. */
const NEEDED = [
  'networkPolicy.egressPorts',
  'guardrails.validationActions',
  'securityContext.capabilities.drop',
];

/** Every part that is off by default, but for the PodMonitor, which goes without a ServiceMonitor only. */
const ALL_PARTS: Values = {
  operator: { evictPods: true, countPods: true, clusterTokens: true },
  guardrails: { enabled: true, regions: { enabled: true, allowed: ['us-south'] } },
  metrics: {
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
};
/** What the chart is given, and which collections it then can't do without. */
const PARTS: [string, Values, string[]][] = [
  ['as installed', {}, NEEDED],
  ['with every part', ALL_PARTS, [...NEEDED, 'guardrails.regions.allowed']],
];

/** Asks for something that each rule of the guardrails looks at. */
const ASKED = { access: 'ReadWrite', lifetime: '999h', region: 'jp-tok' };
const REQUEST = {
  object: { metadata: {}, spec: { ...ASKED, template: { spec: ASKED } } },
  oldObject: null,
  user: 'jane',
};
const KINDS = [REGISTRY_TOKENS, REGISTRY_ACCOUNTS, CLUSTER_REGISTRY_TOKENS];

describeHelm('chart: values', (helm) => {
  for (const [flag, key, texts] of BOUNDS) {
    it(`are taken for operator.${key} if the operator takes them, and only then`, async () => {
      for (const text of texts) {
        const surroundings = { version: 'test', serviceAccountNamespace: () => 'operators' };
        const taken = 'config' in parseConfig([`--${flag}=${text}`], {}, surroundings);
        const { status, stderr } = await helm.template({ operator: { [key]: text } });
        expect(status === 0, `${text}: ${stderr}`).to.equal(taken);
        if (!taken) expect(stderr, String(text)).to.include(key);
      }
    });
  }

  for (const [how, values, needed] of PARTS) {
    for (const path of collections(defaults).map((keys) => keys.join('.'))) {
      if (needed.includes(path)) continue;
      it(`may be taken away, ${how}: ${path}=null`, async () => {
        const { status, stdout, stderr } = await helm.template(values, '--set', `${path}=null`);
        expect(status, stderr).to.equal(0);
        const engine = new PolicyEvaluator();
        await engine.enforce(objectsOf(stdout));
        for (const resource of KINDS) await engine.review({ ...REQUEST, resource });
      });
    }
  }
});

describeHelm('chart: wrong values', (helm) => {
  for (const [what, values, where, message] of WRONG) {
    it(`are refused with their place: ${what}`, async () => {
      const { status, stderr } = await helm.template(values);
      expect(status).not.to.equal(0);
      expect(stderr).to.match(/values don't meet the specifications of the schema/);
      // Helm 3 writes a.b.0, helm 4 /a/b/0.
      const places = [where, `/${where.replaceAll('.', '/')}`];
      expect(
        places.some((place) => stderr.includes(place)),
        `${stderr} names ${where}`,
      ).to.equal(true);
      expect(stderr.replaceAll('\n', ' ')).to.match(message);
    });
  }

  for (const [what, values, message] of CONTRADICTIONS) {
    it(`are refused together, with what to do: ${what}`, async () => {
      const { status, stderr } = await helm.template(values);
      expect(status).not.to.equal(0);
      expect(stderr).to.match(message);
    });
  }

  it('never show a key', async () => {
    const { stderr } = await helm.template(account({ credentials: { apikey: 'secret-key' } }));
    expect(stderr).not.to.include('secret-key');
  });

  it('do not include what a parent chart sets for all its charts', async () => {
    const { status } = await helm.template({ global: { storageClass: 'fast' } });
    expect(status).to.equal(0);
  });
});
