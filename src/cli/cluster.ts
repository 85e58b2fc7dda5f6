import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import { KubeClient } from '../kube/client/client.ts';
import { loadKubeConfig } from '../kube/kubeconfig/kube-config.ts';
import { httpTransport } from '../kube/transport/http-transport.ts';
import type { Transport } from '../kube/transport/transport.ts';
import type { Cluster } from './context.ts';
import { CommandFailure } from './failure.ts';
import { readTimeout, type KubeFlags } from './kube-flags.ts';
import { plain } from './output/table.ts';

/** Field manager of what the plugin writes, and the start of its user agent. */
const PROGRAM = 'kubectl-registrytoken';

const silent = (): void => undefined;
const SILENT: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * The cluster that the flags and the kubeconfig say.
 * @param paths as in KUBECONFIG
 * @param tell takes the warnings that come with the API server's answers: a line for each, once, as kubectl prints them
 * @throws CommandFailure
 */
export function connect(
  flags: KubeFlags,
  {
    paths,
    clock,
    version,
    tell,
  }: { paths: string | undefined; clock: Clock; version: string; tell: (line: string) => void },
): Cluster {
  const timeout = readTimeout(flags.requestTimeout);
  if (timeout === null)
    throw new CommandFailure(
      `--request-timeout is ${JSON.stringify(flags.requestTimeout)}`,
      'give it such as 30s or 2m',
    );
  try {
    const kubeConfig = loadKubeConfig(flags.kubeconfig ?? paths, flags);
    const told = new Set<string>();
    const onWarning = (text: string): void => {
      if (!told.has(text)) tell(`Warning: ${plain(text)}\n`);
      told.add(text);
    };
    const options = { clock, logger: SILENT, userAgent: `${PROGRAM}/${version}`, onWarning };
    const transport = withTimeout(httpTransport(kubeConfig, options), timeout);
    const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
    return {
      client: new KubeClient(transport, { fieldManager: PROGRAM }),
      // As kubectl has it, one without a name is none: to the API server it would be all.
      namespace: flags.namespace || context?.namespace || 'default',
      close: () => transport.close(),
    };
  } catch (error) {
    throw new CommandFailure(
      error instanceof Error ? error.message : String(error),
      'check with: kubectl config view, and give another --context or --kubeconfig',
    );
  }
}

/** Calls that name no time limit get this one. */
function withTimeout(transport: Transport, timeout: number | undefined): Transport {
  if (timeout === undefined) return transport;
  return {
    request: (call) => transport.request({ timeout, ...call }),
    stream: (call) => transport.stream(call),
    close: () => transport.close(),
  };
}
