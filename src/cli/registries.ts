import type { HttpClientOptions } from '../registry/http/http-client.ts';
import type { RegistryMetrics } from '../registry/http/metrics.ts';
import { registryProxy } from '../registry/http/proxy.ts';
import type { Context } from './context.ts';

/** Milliseconds for one request to a registry. */
const TIMEOUT = 30_000;

/** Nobody counts the requests of a command. */
export const NO_METRICS: RegistryMetrics = { requested: () => undefined };

/** What requests to registries are sent with: as the operator does, and through the proxy of the environment. */
export function registryHttp({
  clock,
  version,
  variables,
}: Pick<Context, 'clock' | 'version' | 'variables'>): HttpClientOptions {
  const userAgent = `kubectl-registrytoken/${version}`;
  return { clock, userAgent, timeout: TIMEOUT, proxy: registryProxy(variables) };
}
