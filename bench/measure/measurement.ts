import type { BenchCluster } from '../cluster/cluster.ts';
import type { RegistryProcess } from '../registry/registry-process.ts';
import { callsBetween, type ApiCalls } from './api-calls.ts';
import { machineCpu, usageOf, whenAtRest } from './process-usage.ts';

/** What one did, and what it took. */
export interface Measurement<T> {
  result: T;
  /** Milliseconds of processor time that its process used. */
  cpu: number;
  /** The same for all processes of the machine, until the result was there. */
  machineCpu: number;
  /** Bytes of memory of its process: the most so far, and in the end. */
  peak: number;
  rss: number;
  /** Calls to the API server, whoever made them. */
  calls: ApiCalls;
  /** Requests to the registry, by operation. */
  requests: Record<string, number>;
}

/**
 * Measures a process until what it has to do is done and it has come to rest, so that what it does in the background counts.
 * @param act gives the process, which it may start, beside its result
 * @param running the process, where it runs already: what it has used before does not count
 */
export async function measure<T>(
  { cluster, registry }: { cluster: BenchCluster; registry: RegistryProcess },
  act: () => Promise<{ process: { pid: number }; result: T }>,
  running?: { pid: number },
): Promise<Measurement<T>> {
  const calls = await cluster.calls();
  const requests = await registry.requests();
  const used = running ? (await usageOf(running.pid)).cpu : 0;
  const busy = await machineCpu();
  const { process, result } = await act();
  const machine = (await machineCpu()) - busy;
  await whenAtRest(process.pid);
  const { cpu, peak, rss } = await usageOf(process.pid);
  const requested = Object.entries(await registry.requests()).map(
    ([operation, count]) => [operation, count - (requests[operation] ?? 0)] as const,
  );
  return {
    result,
    cpu: cpu - used,
    machineCpu: machine,
    peak,
    rss,
    calls: callsBetween(calls, await cluster.calls()),
    requests: Object.fromEntries(requested),
  };
}
