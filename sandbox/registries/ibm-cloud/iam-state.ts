/** What IAM holds of one account. Times in milliseconds since 1970. */
export interface ServiceId {
  /** `ServiceId-<uuid>`. */
  id: string;
  name: string;
  description: string;
  /** undefined: the account's default group. */
  groupId: string | undefined;
  locked: boolean;
  createdAt: number;
  deletedAt: number | undefined;
}

export interface Group {
  id: string;
  name: string;
  createdAt: number;
}

/** What a policy grants on the container registry. */
export interface Policy {
  id: string;
  iamId: string;
  /** The last part of their CRNs. */
  roles: string[];
  /** Attributes of the resource by name. */
  attributes: Readonly<Record<string, string>>;
  description: string;
  createdAt: number;
  deletedAt: number | undefined;
}

export interface Key {
  /** `ApiKey-<uuid>`. */
  id: string;
  iamId: string;
  name: string;
  description: string;
  value: string;
  /** null when it never expires. */
  expiresAt: number | null;
  disabled: boolean;
  createdAt: number;
  deletedAt: number | undefined;
}

/** How long IAM, which is eventually consistent, takes. Milliseconds. */
export interface Lag {
  /** Until what was created can be read, and what was deleted no longer is. */
  reading: number;
  /** Until a policy is in effect. */
  policy: number;
}

export interface Quotas {
  keysPerIdentity: number;
  serviceIds: number;
  policies: number;
}

/** Everything in one account. Several regions of a registry share it. */
export class IamState {
  readonly accountId: string;
  readonly groups = new Map<string, Group>();
  readonly serviceIds = new Map<string, ServiceId>();
  readonly policies = new Map<string, Policy>();
  readonly keys = new Map<string, Key>();
  readonly lag: Lag = { reading: 0, policy: 0 };
  readonly quotas: Quotas = { keysPerIdentity: 20, serviceIds: 2000, policies: 4020 };
  /** `iam_id`s that may manage identities and policies. */
  readonly administrators = new Set<string>();

  constructor(accountId: string) {
    this.accountId = accountId;
  }

  /** Whether a read sees an object. */
  isVisible(
    { createdAt, deletedAt }: { createdAt: number; deletedAt?: number | undefined },
    now: number,
  ): boolean {
    const { reading } = this.lag;
    return createdAt + reading <= now && (deletedAt === undefined || deletedAt + reading > now);
  }

  /** The live key of a value, with the identity it belongs to. */
  keyOf(value: string, now: number): Key | undefined {
    return [...this.keys.values()].find((key) => key.value === value && this.isAlive(key, now));
  }

  isAlive({ deletedAt, disabled, expiresAt }: Key, now: number): boolean {
    return deletedAt === undefined && !disabled && (expiresAt ?? Infinity) > now;
  }

  /** Roles that an identity has on a registry namespace of a region, by the policies that are in effect. */
  rolesOn(iamId: string, region: string, namespace: string, now: number): ReadonlySet<string> {
    const { policy: lag } = this.lag;
    const roles = new Set<string>();
    for (const policy of this.policies.values()) {
      const { attributes } = policy;
      const inEffect =
        policy.iamId === iamId && policy.deletedAt === undefined && policy.createdAt + lag <= now;
      const place =
        region === 'global'
          ? attributes.region === undefined && (attributes.geography ?? 'global') === 'global'
          : attributes.geography === undefined && (attributes.region ?? region) === region;
      const covers = attributes.resource === undefined || attributes.resource === namespace;
      if (inEffect && place && covers) for (const role of policy.roles) roles.add(role);
    }
    return roles;
  }
}
