import { z } from 'zod';
import { formatDuration } from '../api/syntax/duration.ts';
import { flagName, readCommandLine, refuse, variableName, type Flag } from './command-line.ts';
import {
  bindAddress,
  boolean,
  clusterId,
  duration,
  namespace,
  namespaces,
  oneOf,
  wholeNumber,
} from './values.ts';

export type { BindAddress } from './values.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const SWEEPS = ['revoke', 'report', 'off'] as const;
const LOG_FORMATS = ['json', 'text'] as const;

/** client-go's JitterFactor (tools/leaderelection): a retry may come this many times later than its period says. */
const RETRY_JITTER = 1.2;

const registry = z.registry<Flag>();

const schema = z.object({
  operatorNamespace: namespace().register(registry, {
    argument: '<namespace>',
    description:
      "namespace of the operator: its lease and the accounts' credentials. Default: the one its pod runs in",
  }),
  watchNamespaces: namespaces().register(registry, {
    argument: '<namespaces>',
    description: 'look after these namespaces only, separated by commas. Default: all',
    default: '',
  }),
  clusterId: clusterId().optional().register(registry, {
    argument: '<id>',
    description: 'marks our tokens at the registry. Default: the uid of the namespace kube-system',
  }),
  leaderElect: boolean().register(registry, {
    argument: '[boolean]',
    description: 'work only while holding the lease, so that several replicas can run',
    default: 'true',
  }),
  leaderElectLeaseDuration: duration(1000).register(registry, {
    argument: '<duration>',
    description: 'how long the others wait before they take over from a silent leader',
    default: '15s',
  }),
  leaderElectRenewDeadline: duration(1000).register(registry, {
    argument: '<duration>',
    description: 'how long the leader tries to renew before it gives up',
    default: '10s',
  }),
  leaderElectRetryPeriod: duration(1000).register(registry, {
    argument: '<duration>',
    description: 'how long to wait between tries to get or renew the lease',
    default: '2s',
  }),
  metricsBindAddress: bindAddress().register(registry, {
    argument: '<address>',
    description: 'where to serve /metrics; 0 for nowhere',
    default: ':8080',
  }),
  healthProbeBindAddress: bindAddress().register(registry, {
    argument: '<address>',
    description: 'where to serve /healthz, /livez and /readyz; 0 for nowhere',
    default: ':8081',
  }),
  logLevel: oneOf(LOG_LEVELS).register(registry, {
    argument: '<level>',
    description: `least important lines to write: ${LOG_LEVELS.join(', ')}`,
    default: 'info',
  }),
  logFormat: oneOf(LOG_FORMATS).register(registry, {
    argument: '<format>',
    description: 'json for machines, text for people',
    default: 'json',
  }),
  workers: wholeNumber(1, 256).register(registry, {
    argument: '<number>',
    description:
      'RegistryTokens to work on at a time; at most three quarters of them of one region of an account',
    default: '8',
  }),
  defaultGracePeriod: duration(0).register(registry, {
    argument: '<duration>',
    description: 'how long a replaced token stays valid when its RegistryToken does not say',
    default: '1h',
  }),
  mintBudget: wholeNumber(0, 64).register(registry, {
    argument: '<number>',
    description:
      'tokens to issue per RegistryToken and hour at most, beyond what its lifetime needs; four times as many on request; 0 for no limit',
    default: '5',
  }),
  revocationDeadline: duration(0).register(registry, {
    argument: '<duration>',
    description: 'how long a deleted RegistryToken waits for a registry that is down',
    default: '15s',
  }),
  sweep: oneOf(SWEEPS).register(registry, {
    argument: '<mode>',
    description:
      'tokens with our tag that nothing in the cluster uses: revoke them, only report them, or off',
    default: 'revoke',
  }),
  sweepInterval: duration(60_000).register(registry, {
    argument: '<duration>',
    description: 'how often to look for such tokens',
    default: '1h',
  }),
  sweepDelay: duration(1000).register(registry, {
    argument: '<duration>',
    description: 'how long such a token must have been seen unused before it is revoked',
    default: '10m',
  }),
  clusterTokens: boolean().register(registry, {
    argument: '[boolean]',
    description: 'look after ClusterRegistryTokens: a RegistryToken in each namespace that they select',
    default: 'false',
  }),
  evictPods: boolean().register(registry, {
    argument: '[boolean]',
    description: 'evict pods that could not pull before their Secret was good, so that they start anew',
    default: 'false',
  }),
  countPods: boolean().register(registry, {
    argument: '[boolean]',
    description:
      "count, in the status, the pods that use a RegistryToken's Secret and those that wait for it",
    default: 'false',
  }),
  registryTimeout: duration(1000).register(registry, {
    argument: '<duration>',
    description: 'how long one request to a registry may take',
    default: '30s',
  }),
  shutdownTimeout: duration(0).register(registry, {
    argument: '<duration>',
    description: 'how long work under way may take to end after SIGTERM',
    default: '20s',
  }),
});

const flags = Object.fromEntries(
  Object.entries(schema.shape).map(([key, field]) => [key, registry.get(field) as Flag]),
);

/** What the operator was told to do. Durations are in milliseconds; a bind address of null means not to serve. */
export type Config = z.infer<typeof schema>;
type Key = keyof Config;

/** What `parseConfig` needs to know and does not find out by itself. */
export interface Surroundings {
  /** Printed by --version. */
  version: string;
  /** Namespace of the pod's service account, from its mounted file; undefined outside a pod. */
  serviceAccountNamespace(): string | undefined;
}

/** Either the configuration, or what to print before leaving with this exit code. */
export type ParsedConfig = { config: Config } | { exit: 0 | 2; output: string };

/**
 * Reads flags and environment. Each flag is an environment variable as well (`--log-level` is `LOG_LEVEL`); a flag
 * wins over the variable, and an empty variable counts as none.
 * @param argv what follows the program's name
 */
export function parseConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  surroundings: Surroundings,
): ParsedConfig {
  const commandLine = readCommandLine(argv, flags, surroundings.version);
  if ('exit' in commandLine) return commandLine;
  const { values, variables } = gather(commandLine.given, env);
  values.operatorNamespace ??= surroundings.serviceAccountNamespace()?.trim() || env['POD_NAMESPACE'];
  if (!values.operatorNamespace) {
    return refuse(
      '--operator-namespace is required outside a pod; give it, or set OPERATOR_NAMESPACE or POD_NAMESPACE',
    );
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = issue?.path[0] as Key;
    const source = variables.has(key) ? ` (from ${variableName(key)})` : '';
    return refuse(`--${flagName(key)} ${issue?.message}, not "${values[key]}"${source}`);
  }
  const problem = leaseProblem(parsed.data) ?? scopeProblem(parsed.data);
  return problem ? refuse(problem) : { config: parsed.data };
}

/** The text of each value, and the keys that come from an environment variable. */
function gather(
  given: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): { values: Partial<Record<Key, string | undefined>>; variables: Set<string> } {
  const values: Record<string, string | undefined> = {};
  const variables = new Set<string>();
  for (const [key, flag] of Object.entries(flags)) {
    const variable = env[variableName(key)] || undefined;
    if (given[key] === undefined && variable !== undefined) variables.add(key);
    const value = given[key] ?? variable ?? flag.default;
    // Templates write --cluster-id= for "not set".
    if (value !== undefined && (value !== '' || flag.default !== undefined)) values[key] = value;
  }
  return { values, variables };
}

/** Why a scope can't be: what selects among all namespaces needs all of them in view, and one operator alone that counts them. */
function scopeProblem({ clusterTokens, watchNamespaces }: Config): string | undefined {
  return clusterTokens && watchNamespaces.length > 0
    ? '--cluster-tokens selects among all namespaces, so it does not go with --watch-namespaces'
    : undefined;
}

/** Why these lease times cannot work together: a leader must give up before another may take over. */
function leaseProblem(config: Config): string | undefined {
  const lease = config.leaderElectLeaseDuration;
  const renew = config.leaderElectRenewDeadline;
  const retry = config.leaderElectRetryPeriod;
  if (lease <= renew) {
    return `--leader-elect-lease-duration (${formatDuration(lease)}) must be longer than --leader-elect-renew-deadline (${formatDuration(renew)})`;
  }
  if (renew <= retry * RETRY_JITTER) {
    return `--leader-elect-renew-deadline (${formatDuration(renew)}) must be longer than ${RETRY_JITTER} times --leader-elect-retry-period (${formatDuration(retry)})`;
  }
  return undefined;
}
