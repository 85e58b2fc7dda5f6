// Generated from crds/ by `npm run generate`. Do not edit.

export interface RegistryAccountSpec {
  /**
   * IBM Cloud Container Registry (icr.io). Tokens are API keys of IAM service IDs. The credentials Secret holds an API key under the key apikey.
   */
  ibmCloud?: {
    /**
     * The IBM Cloud account. Default: the account of the API key.
     */
    accountId?: string;
    /**
     * Where the API key is exchanged for an access token.
     */
    iamEndpoint?: string;
    /**
     * Which hosts Secrets name: Public (us.icr.io), or Private (private.us.icr.io) for clusters on IBM Cloud's private network.
     */
    network?: 'Public' | 'Private';
    /**
     * A service ID on which all API keys are created, in place of one for each RegistryToken. Its own policies say what the keys may do, so RegistryTokens can't name a scope; IAM allows it 20 API keys.
     */
    serviceId?: string;
    /**
     * What the policies of serviceId allow, and so every API key on it can do.
     */
    serviceIdAccess?: 'ReadOnly' | 'ReadWrite';
  };
  /**
   * The registry tokens of IBM Cloud Container Registry, an API of 2017 that IBM has withdrawn. The credentials Secret holds an API key under the key apikey.
   */
  ibmRegistryTokens?: {
    /**
     * The IBM Cloud account. Default: the account of the API key.
     */
    accountId?: string;
    /**
     * Where the API key is exchanged for an access token.
     */
    iamEndpoint?: string;
  };
  /**
   * Harbor. Tokens are robot accounts. The credentials Secret holds username and password of an administrator, a project administrator or a robot.
   */
  harbor?: {
    /**
     * Base URL of Harbor, without /api.
     */
    url: string;
    /**
     * Registry host as it stands in image names. Default: the URL's.
     */
    host?: string;
  };
  /**
   * Amazon ECR. Tokens are short-lived and can't be revoked. The credentials Secret holds accessKeyId and secretAccessKey; without credentialsSecretRef, the operator's pod uses its own identity (IRSA or EKS Pod Identity).
   */
  ecr?: {
    /**
     * The AWS account whose private registry it is; of public ECR, whose repositories are pushed to.
     */
    registryId?: string;
    /**
     * Public ECR (public.ecr.aws) in place of a private registry.
     */
    public?: boolean;
    /**
     * The role that every token is a session of, limited by a session policy to the token's access and scope.
     */
    roleArn?: string;
    /**
     * What the trust policy of the role asks for.
     */
    externalId?: string;
    /**
     * How long a session of the role lasts, from 15m to 12h. Default: 1h.
     */
    roleSessionDuration?: string;
    /**
     * Without a role, what the identity can do at the registry.
     */
    identityAccess?: 'ReadOnly' | 'ReadWrite';
    /**
     * Base URL of the token service (STS) in place of AWS's.
     */
    stsEndpoint?: string;
    /**
     * Base URL of public ECR's API in place of AWS's.
     */
    publicEndpoint?: string;
  };
  /**
   * A Secret in the operator's own namespace with the credentials to issue tokens with. Which keys it holds depends on the registry.
   */
  credentialsSecretRef?: {
    name: string;
  };
  /**
   * The region of a RegistryToken that names none, where the registry has regions. Default: us-south at IBM Cloud; at Amazon ECR the first of regions, or us-east-1.
   */
  defaultRegion?: string;
  /**
   * The account's regions, where the registry has regions. They add to the built-in regions or override one of the same name; where iamEndpoint is not IBM Cloud's own, or stsEndpoint not AWS's, they are all there are.
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
   * Certificates in PEM form of authorities that sign the certificates of this registry and its API, beside those that the operator trusts anyway.
   */
  caBundle?: string;
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
    /**
     * Whether a token may never expire.
     */
    allowNeverExpiring?: boolean;
    /**
     * What a RegistryToken's scope may name: * stands for any characters within a name, and $(namespace) for the namespace of the RegistryToken. Where there are any, a RegistryToken must name a scope. Default: any scope, or none.
     */
    scopes?: string[];
  };
  /**
   * The most requests a second to the API that issues tokens.
   */
  requestsPerSecond?: number;
  /**
   * Always tries every new token at the registry before a Secret gets it: whether it logs in, and may pull (and push) within its scope. Never does not: for a registry that the operator can't reach, or that has another way to log in.
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
   * The registry in use.
   */
  provider?: {
    /**
     * The field of spec that says which it is.
     */
    name: string;
    /**
     * Whose the credentials are there: the IBM Cloud or AWS account, or the URL of Harbor.
     */
    identity: string;
  };
  /**
   * Names of scopes that tokens of this account have or may have had, where the registry lists tokens of each name apart; an empty one for tokens of several names, or none. The sweep looks for tokens there.
   */
  scopes?: string[];
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
    scope?: string[];
    /**
     * Where it was issued. It can be read and revoked there only.
     */
    place: {
      /**
       * Base URL of the token API.
       */
      endpoint: string;
      /**
       * Whose the credentials were there.
       */
      identity: string;
      /**
       * The back end, by the name of its block in the spec of the account.
       */
      provider?: string;
    };
    /**
     * Of the RegistryToken.
     */
    namespace: string;
    /**
     * Of the RegistryToken.
     */
    name: string;
    /**
     * Of the RegistryToken.
     */
    uid?: string;
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
