import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';

/** Who names a Secret among the imagePullSecrets; absent what may not be read. */
export interface SecretUse {
  /** Pods that have not ended, also those that have it from their ServiceAccount. */
  pods?: number;
  /** The first of the ServiceAccounts, by name. */
  serviceAccounts?: readonly string[];
  /** How many there are beyond these. */
  moreServiceAccounts?: number;
}

interface Named {
  count: number;
  /** The first that name it. */
  names: string[];
}

/** Names that are kept of those that name a Secret. */
const MAX_NAMES = 16;

/** An object that can name Secrets to pull with. */
type Naming = Pick<ServiceAccount, 'metadata' | 'imagePullSecrets'>;

/**
 * Counts the objects that name each of some Secrets. It keeps nothing of the Secrets that it is not asked about, however many others
 * are named.
 */
export class SecretReferences {
  readonly #named: ReadonlyMap<string, Named>;

  /** @param secrets to count for */
  constructor(secrets: readonly { namespace: string; name: string }[]) {
    this.#named = new Map(secrets.map((secret) => [keyOf(secret), { count: 0, names: [] }]));
  }

  add({ metadata: { namespace = '', name }, imagePullSecrets = [] }: Naming): void {
    for (const secret of new Set(imagePullSecrets.map((each) => each.name ?? ''))) {
      const named = this.#named.get(keyOf({ namespace, name: secret }));
      if (!named) continue;
      named.count++;
      if (named.names.length < MAX_NAMES) named.names.push(name);
    }
  }

  of(secret: { namespace: string; name: string }): { count: number; names: readonly string[] } {
    return this.#named.get(keyOf(secret)) ?? { count: 0, names: [] };
  }
}

/** Neither part can hold a slash. */
const keyOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
