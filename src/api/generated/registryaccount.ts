// Generated from crds/ by `npm run generate`. Do not edit.

export interface RegistryAccountSpec {
  /**
   * Which API creates the tokens.
   */
  provider: 'IBMRegistryTokens';
  /**
   * A Secret in the operator's own namespace; its key apikey holds the API key.
   */
  credentialsSecretRef: {
    name: string;
  };
  /**
   * Registry account. Default, the account of the API key.
   */
  accountId?: string;
  /**
   * Where the API key is exchanged for an access token.
   */
  iamEndpoint?: string;
  /**
   * The region of a RegistryToken that names none.
   */
  defaultRegion?: string;
  /**
   * The account's regions. Where iamEndpoint is IBM Cloud's own, they add to the built-in regions or override one of the same name; everywhere else they are all there are.
   */
  regions?: {
    name: string;
    /**
     * Registry host as it stands in image names, with its port if it has one.
     */
    host: string;
    /**
     * Base URL of the token API. Default: https:// and the host.
     */
    endpoint?: string;
  }[];
  /**
   * Endpoints of registries that are gone for good. A token that was issued there and can't be revoked any more is given up.
   */
  abandonedEndpoints?: string[];
  /**
   * Which namespaces may use this account, by their labels. Default: all.
   */
  namespaceSelector?: {
    matchLabels?: {
      [k: string]: string;
    };
    matchExpressions?: {
      key: string;
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
      values?: string[];
    }[];
  };
  /**
   * What RegistryTokens may ask of this account.
   */
  limits?: {
    maxAccess?: 'ReadOnly' | 'ReadWrite';
    /**
     * The longest lifetime of a token that expires. Default: any.
     */
    maxLifetime?: string;
    allowNeverExpiring?: boolean;
  };
  /**
   * The most requests a second to the token API of each region of this account.
   */
  requestsPerSecond?: number;
  /**
   * Always tries every new token at the registry, as docker login does, before a Secret gets it. Never does not: for a registry that the operator can't reach, or that has another way to log in.
   */
  verify?: 'Always' | 'Never';
  /**
   * Rotation of all tokens of this account.
   */
  rotation?: {
    /**
     * Any new value, by custom the present time, rotates every token of the account now, a few at a time. It is no time to rotate at.
     */
    requestedAt?: string;
  };
}

export interface RegistryAccountStatus {
  observedGeneration?: number;
  /**
   * Ready: the credentials work.
   */
  conditions?: {
    type: string;
    status: 'True' | 'False' | 'Unknown';
    observedGeneration?: number;
    lastTransitionTime: string;
    reason: string;
    message: string;
  }[];
  /**
   * Reason of the Ready condition.
   */
  reason?: string;
  /**
   * Since when the account is ready with its present spec and credentials; absent while it is not. Failures from before that are not waited out.
   */
  readySince?: string;
  /**
   * The registry account in use.
   */
  accountId?: string;
  /**
   * RegistryTokens that refer to this account.
   */
  tokens?: number;
  /**
   * Tokens at the registry with this cluster's marker that nothing uses.
   */
  orphans?: number;
  /**
   * Every region of the account was searched for such tokens at this time or later.
   */
  lastSweepTime?: string;
  /**
   * Tokens that outlived their RegistryToken by its deletionPolicy Retain and that the registry still has. They are never taken for orphans.
   */
  retainedTokens?: {
    /**
     * Identifier at the registry.
     */
    id: string;
    region: string;
    /**
     * Where it was issued. It can be read and revoked there only.
     */
    place: {
      /**
       * Base URL of the token API.
       */
      endpoint: string;
      /**
       * The account at the registry.
       */
      accountId: string;
    };
    /**
     * Of the RegistryToken.
     */
    namespace: string;
    /**
     * Of the RegistryToken.
     */
    name: string;
  }[];
  /**
   * Progress of the rotation requested last.
   */
  rotation?: {
    requestedAt?: string;
    done?: number;
    total?: number;
  };
}
