import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { findCondition } from '../../src/api/conditions.ts';
import { ROTATE_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { eventually } from '../support/eventually.ts';
import { startPrometheus, type Prometheus } from './support/prometheus.ts';
import { filledIn, readDashboard, readRules } from './support/queries.ts';
import { startOperator, type RunningOperator } from './support/running-operator.ts';

const APP = { namespace: 'default', name: 'app' };
const OBSTRUCTED = { namespace: 'default', name: 'obstructed' };

describe('a Prometheus that scrapes the operator', function () {
  this.timeout(180_000);
  let folder: string;
  let operator: RunningOperator | undefined;
  let prometheus: Prometheus | undefined;

  before(async function () {
    const missing = await missingPrograms('prometheus');
    if (missing.length > 0) {
      process.stdout.write('    skipped: prometheus not on the PATH\n');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'observability-'));
    operator = await startOperator(folder);
    prometheus = await startPrometheus(folder, operator.metrics);
    await eventually(
      'the operator is scraped',
      async () => (await ask('registrytoken_build_info')).length === 1,
    );
    await liveThrough(operator);
  });

  after(async () => {
    await prometheus?.stop();
    await operator?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const ask: Prometheus['query'] = async (expr) => prometheus!.query(expr);

  /** A mint, a rotation, a revocation and a repair, each seen by a scrape before the next. */
  async function liveThrough({ client }: RunningOperator): Promise<void> {
    const status = async () => (await client.get<RegistryToken>(REGISTRY_TOKENS, APP)).status;
    const apiVersion = 'pullsecrets.dev/v1alpha1';
    const manifest = {
      apiVersion,
      kind: 'RegistryToken',
      metadata: APP,
      spec: { lifetime: '24h', rotation: { gracePeriod: '0s' } },
    };
    await client.apply(REGISTRY_TOKENS, manifest, { force: true });
    const forTeams = {
      apiVersion,
      kind: 'ClusterRegistryToken',
      metadata: { name: 'teams' },
      spec: { namespaceSelector: { matchLabels: { team: 'to-come' } }, template: { spec: {} } },
    };
    await client.apply(CLUSTER_REGISTRY_TOKENS, forTeams, { force: true });
    await eventually(
      'it is Ready',
      async () => findCondition((await status())?.conditions, 'Ready')?.status === 'True',
    );
    await eventually('that is scraped', async () => (await ask('registrytoken_ready == 1')).length === 1);
    await client.mergePatch(REGISTRY_TOKENS, APP, {
      metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } },
    });
    await eventually('it is rotated', async () => {
      const { token, previousTokens = [] } = (await status()) ?? {};
      return token?.revision === 2 && previousTokens.length === 0;
    });
    const { uid } = (await client.get(SECRETS, APP)).metadata;
    await client.delete(SECRETS, APP);
    await eventually('it is repaired', async () => (await client.get(SECRETS, APP)).metadata.uid !== uid);
    for (const counter of ['mints', 'revocations', 'secret_repairs']) {
      await eventually(
        `${counter} are scraped twice`,
        async () => (await ask(`count_over_time(registrytoken_${counter}_total[10s]) > 1`)).length > 0,
      );
    }
  }

  /** Has a registry refuse to create a token, and waits until that is scraped twice. */
  async function failAt({ client, service }: RunningOperator): Promise<void> {
    service.faults.add({ operation: 'mint', kind: 'status', status: 500 });
    const manifest = { apiVersion: 'pullsecrets.dev/v1alpha1', kind: 'RegistryToken', metadata: OBSTRUCTED };
    await client.apply(REGISTRY_TOKENS, { ...manifest, spec: {} }, { force: true });
    for (const series of [
      'registrytoken_registry_request_duration_seconds_count{code="500"}',
      'registrytoken_conditions{type="Reconciling", status="True"}',
    ]) {
      const twice = `count_over_time(${series}[10s]) > 1`;
      await eventually(`${series} is scraped twice`, async () => (await ask(twice)).length > 0);
    }
  }

  it('understands every rule, and nothing is wrong', async () => {
    const expected = (await readRules()).map(({ alert, record }) => alert ?? record);
    await eventually('each rule is evaluated', async () =>
      (await prometheus!.rules()).every(({ health }) => health !== 'unknown'),
    );
    const rules = await prometheus!.rules();
    expect(rules.map(({ name }) => name)).to.have.members(expected);
    for (const { name, health, lastError, state = 'inactive' } of rules) {
      expect({ health, lastError, state }, name).to.include({ health: 'ok', state: 'inactive' });
    }
  });

  it('finds every series that a rule asks for', async () => {
    const series = /(?<![:\w])(?:registrytoken|controller_runtime|leader_election)_\w+(?![\w:])/g;
    const names = new Set((await readRules()).flatMap(({ expr }) => expr.match(series) ?? []));
    for (const name of names) expect(await ask(name), name).not.to.be.empty;
    expect(
      await ask('registrytoken_conditions{type="Ready", status="True", reason="Issued"}'),
    ).to.have.length(1);
    // What rules record comes with their next evaluation.
    for (const recorded of ['expiry_left_seconds', 'margin_seconds'])
      await eventually(
        `${recorded} is recorded`,
        async () => (await ask(`namespace_name:registrytoken_${recorded}:max`)).length === 1,
      );
  });

  it('keeps the namespace of a RegistryToken', async () => {
    const [sample] = await ask('registrytoken_ready');
    expect(sample?.metric).to.include(APP);
  });

  it('has something to show in each panel of the dashboard, once a registry fails', async () => {
    await failAt(operator!);
    const { panels, templating } = await readDashboard();
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const series = await ask(filledIn(expr));
        expect(series, `${title}: ${expr}`).not.to.be.empty;
      }
    }
    const variables = templating.list.filter(({ type }) => type === 'query').map(({ query }) => query);
    expect(variables).to.deep.equal([
      { query: 'label_values(registrytoken_ready, namespace)', refId: 'namespace' },
    ]);
  });

  it('notices when the operator is gone', async () => {
    await operator!.stop();
    await eventually('the alert waits', async () =>
      (await prometheus!.rules()).some(
        ({ name, state }) => name === 'RegistryTokenOperatorDown' && state === 'pending',
      ),
    );
  });
});
