import { formatDuration } from '../api/syntax/duration.ts';
import { plain, type Answer, type Routes } from './http-server.ts';

export interface CheckResult {
  ok: boolean;
  /** For people: what is so, or what is missing. */
  detail: string;
}

export type Check = () => CheckResult;

/** Named checks, in the order they are shown. */
export type Checks = Readonly<Record<string, Check>>;

/**
 * Pages as the API server's own: `ok`, or each check on a line of its own when one fails or with `?verbose`. /healthz is the
 * old name of /livez.
 */
export function healthRoutes(checks: { liveness: Checks; readiness: Checks }): Routes {
  const page = (name: string, named: Checks) => (query: URLSearchParams) =>
    report(name, named, query.has('verbose'));
  return {
    '/healthz': page('healthz', checks.liveness),
    '/livez': page('livez', checks.liveness),
    '/readyz': page('readyz', checks.readiness),
  };
}

function report(name: string, checks: Checks, verbose: boolean): Answer {
  const results = Object.entries(checks).map(([check, run]) => ({ check, ...run() }));
  const ok = results.every((result) => result.ok);
  if (ok && !verbose) return plain(200, 'ok');
  const lines = results.map((result) =>
    result.ok ? `[+]${result.check} ok: ${result.detail}` : `[-]${result.check} failed: ${result.detail}`,
  );
  return plain(ok ? 200 : 500, [...lines, `${name} check ${ok ? 'passed' : 'failed'}`].join('\n'));
}

/** A watch, as far as readiness cares. */
export interface WatchState {
  /** Whether everything there is was seen once. */
  synced: boolean;
  /** Whether it shows life; false while it is broken or silent beyond its limit. */
  live: boolean;
  /** The API server refuses it in this namespace, but not in all of those that are watched. */
  excused?: boolean;
}

/** Ready once everything was seen, and for as long as changes arrive; one namespace that can't be read does not keep it from being so. */
export function watchCheck(watch: () => WatchState): Check {
  return () => {
    const { synced, live, excused } = watch();
    if (excused) return { ok: true, detail: 'refused by the API server; other namespaces are watched' };
    if (!synced) return { ok: false, detail: 'the first list is not complete' };
    return live ? { ok: true, detail: 'watching' } : { ok: false, detail: 'the watch shows no life' };
  };
}

/**
 * Alive unless a piece of work has been under way for longer than all its timeouts together: it waits for something that never
 * comes, its worker is lost, and only a restart brings it back. (A blocked event loop needs no check: the probe gets no answer.)
 * @param longestRunning age of the oldest work under way, in milliseconds
 * @param limit in milliseconds
 */
export function workCheck(longestRunning: () => number, limit: number): Check {
  return () => {
    const age = longestRunning();
    return age <= limit
      ? { ok: true, detail: 'working' }
      : {
          ok: false,
          detail: `a reconciliation has been under way for ${formatDuration(age)}, at most ${formatDuration(limit)} is expected`,
        };
  };
}
