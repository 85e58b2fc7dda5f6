import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

const FILES = new URL('../../../charts/registry-token-operator/files/', import.meta.url);
export const RULES = new URL('rules.yaml', FILES);

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface Panel {
  id: number;
  title: string;
  type: string;
  description?: string;
  datasource?: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; refId: string; instant?: boolean; datasource: { uid: string } }[];
}

export interface Dashboard {
  uid: string;
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
  panels: Panel[];
}

export async function readRules(): Promise<Rule[]> {
  const { groups } = parse(await readFile(RULES, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(new URL('dashboard.json', FILES), 'utf8')) as Dashboard;
}

/** A panel's query as Grafana would send it, with every namespace chosen. */
export function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10s').replaceAll('$namespace', '.*');
}
