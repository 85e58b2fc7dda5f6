import { expect } from 'chai';
import { parseConfig, type Config, type ParsedConfig } from '../../src/config/config.ts';

type Environment = Record<string, string | undefined>;

function parse(argv: string[], env: Environment = {}, inPod: string | undefined = 'operators'): ParsedConfig {
  return parseConfig(argv, env, { version: '1.2.3', serviceAccountNamespace: () => inPod });
}

function config(argv: string[], env: Environment = {}): Config {
  const parsed = parse(argv, env);
  if ('exit' in parsed) throw new Error(parsed.output);
  return parsed.config;
}

function refusal(argv: string[], env: Environment): string {
  const parsed = parse(argv, env);
  if (!('exit' in parsed)) throw new Error('accepted');
  expect(parsed.exit).to.equal(2);
  expect(parsed.output.trim().split('\n')).to.have.length(1);
  return parsed.output;
}

describe('configuration', () => {
  it('has a default for everything but the namespace', () => {
    expect(config([])).to.deep.equal({
      operatorNamespace: 'operators',
      watchNamespaces: [],
      leaderElect: true,
      leaderElectLeaseDuration: 15_000,
      leaderElectRenewDeadline: 10_000,
      leaderElectRetryPeriod: 2_000,
      metricsBindAddress: { port: 8080 },
      healthProbeBindAddress: { port: 8081 },
      logLevel: 'info',
      logFormat: 'json',
      workers: 8,
      defaultGracePeriod: 3_600_000,
      mintBudget: 5,
      revocationDeadline: 15_000,
      sweep: 'revoke',
      sweepInterval: 3_600_000,
      sweepDelay: 600_000,
      clusterTokens: false,
      evictPods: false,
      countPods: false,
      registryTimeout: 30_000,
      shutdownTimeout: 20_000,
    });
  });

  const readings: [string[], Environment, Partial<Config>][] = [
    [['--watch-namespaces', 'a,b, a,'], {}, { watchNamespaces: ['a', 'b'] }],
    [['--watch-namespaces='], { WATCH_NAMESPACES: 'a' }, { watchNamespaces: [] }],
    [['--cluster-id=prod-eu'], {}, { clusterId: 'prod-eu' }],
    [['--leader-elect'], { LEADER_ELECT: 'false' }, { leaderElect: true }],
    [['--leader-elect=false'], {}, { leaderElect: false }],
    [['--no-leader-elect'], { LEADER_ELECT: 'true' }, { leaderElect: false }],
    [[], { LEADER_ELECT: 'false' }, { leaderElect: false }],
    [['--metrics-bind-address', '0'], {}, { metricsBindAddress: null }],
    [['--metrics-bind-address', '127.0.0.1:0'], {}, { metricsBindAddress: { host: '127.0.0.1', port: 0 } }],
    [['--metrics-bind-address', '[::1]:8080'], {}, { metricsBindAddress: { host: '::1', port: 8080 } }],
    [
      [],
      { HEALTH_PROBE_BIND_ADDRESS: 'localhost:1' },
      { healthProbeBindAddress: { host: 'localhost', port: 1 } },
    ],
    [['--workers', '256'], { WORKERS: '3' }, { workers: 256 }],
    [[], { WORKERS: '3' }, { workers: 3 }],
    [[], { WORKERS: '' }, { workers: 8 }],
    [['--default-grace-period', '0s'], {}, { defaultGracePeriod: 0 }],
    [[], { REGISTRY_TIMEOUT: '1m30s' }, { registryTimeout: 90_000 }],
    [['--sweep', 'report'], { SWEEP_DELAY: '1s' }, { sweep: 'report', sweepDelay: 1000 }],
    [['--log-level=debug'], { LOG_FORMAT: 'text' }, { logLevel: 'debug', logFormat: 'text' }],
  ];
  for (const [argv, env, expected] of readings) {
    it(`reads ${JSON.stringify(argv)} with ${JSON.stringify(env)}`, () => {
      expect(config(argv, env)).to.deep.include(expected);
    });
  }

  it('leaves the cluster id open when it is empty', () => {
    expect(config(['--cluster-id='])).not.to.have.property('clusterId', '');
  });

  describe("the operator's namespace", () => {
    const cases: [string, string[], Environment, string | undefined, string][] = [
      [
        'the flag',
        ['--operator-namespace=flag'],
        { OPERATOR_NAMESPACE: 'env', POD_NAMESPACE: 'pod' },
        'mounted\n',
        'flag',
      ],
      ['its variable', [], { OPERATOR_NAMESPACE: 'env', POD_NAMESPACE: 'pod' }, 'mounted\n', 'env'],
      ["the service account's file", [], { POD_NAMESPACE: 'pod' }, 'mounted\n', 'mounted'],
      ['POD_NAMESPACE', [], { POD_NAMESPACE: 'pod' }, undefined, 'pod'],
    ];
    for (const [from, argv, env, inPod, expected] of cases) {
      it(`comes from ${from}`, () => {
        const parsed = parseConfig(argv, env, { version: '', serviceAccountNamespace: () => inPod });
        expect(parsed).to.have.nested.property('config.operatorNamespace', expected);
      });
    }

    it('is asked for when nothing says', () => {
      const parsed = parseConfig([], {}, { version: '', serviceAccountNamespace: () => undefined });
      expect(parsed).to.have.property('exit', 2);
      expect(parsed).to.have.property('output').that.includes('--operator-namespace is required');
    });
  });

  const refusals: [string[], Environment, string][] = [
    [['--workers', '0'], {}, '--workers must be a whole number from 1 to 256, not "0"'],
    [['--workers', '8.5'], {}, '--workers must be'],
    [[], { WORKERS: '300' }, '--workers must be a whole number from 1 to 256, not "300" (from WORKERS)'],
    [['--log-level', 'loud'], {}, '--log-level must be one of debug, info, warn, error, not "loud"'],
    [['--log-format='], {}, '--log-format must be one of json, text, not ""'],
    [['--leader-elect=maybe'], {}, '--leader-elect must be true or false, not "maybe"'],
    [[], { LEADER_ELECT: 'yes' }, '--leader-elect must be true or false, not "yes" (from LEADER_ELECT)'],
    [['--registry-timeout', '30'], {}, '--registry-timeout must be a duration such as 15s'],
    [['--registry-timeout', '0s'], {}, 'at least 1s, not "0s"'],
    [['--metrics-bind-address', '8080'], {}, '--metrics-bind-address must be an address such as :8080'],
    [['--metrics-bind-address', ':65536'], {}, '--metrics-bind-address must be'],
    [['--metrics-bind-address', '::1:80'], {}, '--metrics-bind-address must be'],
    [['--watch-namespaces', 'a,B'], {}, '--watch-namespaces must be names of namespaces'],
    [
      ['--cluster-tokens', '--watch-namespaces', 'a'],
      {},
      '--cluster-tokens selects among all namespaces, so it does not go with --watch-namespaces',
    ],
    [['--operator-namespace', 'no_such'], {}, '--operator-namespace must be the name of a namespace'],
    [['--cluster-id', 'a:b'], {}, '--cluster-id must be up to 63 letters'],
    [
      ['--leader-elect-lease-duration', '10s'],
      {},
      '(10s) must be longer than --leader-elect-renew-deadline (10s)',
    ],
    [
      ['--leader-elect-retry-period', '9s'],
      {},
      '(10s) must be longer than 1.2 times --leader-elect-retry-period (9s)',
    ],
    [['--worker', '3'], {}, "unknown option '--worker' (Did you mean --workers?)"],
    [['--workers'], {}, "option '--workers <number>' argument missing"],
    [['run'], {}, 'too many arguments'],
  ];
  for (const [argv, env, expected] of refusals) {
    it(`refuses ${JSON.stringify(argv)} with ${JSON.stringify(env)} in one line`, () => {
      expect(refusal(argv, env)).to.include(expected);
    });
  }

  it('prints its version', () => {
    expect(parse(['--version'])).to.deep.equal({ exit: 0, output: '1.2.3\n' });
  });

  it('lists each flag with its variable and default in --help', () => {
    const parsed = parse(['--help']);
    expect(parsed).to.have.property('exit', 0);
    const help = (parsed as { output: string }).output.replaceAll(/\s+/g, ' ');
    expect(help).to.include('(default 15s) [LEADER_ELECT_LEASE_DURATION]');
    for (const key of Object.keys(config([]))) {
      expect(help).to.include(`[${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}]`);
    }
  });
});
