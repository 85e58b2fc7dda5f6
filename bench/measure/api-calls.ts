import { GROUP } from '../../src/api/names.ts';

/** How often a server was asked for what, by `VERB resource`, as `PATCH registrytokens/status`. */
export type ApiCalls = ReadonlyMap<string, number>;

/** What an operator has to do with; the rest is the server's own. */
const GROUPS: ReadonlySet<string> = new Set([GROUP, 'events.k8s.io', 'coordination.k8s.io']);
const CORE: ReadonlySet<string> = new Set(['secrets', 'namespaces', 'serviceaccounts', 'pods', 'events']);
const COUNTER = /^apiserver_request_total\{(.*)\} (\S+)$/;

/**
 * Reads an API server's counters of requests. Watches and lists of the server itself are in there as well, so only a difference
 * over a time in which it has none tells what others asked.
 * @param lines of /metrics
 */
export function readApiCalls(lines: Iterable<string>): ApiCalls {
  const calls = new Map<string, number>();
  for (const line of lines) {
    const [, labels, count] = COUNTER.exec(line) ?? [];
    if (labels === undefined) continue;
    const { verb = '', group = '', resource = '', subresource = '' } = readLabels(labels);
    if (!(group === '' ? CORE.has(resource) : GROUPS.has(group))) continue;
    add(calls, nameOf(verb, resource, subresource), Number(count));
  }
  return calls;
}

/** `VERB resource/subresource` of a call. */
export function nameOf(verb: string, resource: string, subresource: string): string {
  return `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
}

/** Counts of several servers together. */
export function sumOf(servers: readonly ApiCalls[]): ApiCalls {
  const sum = new Map<string, number>();
  for (const calls of servers) for (const [name, count] of calls) add(sum, name, count);
  return sum;
}

/** What was asked between two readings. */
export function callsBetween(before: ApiCalls, after: ApiCalls): ApiCalls {
  const entries = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return new Map(entries.filter(([, count]) => count > 0).sort(([a], [b]) => a.localeCompare(b)));
}

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
}

function add(calls: Map<string, number>, name: string, count: number): void {
  calls.set(name, (calls.get(name) ?? 0) + count);
}
