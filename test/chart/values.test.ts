import { expect } from 'chai';
import { describeHelm, type Values } from './support/helm.ts';

const CREDENTIALS = { credentialsSecretRef: { name: 'ibm-cloud' } };
const account = (fields: object): Values => ({ accounts: { default: { ...CREDENTIALS, ...fields } } });
const token = (fields: object): Values => ({ tokens: [{ namespace: 'team-a', name: 'pull', ...fields }] });

/** What is wrong, the values, where helm must say it is, and what it must say. */
const WRONG: [string, Values, string, RegExp][] = [
  ['an unknown key', { replicas: 3 }, '', /replicas.*not allowed/],
  [
    'an unknown key further down',
    { metrics: { serviceMonitors: {} } },
    'metrics',
    /serviceMonitors.*not allowed/,
  ],
  ['a misspelled switch', { crds: { enable: true } }, 'crds', /enable.*not allowed/],
  ['text for a number', { replicaCount: '2' }, 'replicaCount', /string.*integer|integer.*string/],
  ['text for a switch', { hostNetwork: 'yes' }, 'hostNetwork', /boolean/],
  ['too many replicas', { replicaCount: 11 }, 'replicaCount', /maximum|less than or equal/],
  ['no image', { image: { repository: '' } }, 'image.repository', /pattern/],
  ['a digest without its algorithm', { image: { digest: 'abc' } }, 'image.digest', /pattern/],
  ['an unknown pull policy', { image: { pullPolicy: 'Sometimes' } }, 'image.pullPolicy', /'?Always/],
  ['a namespace that cannot be', { scope: { namespaces: ['Team_A'] } }, 'scope.namespaces.0', /pattern/],
  ['a namespace twice', { scope: { namespaces: ['a', 'a'] } }, 'scope.namespaces', /equal|unique/],
  ['namespaces as text', { scope: { namespaces: 'a,b' } }, 'scope.namespaces', /array/],
  [
    'an account without credentials',
    { accounts: { default: {} } },
    'accounts.default',
    /credentialsSecretRef/,
  ],
  [
    'an account of an unknown provider',
    account({ provider: 'DockerHub' }),
    'accounts.default.provider',
    /IBMRegistryTokens/,
  ],
  ['an account of impossible name', { accounts: { 'My Account': CREDENTIALS } }, 'My Account', /pattern/],
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
  ['a token without a namespace', { tokens: [{ name: 'pull' }] }, 'tokens.0', /namespace/],
  ['a token field in the wrong place', token({ access: 'ReadOnly' }), 'tokens.0', /access.*not allowed/],
  ['an unknown access', token({ spec: { access: 'Admin' } }), 'tokens.0.spec.access', /ReadOnly/],
  ['a lifetime in days', token({ spec: { lifetime: '7d' } }), 'tokens.0.spec.lifetime', /pattern/],
  [
    'a field the RegistryToken does not have',
    token({ spec: { expires: '1h' } }),
    'tokens.0.spec',
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
    'podSecurityContext',
    /runAsNonRoot.*not allowed/,
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
  ['no way out', { networkPolicy: { egressPorts: [] } }, 'networkPolicy.egressPorts', /minItems|at least 1/],
];

/** Values that are each right, but not together. */
const CONTRADICTIONS: [string, Values, RegExp][] = [
  [
    'two keys',
    account({ apiKey: 'secret-key' }),
    /accounts\.default has both credentialsSecretRef and apiKey/,
  ],
  [
    'a token out of scope',
    { scope: { namespaces: ['team-b'] }, ...token({}) },
    /tokens: team-a\/pull is in a namespace that scope\.namespaces leaves out \(team-b\)/,
  ],
  [
    'a token twice',
    {
      tokens: [
        { namespace: 'a', name: 'pull' },
        { namespace: 'a', name: 'pull' },
      ],
    },
    /tokens: a\/pull is there twice/,
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
    { leaderElection: { leaseSeconds: 10 } },
    /leaseSeconds \(10\) must be more than .*renewSeconds \(10\)/,
  ],
  [
    'retries too slow',
    { leaderElection: { retrySeconds: 9 } },
    /renewSeconds \(10\) must be more than 1\.2 times .*retrySeconds \(9\)/,
  ],
  [
    'annotations on no ServiceAccount',
    { serviceAccount: { create: false, annotations: { a: 'b' } } },
    /there is no ServiceAccount to put them on/,
  ],
];

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
    const { stderr } = await helm.template(account({ apiKey: 'secret-key' }));
    expect(stderr).not.to.include('secret-key');
  });

  it('do not include what a parent chart sets for all its charts', async () => {
    const { status } = await helm.template({ global: { imageRegistry: 'registry.test' } });
    expect(status).to.equal(0);
  });
});
