import type { Clock } from '../common/clock.ts';
import type { KubeClient } from '../kube/client/client.ts';
import type { KubeFlags } from './kube-flags.ts';
import type { Format } from './output/listing.ts';
import type { Terminal } from './terminal.ts';

/** A cluster to talk to. */
export interface Cluster {
  client: KubeClient;
  /** Of the kubeconfig's context. */
  namespace: string;
  close: () => Promise<void>;
}

/** What the program has from the process. */
export interface Environment {
  terminal: Terminal;
  clock: Clock;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
  variables: Readonly<Record<string, string | undefined>>;
  version: string;
  /** @throws CommandFailure where the kubeconfig can't be used */
  connect: (flags: KubeFlags) => Cluster;
}

/** What a command works with. */
export interface Context extends Omit<Environment, 'connect'> {
  /** To the cluster, which is not asked for before this is. */
  readonly client: KubeClient;
  /** The one to work in; of `-A` nothing can be told by it. */
  readonly namespace: string;
  /** `-A`. */
  allNamespaces: boolean;
  format: Format;
}

/** The namespace of a list; undefined with `-A`. */
export function listedNamespace({ allNamespaces, namespace }: Context): string | undefined {
  return allNamespaces ? undefined : namespace;
}
