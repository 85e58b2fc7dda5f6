import type { Pod } from '../../token/workloads/pods.ts';
import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';

/** Who names a Secret among the imagePullSecrets. */
export interface SecretUse {
  /** Pods that have not ended, also those that have it from their ServiceAccount. */
  pods: number;
  /** The first of the ServiceAccounts, by name. */
  serviceAccounts: readonly string[];
  /** How many there are beyond these. */
  moreServiceAccounts: number;
}

interface Tally {
  pods: number;
  serviceAccounts: string[];
  moreServiceAccounts: number;
}

/** ServiceAccounts of a Secret that are kept by name. */
const MAX_NAMED = 16;

/**
 * Counts who names which Secret. It keeps something of those Secrets only that it is asked about, however many others pods and
 * ServiceAccounts name.
 */
export class SecretReferences {
  readonly #tallies: ReadonlyMap<string, Tally>;

  /** @param secrets to count for */
  constructor(secrets: readonly { namespace: string; name: string }[]) {
    this.#tallies = new Map(
      secrets.map((secret) => [keyOf(secret), { pods: 0, serviceAccounts: [], moreServiceAccounts: 0 }]),
    );
  }

  addPod({ metadata, spec, status }: Pick<Pod, 'metadata' | 'spec' | 'status'>): void {
    const { phase } = status ?? {};
    if (phase === 'Succeeded' || phase === 'Failed') return;
    for (const tally of this.#named(metadata.namespace, spec.imagePullSecrets)) tally.pods++;
  }

  addServiceAccount({
    metadata,
    imagePullSecrets,
  }: Pick<ServiceAccount, 'metadata' | 'imagePullSecrets'>): void {
    for (const tally of this.#named(metadata.namespace, imagePullSecrets))
      if (tally.serviceAccounts.length < MAX_NAMED) tally.serviceAccounts.push(metadata.name);
      else tally.moreServiceAccounts++;
  }

  of(secret: { namespace: string; name: string }): SecretUse {
    return this.#tallies.get(keyOf(secret)) ?? { pods: 0, serviceAccounts: [], moreServiceAccounts: 0 };
  }

  #named(namespace = '', pullSecrets: readonly { name?: string }[] = []): Tally[] {
    const names = new Set(pullSecrets.map(({ name }) => name ?? ''));
    return [...names].flatMap((name) => this.#tallies.get(keyOf({ namespace, name })) ?? []);
  }
}

/** Neither part can hold a slash. */
const keyOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
