import type { RegistryToken } from '../../api/registry-token.ts';
import type { ObjectName } from '../../common/objects.ts';
import type { Change } from '../../kube/cache/replica.ts';
import type { ScopedReflectors, WatchHealth } from '../../kube/cache/scoped-reflectors.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import { countPods, type PodCounts } from '../../token/workloads/pod-counts.ts';
import { pullHosts, type PodNeeds } from '../../token/workloads/secret-use.ts';
import type { KeptPod } from '../shared/kept-fields.ts';

export interface PodWatchOptions {
  reflectors: ScopedReflectors<KeptPod>;
  /** RegistryTokens that want a Secret of that name. */
  claimants: (namespace: string, secret: string) => readonly RegistryToken[];
  /** RegistryTokens in a namespace; undefined: in all of them. */
  tokensIn: (namespace: string | undefined) => readonly RegistryToken[];
  /** Whether there is a Secret of that name that the operator manages. */
  hasSecret: (name: ObjectName) => boolean;
  /** Takes RegistryTokens whose counts may have changed. */
  onCounts: (token: RegistryToken) => void;
}

/** By what pods are looked up: the Secrets they need. */
export const POD_INDEXES = {
  secret: ({ metadata, needs }: KeptPod): string[] =>
    secretsOf(needs).map((name) => objectKey({ namespace: metadata.namespace, name })),
};

/** Watches pods to count those that use, and those that wait for, the Secrets of RegistryTokens. It keeps what tells that of a pod. */
export class PodWatch {
  readonly #options: PodWatchOptions;

  constructor(options: PodWatchOptions) {
    this.#options = options;
    options.reflectors.onChange((change) => this.#onChange(change));
    options.reflectors.onReadable((namespace) => {
      for (const token of options.tokensIn(namespace)) options.onCounts(token);
    });
  }

  /** For those who look after the health of watches. */
  get watches(): { title: string; readonly health: WatchHealth }[] {
    return this.#options.reflectors.watches;
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#options.reflectors.run(signal);
  }

  /** Resolves once it knows every pod that it is let see. @throws the signal's reason */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await this.#options.reflectors.whenSynced(signal);
  }

  /** Pods that use and wait for the Secret that a RegistryToken wants. @returns undefined while they are not known */
  counts(token: RegistryToken): PodCounts | undefined {
    const { reflectors, hasSecret } = this.#options;
    const { namespace } = token.metadata;
    if (!reflectors.sees(namespace)) return undefined;
    const name = wantedSecret(token);
    const pods = reflectors.byIndex('secret', objectKey({ namespace, name }));
    const needs = pods.flatMap((pod) => pod.needs ?? []);
    return countPods(needs, { name, hosts: pullHosts(token), exists: hasSecret({ namespace, name }) });
  }

  #onChange({ type, object, previous }: Change<KeptPod>): void {
    const now = type === 'deleted' ? undefined : object.needs;
    // Needs that are equal are mostly one value: what else changes of a pod concerns nobody.
    if (now === previous?.needs) return;
    const { claimants, onCounts } = this.#options;
    const { namespace = '' } = object.metadata;
    for (const name of new Set([...secretsOf(now), ...secretsOf(previous?.needs)]))
      for (const token of claimants(namespace, name)) onCounts(token);
  }
}

function secretsOf(needs: PodNeeds | undefined): string[] {
  return needs ? [...new Set([...needs.pullSecrets, ...needs.mounted])] : [];
}
