import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../../sandbox/free-port.ts';
import { RULES } from './queries.ts';

export interface Sample {
  metric: Record<string, string>;
}

export interface EvaluatedRule {
  name: string;
  type: 'alerting' | 'recording';
  health: 'ok' | 'err' | 'unknown';
  lastError?: string;
  state?: 'inactive' | 'pending' | 'firing';
}

export interface Prometheus {
  /** What a query gives now. @throws Error with what Prometheus said when it does not understand the query */
  query(expr: string): Promise<Sample[]>;
  rules(): Promise<EvaluatedRule[]>;
  stop(): Promise<void>;
}

/**
 * Starts a Prometheus that scrapes one target every second and evaluates the project's rules.
 * @param folder for its files
 * @param target host and port
 */
export async function startPrometheus(folder: string, target: string): Promise<Prometheus> {
  const address = `127.0.0.1:${await freePort()}`;
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [fileURLToPath(RULES)],
    scrape_configs: [{ job_name: 'operator', honor_labels: true, static_configs: [{ targets: [target] }] }],
  };
  const path = join(folder, 'prometheus.yaml');
  await writeFile(path, stringify(configuration));
  const flags = [
    `--config.file=${path}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ];
  const child = spawn('prometheus', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit');
  const get = async <T>(page: string): Promise<T> => {
    const answer = await fetch(`http://${address}${page}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(error);
    return data;
  };
  await eventually(`Prometheus is ready; it said: ${said}`, async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}: ${said}`);
    return (await fetch(`http://${address}/-/ready`)).ok;
  });
  return {
    async query(expr) {
      const page = `/api/v1/query?${new URLSearchParams({ query: expr }).toString()}`;
      return (await get<{ result: Sample[] }>(page)).result;
    },
    async rules() {
      const { groups } = await get<{ groups: { rules: EvaluatedRule[] }[] }>('/api/v1/rules');
      return groups.flatMap(({ rules }) => rules);
    },
    async stop() {
      child.kill();
      await exited;
    },
  };
}
