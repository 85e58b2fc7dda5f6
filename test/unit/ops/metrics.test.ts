import { expect } from 'chai';
import type { Condition } from '../../../src/api/conditions.ts';
import type { ClusterRegistryToken } from '../../../src/api/cluster-registry-token.ts';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { Metrics } from '../../../src/ops/metrics.ts';
import type { MintReason, WriteReason } from '../../../src/token/decide/decision.ts';
import { PLACE } from '../../support/builders.ts';
import { aClusterToken } from '../../support/cluster-tokens.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const NOW = '2026-01-01T00:00:00Z';

function token(name: string, parts: Partial<RegistryToken> = {}): RegistryToken {
  return {
    apiVersion: 'pullsecrets.dev/v1alpha1',
    kind: 'RegistryToken',
    metadata: { name, namespace: 'team', uid: name, resourceVersion: '1', creationTimestamp: NOW },
    spec: {},
    ...parts,
  };
}

function account(name: string, ...conditions: Condition[]): RegistryAccount {
  return {
    apiVersion: 'pullsecrets.dev/v1alpha1',
    kind: 'RegistryAccount',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: NOW },
    spec: { ibmRegistryTokens: {}, credentialsSecretRef: { name: 'key' } },
    ...(conditions.length > 0 ? { status: { conditions } } : {}),
  };
}

function condition(type: string, status: 'True' | 'False', reason: string): Condition {
  return { type, status, reason, lastTransitionTime: NOW, message: '' };
}

function measuring(
  tokens: RegistryToken[] = [],
  accounts: RegistryAccount[] = [],
  clusterTokens: ClusterRegistryToken[] = [],
) {
  const clock = new VirtualClock(Date.parse(NOW));
  const metrics = new Metrics({
    version: '1.2.3',
    nodeVersion: 'v24',
    clock,
    listTokens: () => tokens,
    listAccounts: () => accounts,
    listClusterTokens: () => clusterTokens,
  });
  /** The samples whose name begins so, as name{labels} to value, without histograms' buckets. */
  const samples = async (prefix: string): Promise<Record<string, number>> => {
    const lines = (await metrics.text()).split('\n');
    const wanted = lines.filter((line) => line.startsWith(prefix) && !line.includes('_bucket{'));
    return Object.fromEntries(
      wanted.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  };
  return { clock, metrics, samples };
}

describe('metrics', () => {
  it('are made once for all who scrape at the same time', async () => {
    let listed = 0;
    const tokens = new Proxy<RegistryToken[]>([], {
      get: (target, key) => {
        if (key === Symbol.iterator) listed++;
        return Reflect.get(target, key) as unknown;
      },
    });
    const { metrics } = measuring(tokens);
    await metrics.text();
    const alone = listed;
    await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    expect(listed).to.equal(2 * alone);
  });

  it('of requests to registries lose the series of accounts that are gone', async () => {
    const accounts = [account('a'), account('b')];
    const { metrics, samples } = measuring([], accounts);
    for (const { metadata } of accounts)
      for (const code of [200, 503])
        metrics.registryClient.requested(
          { account: metadata.name, region: 'us', operation: 'list', code },
          10,
        );
    accounts.shift();
    const series = Object.keys(await samples('registrytoken_registry_request_duration_seconds_count'));
    expect(series).to.have.length(2);
    expect(series.join()).not.to.include('account="a"');
  });

  it('of requests to registries tell statuses that HTTP does not know by their class', async () => {
    const { metrics, samples } = measuring([], [account('a')]);
    for (const code of [599, 598, 597, 503, 'Unavailable'])
      metrics.registryClient.requested({ account: 'a', region: 'us', operation: 'list', code }, 10);
    const series = Object.keys(await samples('registrytoken_registry_request_duration_seconds_count'));
    expect(series.map((name) => /code="(.*)"/.exec(name)?.[1])).to.have.members([
      '5xx',
      '503',
      'Unavailable',
    ]);
  });

  it('say what runs, and how the process does', async () => {
    const { samples, metrics } = measuring();
    expect(await samples('registrytoken_build_info')).to.deep.equal({
      'registrytoken_build_info{version="1.2.3",node_version="v24"}': 1,
    });
    expect(Object.keys(await samples('process_'))).not.to.be.empty;
    expect(metrics.contentType).to.match(/^text\/plain/);
  });

  it('have a help text for each name, and each name once', async () => {
    const { metrics } = measuring();
    const names = (await metrics.text()).match(/^# HELP \S+ .+$/gm)?.map((line) => line.split(' ')[2]) ?? [];
    expect(names).to.include.members([
      'controller_runtime_reconcile_total',
      'controller_runtime_reconcile_errors_total',
      'controller_runtime_reconcile_time_seconds',
      'controller_runtime_active_workers',
      'controller_runtime_max_concurrent_reconciles',
      'controller_runtime_terminal_reconcile_errors_total',
      'controller_runtime_reconcile_panics_total',
      'workqueue_depth',
      'workqueue_adds_total',
      'workqueue_queue_duration_seconds',
      'workqueue_work_duration_seconds',
      'workqueue_unfinished_work_seconds',
      'workqueue_longest_running_processor_seconds',
      'workqueue_retries_total',
      'rest_client_requests_total',
      'rest_client_request_duration_seconds',
      'leader_election_master_status',
      'registrytoken_issued_timestamp_seconds',
      'registrytoken_expiry_timestamp_seconds',
      'registrytoken_conditions',
      'registrytoken_account_ready',
      'registrytoken_next_rotation_timestamp_seconds',
      'registrytoken_pods_using',
      'registrytoken_pods_waiting',
      'registrytoken_ready',
      'registrytoken_mints_total',
      'registrytoken_revocations_total',
      'registrytoken_secret_repairs_total',
      'registrytoken_rotation_overdue',
      'registrytoken_revocation_overdue',
      'registrytoken_orphan_tokens',
      'registrytoken_registry_request_duration_seconds',
      'registrytoken_watch_last_event_timestamp_seconds',
      'registrytoken_watch_relists_total',
    ]);
    expect(new Set(names)).to.have.property('size', names.length);
  });

  describe('of reconciliations', () => {
    it('are there at zero before anything happened', async () => {
      const { metrics, samples } = measuring();
      metrics.reconcile.addController('registrytoken', 8);
      expect(await samples('controller_runtime_')).to.include({
        'controller_runtime_reconcile_total{controller="registrytoken",result="error"}': 0,
        'controller_runtime_reconcile_total{controller="registrytoken",result="requeue_after"}': 0,
        'controller_runtime_reconcile_errors_total{controller="registrytoken"}': 0,
        'controller_runtime_reconcile_time_seconds_count{controller="registrytoken"}': 0,
        'controller_runtime_max_concurrent_reconciles{controller="registrytoken"}': 8,
      });
    });

    it('count results, errors, time and busy workers', async () => {
      const { clock, metrics, samples } = measuring();
      const first = metrics.reconcile.start('c');
      metrics.reconcile.start('c');
      await clock.advance(1500);
      first('error');
      metrics.reconcile.terminalError('c');
      metrics.reconcile.panic('c');
      expect(await samples('controller_runtime_')).to.include({
        'controller_runtime_reconcile_total{controller="c",result="error"}': 1,
        'controller_runtime_reconcile_errors_total{controller="c"}': 1,
        'controller_runtime_reconcile_time_seconds_sum{controller="c"}': 1.5,
        'controller_runtime_active_workers{controller="c"}': 1,
        'controller_runtime_terminal_reconcile_errors_total{controller="c"}': 1,
        'controller_runtime_reconcile_panics_total{controller="c"}': 1,
      });
    });
  });

  it('of a work queue follow its keys from adding to the end of the work', async () => {
    const { clock, metrics, samples } = measuring();
    const queue = metrics.workQueues.queue('q');
    queue.added('a');
    queue.added('b');
    await clock.advance(1000);
    queue.started('a');
    await clock.advance(2000);
    expect(await samples('workqueue_')).to.include({
      'workqueue_depth{name="q"}': 1,
      'workqueue_adds_total{name="q"}': 2,
      'workqueue_queue_duration_seconds_sum{name="q"}': 1,
      'workqueue_unfinished_work_seconds{name="q"}': 2,
      'workqueue_longest_running_processor_seconds{name="q"}': 2,
    });
    queue.started('b');
    await clock.advance(500);
    expect(await samples('workqueue_unfinished')).to.deep.equal({
      'workqueue_unfinished_work_seconds{name="q"}': 3,
    });
    queue.finished('a');
    queue.finished('b');
    queue.retried();
    expect(await samples('workqueue_')).to.include({
      'workqueue_depth{name="q"}': 0,
      'workqueue_retries_total{name="q"}': 1,
      'workqueue_work_duration_seconds_sum{name="q"}': 3,
      'workqueue_longest_running_processor_seconds{name="q"}': 0,
    });
  });

  it('of the API client count requests, watches and lists that are refused, and leadership', async () => {
    const { clock, metrics, samples } = measuring();
    metrics.kubeClient.requested('GET', 'api:443', 200, 250);
    metrics.kubeClient.requested('GET', 'api:443', undefined, 250);
    metrics.kubeClient.relisted('secrets');
    await clock.advance(5000);
    metrics.kubeClient.watchEvent('secrets');
    metrics.kubeClient.leading('operator', true);
    expect(await samples('rest_client_')).to.include({
      'rest_client_requests_total{code="200",method="GET",host="api:443"}': 1,
      'rest_client_requests_total{code="<error>",method="GET",host="api:443"}': 1,
      'rest_client_request_duration_seconds_sum{verb="GET",host="api:443"}': 0.5,
    });
    expect(await samples('registrytoken_watch')).to.deep.equal({
      'registrytoken_watch_last_event_timestamp_seconds{resource="secrets"}': Date.parse(NOW) / 1000 + 5,
      'registrytoken_watch_refused{resource="secrets"}': 0,
      'registrytoken_watch_relists_total{resource="secrets"}': 1,
    });
    metrics.kubeClient.refused('secrets', true);
    expect(await samples('registrytoken_watch_refused')).to.deep.equal({
      'registrytoken_watch_refused{resource="secrets"}': 1,
    });
    metrics.kubeClient.leading('operator', false);
    expect(await samples('leader_')).to.deep.equal({ 'leader_election_master_status{name="operator"}': 0 });
  });

  it('of registries tell how long requests take', async () => {
    const { metrics, samples } = measuring([], [account('ibm')]);
    const labels = { account: 'ibm', region: 'us-south', operation: 'mint', code: 201 };
    metrics.registryClient.requested(labels, 500);
    expect(await samples('registrytoken_registry_request_duration_seconds_sum')).to.deep.equal({
      'registrytoken_registry_request_duration_seconds_sum{account="ibm",region="us-south",operation="mint",code="201"}': 0.5,
    });
  });

  describe('of RegistryTokens', () => {
    it('count mints, revocations and repairs', async () => {
      const { metrics, samples } = measuring();
      metrics.token.minted('TokenExpired');
      metrics.token.revoked('success');
      metrics.token.repaired('SecretMissing');
      expect(await samples('registrytoken_')).to.include({
        'registrytoken_mints_total{reason="TokenExpired"}': 1,
        'registrytoken_revocations_total{result="success"}': 1,
        'registrytoken_secret_repairs_total{kind="SecretMissing"}': 1,
      });
    });

    it('count from 0 whatever can happen, so that the first time shows as an increase', async () => {
      // A reason more or less does not compile.
      const mints: Record<MintReason, 0> = {
        FirstIssue: 0,
        PlaceChanged: 0,
        SpecChanged: 0,
        RotationRequested: 0,
        AccountRotation: 0,
        TokenLost: 0,
        TokenExpired: 0,
        RenewalDue: 0,
        RotationDue: 0,
      };
      const repairs: Record<Exclude<WriteReason, 'SecretTakenOver'>, 0> = {
        SecretMissing: 0,
        SecretAltered: 0,
        SecretOutdated: 0,
      };
      const labelled = (metric: string, label: string, values: object) =>
        Object.fromEntries(Object.keys(values).map((value) => [`${metric}{${label}="${value}"}`, 0]));
      const { samples } = measuring();
      expect(await samples('registrytoken_mints_total')).to.deep.equal(
        labelled('registrytoken_mints_total', 'reason', mints),
      );
      expect(await samples('registrytoken_secret_repairs_total')).to.deep.equal(
        labelled('registrytoken_secret_repairs_total', 'kind', repairs),
      );
      expect(await samples('registrytoken_revocations_total')).to.deep.equal(
        labelled('registrytoken_revocations_total', 'result', { success: 0, failure: 0, abandoned: 0 }),
      );
    });

    it('show each object as it is at the scrape, and none that is gone', async () => {
      const ready = condition('Ready', 'True', 'Issued');
      const record = {
        id: '1',
        access: 'ReadOnly',
        issuedAt: NOW,
        revision: 1,
        specHash: 'x',
        account: 'a',
        place: PLACE,
        region: 'eu',
      } as const;
      const tokens = [
        token('app', {
          status: {
            conditions: [ready],
            token: { ...record, expiresAt: '2026-01-02T00:00:00Z' },
            nextRotationTime: '2026-01-01T16:00:00Z',
            pods: { using: 3, waiting: 1 },
          },
        }),
        token('new'),
      ];
      const { samples } = measuring(tokens);
      expect(await samples('registrytoken_ready')).to.deep.equal({
        'registrytoken_ready{namespace="team",name="app"}': 1,
        'registrytoken_ready{namespace="team",name="new"}': 0,
      });
      expect(await samples('registrytoken_issued')).to.deep.equal({
        'registrytoken_issued_timestamp_seconds{namespace="team",name="app"}': Date.parse(NOW) / 1000,
      });
      expect(await samples('registrytoken_expiry')).to.deep.equal({
        'registrytoken_expiry_timestamp_seconds{namespace="team",name="app"}':
          Date.parse('2026-01-02') / 1000,
      });
      expect(await samples('registrytoken_next_rotation')).to.deep.equal({
        'registrytoken_next_rotation_timestamp_seconds{namespace="team",name="app"}':
          Date.parse('2026-01-01T16:00:00Z') / 1000,
      });
      expect(await samples('registrytoken_pods')).to.deep.equal({
        'registrytoken_pods_using{namespace="team",name="app"}': 3,
        'registrytoken_pods_waiting{namespace="team",name="app"}': 1,
      });
      tokens.length = 0;
      expect(await samples('registrytoken_ready')).to.deep.equal({});
      expect(await samples('registrytoken_expiry')).to.deep.equal({});
    });

    it('count conditions by type, status and reason', async () => {
      const failing = condition('Ready', 'False', 'RegistryUnavailable');
      const { samples } = measuring([
        token('one', {
          status: { conditions: [failing, condition('Reconciling', 'True', 'RegistryUnavailable')] },
        }),
        token('two', {
          status: { conditions: [failing, condition('Stalled', 'True', 'MintBudgetExceeded')] },
        }),
        token('new'),
      ]);
      expect(await samples('registrytoken_conditions')).to.deep.equal({
        'registrytoken_conditions{type="Ready",status="False",reason="RegistryUnavailable"}': 2,
        'registrytoken_conditions{type="Reconciling",status="True",reason="RegistryUnavailable"}': 1,
        'registrytoken_conditions{type="Stalled",status="True",reason="MintBudgetExceeded"}': 1,
      });
    });

    it('leave out conditions of others, and count reasons beyond two hundred as Other', async () => {
      const tokens = Array.from({ length: 300 }, (_, n) =>
        token(`t${n}`, {
          status: { conditions: [condition('Ready', 'False', `R${n}`), condition(`T${n}`, 'True', 'X')] },
        }),
      );
      const { samples } = measuring(tokens);
      const series = await samples('registrytoken_conditions');
      expect(Object.keys(series)).to.have.length(201);
      expect(series['registrytoken_conditions{type="Ready",status="False",reason="Other"}']).to.equal(100);
    });

    it('count what is overdue, from two minutes on, and leave suspended ones out', async () => {
      const previousTokens = [
        {
          id: '1',
          revision: 1,
          account: 'a',
          region: 'eu',
          place: PLACE,
          revokeAt: '2026-01-01T01:00:00Z',
          attempts: 1,
        },
      ];
      const { clock, samples } = measuring([
        token('late', { status: { nextRotationTime: '2026-01-01T01:00:00Z' } }),
        token('suspended', { spec: { suspend: true }, status: { nextRotationTime: '2026-01-01T01:00:00Z' } }),
        token('grace', { status: { previousTokens } }),
        token('new'),
      ]);
      await clock.advance(3_600_000 + 120_000);
      expect(Object.values(await samples('registrytoken_rotation_overdue'))).to.deep.equal([0]);
      await clock.advance(1000);
      expect(Object.values(await samples('registrytoken_rotation_overdue'))).to.deep.equal([1]);
      expect(Object.values(await samples('registrytoken_revocation_overdue'))).to.deep.equal([1]);
    });

    it("replace an account's orphans at each sweep", async () => {
      const { metrics, samples } = measuring();
      metrics.token.orphans(
        'a',
        new Map([
          ['eu', 1],
          ['us', 2],
        ]),
      );
      metrics.token.orphans('b', new Map([['eu', 3]]));
      metrics.token.orphans('a', new Map([['us', 0]]));
      expect(await samples('registrytoken_orphan_tokens')).to.deep.equal({
        'registrytoken_orphan_tokens{account="b",region="eu"}': 3,
        'registrytoken_orphan_tokens{account="a",region="us"}': 0,
      });
      metrics.token.orphans('a', new Map());
      expect(Object.keys(await samples('registrytoken_orphan_tokens'))).to.have.length(1);
    });
  });

  it('of ClusterRegistryTokens tell in how many namespaces they are ready, and go with them', async () => {
    const clusterTokens = [
      aClusterToken({ status: { namespaces: { matching: 3, ready: 1, failed: 2 } } }),
      aClusterToken({ metadata: { name: 'new' } }),
    ];
    const { samples } = measuring([], [], clusterTokens);
    expect(await samples('registrytoken_cluster_namespaces')).to.deep.equal({
      'registrytoken_cluster_namespaces{name="everywhere",state="matching"}': 3,
      'registrytoken_cluster_namespaces{name="everywhere",state="ready"}': 1,
      'registrytoken_cluster_namespaces{name="everywhere",state="failed"}': 2,
      'registrytoken_cluster_namespaces{name="new",state="matching"}': 0,
      'registrytoken_cluster_namespaces{name="new",state="ready"}': 0,
      'registrytoken_cluster_namespaces{name="new",state="failed"}': 0,
    });
    clusterTokens.length = 0;
    expect(await samples('registrytoken_cluster_namespaces')).to.deep.equal({});
  });

  it('of RegistryAccounts tell which work, and why not', async () => {
    const accounts = [
      account('works', condition('Ready', 'True', 'CredentialsAccepted')),
      account('refused', condition('Ready', 'False', 'RegistryUnauthorized')),
      account('new'),
    ];
    const { samples } = measuring([], accounts);
    expect(await samples('registrytoken_account_ready')).to.deep.equal({
      'registrytoken_account_ready{account="works",reason="CredentialsAccepted"}': 1,
      'registrytoken_account_ready{account="refused",reason="RegistryUnauthorized"}': 0,
      'registrytoken_account_ready{account="new",reason="NotTriedYet"}': 0,
    });
    accounts.length = 0;
    expect(await samples('registrytoken_account_ready')).to.deep.equal({});
  });
});
