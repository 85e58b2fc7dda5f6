// Generated from crds/ by `npm run generate`. Do not edit.

/**
 * Which namespaces get a RegistryToken, and what it says.
 */
export interface ClusterRegistryTokenSpec {
  /**
   * Which namespaces get a RegistryToken, by their labels. An empty selector matches every namespace. Each namespace has its name in the label kubernetes.io/metadata.name.
   */
  namespaceSelector: {
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
   * The RegistryToken that each of the namespaces gets.
   */
  template: {
    /**
     * Labels and annotations of each RegistryToken. Others that people add to one stay there.
     */
    metadata?: {
      /**
       * Labels of each RegistryToken, such as team: platform. Keys that begin with pullsecrets.dev/ are refused.
       */
      labels?: {
        [k: string]: string;
      };
      /**
       * Annotations of each RegistryToken. Keys that begin with pullsecrets.dev/ are refused.
       */
      annotations?: {
        [k: string]: string;
      };
    };
    /**
     * What token is wanted, and where its Secret goes.
     */
    spec?: {
      /**
       * The RegistryAccount whose credentials issue the token. Default: the one named default.
       */
      accountRef?: {
        /**
         * Name of a RegistryAccount, which is cluster-scoped. Default: default. Another name issues a new token.
         */
        name?: string;
      };
      /**
       * The registry's region, such as us-south, where the registry has regions. Default: the account's defaultRegion. Another region issues a new token.
       */
      region?: string;
      /**
       * The parts of the registry that the token is for, as names in images after the host, such as team-a: registry namespaces of IBM Cloud, projects of Harbor, repositories of Amazon ECR. Default: all that the account can give. Other names issue a new token.
       */
      scope?: string[];
      /**
       * ReadOnly can pull; ReadWrite can pull and push. Default: ReadOnly. A change issues a new token.
       */
      access?: 'ReadOnly' | 'ReadWrite';
      /**
       * How long each token is in use at the most: hours, minutes and seconds such as 24h or 1h30m, at least 1m, or Never for a token that does not expire. What the registry can't give exactly is rounded up, never past the account's limits.maxLifetime. Default: 24h; at Amazon ECR, what the registry gives. A change issues a new token.
       */
      lifetime?: string;
      /**
       * Shown at the registry beside each new token, before the operator's own marker; at most 128 characters. Default: none. Amazon ECR shows none.
       */
      description?: string;
      /**
       * When the token is replaced, and how long the previous token stays valid.
       */
      rotation?: {
        /**
         * Auto replaces the token on schedule. Manual replaces it only on request (annotation pullsecrets.dev/rotate) or when the wanted token changes; repair and revocation go on. Default: Auto.
         */
        policy?: 'Auto' | 'Manual';
        /**
         * How long before it expires a token is replaced, such as 8h; at least 1m and shorter than lifetime. Default: a third of the time that the token is in use.
         */
        renewBefore?: string;
        /**
         * For lifetime Never: the token is replaced this long after it was issued, such as 720h; at least 1m. Default: never.
         */
        rotateEvery?: string;
        /**
         * How long the previous token stays valid after the Secret was switched, such as 1h, at most 720h; 0s revokes it at once. A shorter one counts for previous tokens there are, too. Means nothing where tokens can't be revoked. Default: the operator's --default-grace-period (1h).
         */
        gracePeriod?: string;
      };
      /**
       * The Secret to write, of type kubernetes.io/dockerconfigjson, in this namespace.
       */
      secret?: {
        /**
         * Name of the Secret. Default: the name of the RegistryToken.
         */
        name?: string;
        /**
         * Whether a Secret of that name that was not made for this RegistryToken, and that nothing controls, is taken over, if it holds credentials of no other registry. What it holds stays until the registry was seen to accept the new token. Default: false.
         */
        adopt?: boolean;
        /**
         * Further registry hosts for which the Secret holds the same credential: host, host:port or [address]:port as in images' names, such as registry.example.com:5000, or *.example.com for all hosts right below a domain. Default: none. A change rewrites the Secret and issues nothing.
         */
        extraHosts?: string[];
        /**
         * Labels for the Secret, such as team: a. Keys of the operator, pullsecrets.dev/… and app.kubernetes.io/managed-by, are refused.
         */
        labels?: {
          [k: string]: string;
        };
        /**
         * Annotations for the Secret, such as reloader.stakater.com/match: "true". Keys that begin with pullsecrets.dev/ are refused.
         */
        annotations?: {
          [k: string]: string;
        };
      };
      /**
       * ServiceAccounts of this namespace that get the Secret in their imagePullSecrets, such as default. * stands for any characters of a name, alone for all ServiceAccounts, those created later included. At most 8 of the entries are such patterns, with at most two * each. One that is taken out of this list loses the Secret again. Default: none.
       */
      serviceAccounts?: string[];
      /**
       * While true, nothing is issued, rotated, repaired or revoked; deleting the RegistryToken still revokes. Default: false.
       */
      suspend?: boolean;
      /**
       * With Delete the token is revoked and its Secret deleted when the RegistryToken is deleted. With Retain both outlive the RegistryToken. Default: Delete.
       */
      deletionPolicy?: 'Delete' | 'Retain';
    };
  };
}

/**
 * What there is now. Written by the operator.
 */
export interface ClusterRegistryTokenStatus {
  /**
   * The metadata.generation this status speaks of.
   */
  observedGeneration?: number;
  /**
   * Ready: the RegistryToken of every matching namespace is Ready. Reconciling: work is under way or will be tried again. Stalled: nothing will happen until somebody changes something.
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
   * Reason of the condition that matters most now.
   */
  reason?: string;
  /**
   * Numbers of namespaces.
   */
  namespaces?: {
    /**
     * Those that match the selector and are not being deleted; while the ClusterRegistryToken is being deleted, those that still have its RegistryToken.
     */
    matching: number;
    /**
     * Those of them whose RegistryToken is Ready.
     */
    ready: number;
    /**
     * Those of them whose RegistryToken is not Ready for a reason that is trouble, or can't be created or kept as the template says.
     */
    failed: number;
  };
  /**
   * What is the matter in the first of the namespaces that failed, by name.
   */
  failures?: {
    /**
     * Where the RegistryToken is, or should be.
     */
    namespace: string;
    /**
     * The RegistryToken's own status.reason, or why it can't be created or kept.
     */
    reason: string;
    /**
     * What is the matter and what to do, in a sentence for people.
     */
    message: string;
  }[];
}
