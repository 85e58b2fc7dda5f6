// Generated from crds/ by `npm run generate`. Do not edit.

/**
 * Which registry it is, the credentials to issue with, and what RegistryTokens may ask for. It takes exactly one of the blocks named after a registry.
 */
export interface RegistryAccountSpec {
  /**
   * IBM Cloud Container Registry (icr.io). Tokens are API keys of IAM service IDs. The credentials Secret holds an API key under the key apikey.
   */
  ibmCloud?: {
    /**
     * The IBM Cloud account, 32 hexadecimal digits. Default: the account of the API key. Another account gives up the tokens that were issued in this one.
     */
    accountId?: string;
    /**
     * Base URL of IAM, where the API key is exchanged for an access token. Default: https://iam.cloud.ibm.com. With another one the account has only the regions that it names itself.
     */
    iamEndpoint?: string;
    /**
     * Which hosts Secrets name: Public (us.icr.io), or Private (private.us.icr.io) for clusters on IBM Cloud's private network. Default: Public. A change rewrites Secrets and issues nothing.
     */
    network?: 'Public' | 'Private';
    /**
     * A service ID, such as ServiceId-0a1b2c3d, on which all API keys are created, in place of one for each RegistryToken. Its own policies say what the keys may do, so RegistryTokens can't name a scope; IAM allows it 20 API keys. Needs serviceIdAccess. Default: one for each RegistryToken, made by the operator.
     */
    serviceId?: string;
    /**
     * What the policies of serviceId allow, and so every API key on it can do: ReadOnly pulls, ReadWrite pulls and pushes.
     */
    serviceIdAccess?: 'ReadOnly' | 'ReadWrite';
  };
  /**
   * The registry tokens of IBM Cloud Container Registry, an API of 2017 that IBM has withdrawn. The credentials Secret holds an API key under the key apikey.
   */
  ibmRegistryTokens?: {
    /**
     * The IBM Cloud account, 32 hexadecimal digits. Default: the account of the API key. Another account gives up the tokens that were issued in this one.
     */
    accountId?: string;
    /**
     * Base URL of IAM, where the API key is exchanged for an access token. Default: https://iam.cloud.ibm.com. With another one the account has only the regions that it names itself.
     */
    iamEndpoint?: string;
  };
  /**
   * Harbor. Tokens are robot accounts. The credentials Secret holds username and password of an administrator, a project administrator or a robot.
   */
  harbor?: {
    /**
     * Base URL of Harbor without /api, such as https://harbor.example.com.
     */
    url: string;
    /**
     * Registry host as it stands in image names, such as harbor.example.com. Default: the URL's.
     */
    host?: string;
  };
  /**
   * Amazon ECR. Tokens are short-lived and can't be revoked. The credentials Secret holds accessKeyId and secretAccessKey; without credentialsSecretRef, the operator's pod uses its own identity (IRSA or EKS Pod Identity).
   */
  ecr?: {
    /**
     * The AWS account whose private registry it is, twelve digits; of public ECR, the one whose repositories are pushed to.
     */
    registryId?: string;
    /**
     * Whether it is public ECR (public.ecr.aws) in place of a private registry. Default: false.
     */
    public?: boolean;
    /**
     * The role that every token is a session of, limited by a session policy to the token's access and scope, such as arn:aws:iam::123456789012:role/puller. It takes either this or identityAccess.
     */
    roleArn?: string;
    /**
     * The sts:ExternalId that the trust policy of the role asks for. Default: none is sent.
     */
    externalId?: string;
    /**
     * How long a session of the role lasts, from 15m to 12h. Default: 1h.
     */
    roleSessionDuration?: string;
    /**
     * Without a role, what the identity can do at the registry, and so every token: ReadOnly pulls, ReadWrite pulls and pushes. It takes either this or roleArn.
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
    /**
     * Name of the Secret. New credentials in it are used as soon as they are there.
     */
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
    /**
     * What RegistryTokens call it, such as us-south.
     */
    name: string;
    /**
     * Registry host as it stands in image names, with its port if it has one, such as us.icr.io. Another one replaces it in Secrets once the registry there was seen to accept their tokens.
     */
    host: string;
    /**
     * Base URL of the API that issues tokens, such as https://us.icr.io. Default: https:// and the host.
     */
    endpoint?: string;
  }[];
  /**
   * Endpoints of registries that are gone for good, such as https://old.example.com. A token that was issued there and can't be revoked any more is given up. Default: none.
   */
  abandonedEndpoints?: string[];
  /**
   * Certificates in PEM form of authorities that sign the certificates of this registry and its API, beside those that the operator trusts anyway. Default: none.
   */
  caBundle?: string;
  /**
   * Which namespaces may use this account, by their labels. Default: all. RegistryTokens of a namespace that is no longer selected keep their token, and get no further one.
   */
  namespaceSelector?: {
    /**
     * Labels that a namespace must have, each with this value.
     */
    matchLabels?: {
      [k: string]: string;
    };
    /**
     * Further requirements on labels; all of them must hold.
     */
    matchExpressions?: {
      /**
       * The label that it is about.
       */
      key: string;
      /**
       * In and NotIn compare with values; Exists and DoesNotExist ask whether the label is there.
       */
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
      /**
       * What In and NotIn compare with; none with Exists and DoesNotExist.
       */
      values?: string[];
    }[];
  };
  /**
   * What RegistryTokens may ask of this account. What is not allowed is refused in their Ready condition.
   */
  limits?: {
    /**
     * The most that a token may do: ReadOnly pulls, ReadWrite pulls and pushes. Default: ReadOnly.
     */
    maxAccess?: 'ReadOnly' | 'ReadWrite';
    /**
     * The longest that a token which expires may live at the registry, such as 24h; at least 1m. Default: any.
     */
    maxLifetime?: string;
    /**
     * Whether RegistryTokens may ask for lifetime Never. Default: false.
     */
    allowNeverExpiring?: boolean;
    /**
     * What a RegistryToken's scope may name, such as $(namespace), library or base-*: * stands for any characters within a name, and $(namespace) for the namespace of the RegistryToken. Don't write $(namespace)-*, with which namespace team could name team-a. Where there are any, a RegistryToken must name a scope. Default: any scope, or none.
     */
    scopes?: string[];
  };
  /**
   * The most requests a second to each API that issues tokens: of each region, where regions have an API of their own. Default: 5.
   */
  requestsPerSecond?: number;
  /**
   * Always tries every new token at the registry before a Secret gets it: whether it logs in, and may pull (and push) within its scope. Never does not: for a registry that the operator can't reach, or that has another way to log in. Default: Always.
   */
  verify?: 'Always' | 'Never';
  /**
   * Rotation of all tokens of this account.
   */
  rotation?: {
    /**
     * Any new value, by custom the present time such as 2026-01-31T12:00:00Z, rotates every token of the account now, a few at a time. It is no time to rotate at. Default: none.
     */
    requestedAt?: string;
  };
}

/**
 * What the operator saw of the account. Never holds any part of its credentials.
 */
export interface RegistryAccountStatus {
  /**
   * The metadata.generation this status speaks of.
   */
  observedGeneration?: number;
  /**
   * Ready: the credentials work. ClusterIdConflict: another cluster uses this operator's cluster id at the registry.
   */
  conditions?: {
    /**
     * Kind of the condition; other controllers may add their own.
     */
    type: string;
    /**
     * True, False or Unknown.
     */
    status: 'True' | 'False' | 'Unknown';
    /**
     * The metadata.generation that the condition speaks of.
     */
    observedGeneration?: number;
    /**
     * When status changed last.
     */
    lastTransitionTime: string;
    /**
     * Why, as one word for programs.
     */
    reason: string;
    /**
     * Why, in a sentence for people.
     */
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
   * Every region of the account was searched for tokens that nothing uses at this time or later.
   */
  lastSweepTime?: string;
  /**
   * Tokens that outlived their RegistryToken by its deletionPolicy Retain and that the registry still has. They are never taken for orphans.
   */
  retainedTokens?: {
    /**
     * Its identifier at the registry; no secret.
     */
    id: string;
    /**
     * The region it was issued in.
     */
    region: string;
    /**
     * The part of the registry that it is for; absent when it is for all.
     */
    scope?: string[];
    /**
     * Where it was issued. It can be read and revoked there only.
     */
    place: {
      /**
       * Base URL of the API it was issued by, such as https://iam.cloud.ibm.com.
       */
      endpoint: string;
      /**
       * Whose the account's credentials were there, such as an IBM Cloud account.
       */
      identity: string;
      /**
       * The back end, by the name of its block in the spec of the account.
       */
      provider?: string;
    };
    /**
     * Where the RegistryToken was that it was issued for.
     */
    namespace: string;
    /**
     * Which RegistryToken of that namespace it was issued for.
     */
    name: string;
    /**
     * The metadata.uid of that RegistryToken.
     */
    uid?: string;
  }[];
  /**
   * Progress of the rotation requested last.
   */
  rotation?: {
    /**
     * The value of spec.rotation.requestedAt that is being acted on.
     */
    requestedAt?: string;
    /**
     * How many RegistryTokens have a token issued since.
     */
    done?: number;
    /**
     * How many RegistryTokens are to be rotated.
     */
    total?: number;
  };
}
