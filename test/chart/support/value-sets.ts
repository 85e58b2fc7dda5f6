import type { Values } from './helm.ts';

const ACCOUNT = { ibmCloud: {}, credentialsSecretRef: { name: 'ibm-cloud' } };

/** Ways to use the chart, by name. */
export const VALUE_SETS: Readonly<Record<string, Values>> = {
  defaults: {},
  'one replica, text logs': { replicaCount: 1, operator: { logFormat: 'text', logLevel: 'debug' } },
  'image by digest from a private registry': {
    image: {
      repository: 'registry.test:5000/tools/operator',
      digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
    },
    imagePullSecrets: [{ name: 'mirror' }],
  },
  'registry and pull secrets of all charts': {
    global: { imageRegistry: 'mirror.test:5000', imagePullSecrets: ['everywhere', { name: 'mirror' }] },
    image: { registry: 'ghcr.io', repository: 'example/operator' },
    imagePullSecrets: [{ name: 'mirror' }],
  },
  'two namespaces': { scope: { namespaces: ['team-a', 'team-b'] } },
  'own ServiceAccount and roles': {
    serviceAccount: { create: false, name: 'mine' },
    rbac: { create: false },
  },
  'users assigned by the platform': { podSecurityContext: { runAsUser: null, runAsGroup: null } },
  'names and labels': {
    fullnameOverride: 'tokens',
    commonLabels: { team: 'platform' },
    commonAnnotations: { 'example.com/owner': 'platform' },
    podLabels: { tier: 'system' },
    podAnnotations: { 'example.com/note': 'one' },
  },
  'names that YAML could take for something else': {
    fullnameOverride: 'null',
    nameOverride: '1e5',
    serviceAccount: { name: '123' },
    priorityClassName: 'on',
    commonLabels: { 'example.com/answer': 'no' },
    accounts: { '0x1': { ibmCloud: {}, credentialsSecretRef: { name: 'true' } } },
    tokens: { true: { namespace: '123', spec: { accountRef: { name: '0x1' } } } },
    scope: { namespaces: ['123', '1e5'] },
  },
  placement: {
    priorityClassName: 'system-cluster-critical',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
    ],
  },
  'the network of the nodes': { hostNetwork: true },
  'cluster tokens': {
    operator: { clusterTokens: true },
    guardrails: { enabled: true },
    clusterTokens: {
      'app-pull': {
        namespaceSelector: {
          matchLabels: { 'example.com/pull': 'on' },
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
          ],
        },
        template: {
          metadata: { labels: { 'example.com/from': 'platform' } },
          spec: { lifetime: '12h', serviceAccounts: ['default'] },
        },
      },
    },
  },
  'evicting pods': { operator: { evictPods: true } },
  'counting pods': { operator: { countPods: true } },
  'private CA': {
    extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca/ca.crt' }],
    extraVolumes: [{ name: 'ca', configMap: { name: 'private-ca' } }],
    extraVolumeMounts: [{ name: 'ca', mountPath: '/ca' }],
  },
  'everything of a pod': {
    strategy: { type: 'Recreate' },
    terminationGracePeriodSeconds: 120,
    startupProbe: { failureThreshold: 120 },
    livenessProbe: { initialDelaySeconds: 5 },
    readinessProbe: { successThreshold: 1 },
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['192.0.2.53'], options: [{ name: 'ndots', value: '1' }] },
    extraArgs: ['--log-level=debug'],
    podSecurityContext: { fsGroup: 1000660000, runAsUser: 1000660000 },
    securityContext: { capabilities: { drop: ['ALL', 'NET_RAW'] } },
  },
  'objects of one’s own': {
    extraObjects: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: '{{ .Release.Name }}-one' },
        data: { a: 'b' },
      },
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "rto.fullname" . }}-two\n',
    ],
  },
  'everything switched off': {
    metrics: { service: { enabled: false } },
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    rbac: { aggregateClusterRoles: false, restrictSecrets: false },
    warnings: { enabled: false },
  },
  'ServiceMonitor and alerts': {
    metrics: {
      serviceMonitor: {
        enabled: true,
        labels: { release: 'prometheus' },
        namespace: 'monitoring',
        relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }],
        metricRelabelings: [{ sourceLabels: ['__name__'], regex: 'nodejs_.*', action: 'drop' }],
      },
      prometheusRule: {
        enabled: true,
        labels: { release: 'prometheus' },
        runbookUrl: 'https://docs.test/runbook.md',
      },
      dashboard: { enabled: true, annotations: { grafana_folder: 'Registries' } },
    },
    networkPolicy: {
      dnsPorts: [53, 5353],
      apiServerPorts: [2040],
      metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
    },
  },
  PodMonitor: { metrics: { podMonitor: { enabled: true, interval: '1m' } } },
  guardrails: {
    guardrails: {
      enabled: true,
      validationActions: ['Warn', 'Audit'],
      namespaceSelector: { matchExpressions: [{ key: 'kind', operator: 'NotIn', values: ['system'] }] },
      readWrite: { groups: ['release-engineers'] },
      regions: { enabled: true, allowed: ['us-south', 'eu-de'] },
    },
  },
  'accounts and tokens': {
    accounts: {
      default: ACCOUNT,
      builders: {
        ...ACCOUNT,
        limits: { maxAccess: 'ReadWrite' },
        namespaceSelector: { matchLabels: { ci: 'yes' } },
      },
      inline: {
        ibmRegistryTokens: {},
        credentials: { apikey: 'a-key-in-the-values' },
        regions: [{ name: 'lab', host: 'lab.test:5000' }],
      },
      harbor: {
        harbor: { url: 'https://harbor.test' },
        credentials: { username: 'robot$pull', password: 'a-password-in-the-values' },
        limits: { scopes: ['$(namespace)', 'shared-*'] },
      },
    },
    tokens: {
      pull: { namespace: 'team-a' },
      'team-b-pull': { namespace: 'team-b', name: 'pull' },
      push: {
        namespace: 'team-b',
        labels: { app: 'builder' },
        annotations: { 'example.com/owner': 'team-b' },
        spec: { accountRef: { name: 'builders' }, access: 'ReadWrite', rotation: { renewBefore: '8h' } },
      },
      scoped: {
        namespace: 'team-a',
        spec: { accountRef: { name: 'harbor' }, scope: ['team-a'], deletionPolicy: 'Retain' },
      },
    },
    rotation: { requestedAt: '2026-01-31T12:00:00Z' },
  },
};
