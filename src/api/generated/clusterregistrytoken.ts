// Generated from crds/ by `npm run generate`. Do not edit.

/**
 * Which namespaces get a RegistryToken, and what it says.
 */
export interface ClusterRegistryTokenSpec {
  /**
   * Which namespaces get a RegistryToken, by their labels. An empty selector matches every namespace. Each namespace has its name in the label kubernetes.io/metadata.name.
   */
  namespaceSelector: {
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
   * The RegistryToken that each of the namespaces gets.
   */
  template: {
    /**
     * Labels and annotations of each RegistryToken. Others that people add to one stay there.
     */
    metadata?: {
      labels?: {
        [k: string]: string;
      };
      annotations?: {
        [k: string]: string;
      };
    };
    /**
     * What token is wanted, and where its Secret goes.
     */
    spec?: {
      /**
       * The RegistryAccount whose credentials create the token.
       */
      accountRef?: {
        /**
         * Name of a RegistryAccount.
         */
        name?: string;
      };
      /**
       * Registry region, for example us-south, where the registry has regions. Default: the account's defaultRegion.
       */
      region?: string;
      /**
       * The part of the registry that the token is for: registry namespaces of IBM Cloud, projects of Harbor, repositories of Amazon ECR. Default: all that the account can give.
       */
      scope?: string[];
      /**
       * ReadOnly can pull; ReadWrite can pull and push.
       */
      access?: 'ReadOnly' | 'ReadWrite';
      /**
       * How long each token is in use at the most, as hours, minutes and seconds (24h, 1h30m), or Never for one that does not expire. What the registry can't give exactly is rounded up. Default: 24h; at Amazon ECR, what the registry gives.
       */
      lifetime?: string;
      /**
       * Shown at the registry beside the token, before the operator's own marker.
       */
      description?: string;
      /**
       * When the token is replaced, and how long the previous token stays valid.
       */
      rotation?: {
        /**
         * Auto replaces the token on schedule. Manual replaces it only on request (annotation pullsecrets.dev/rotate) or when the wanted token changes; repair and revocation go on.
         */
        policy?: 'Auto' | 'Manual';
        /**
         * How long before its expiry a token is replaced. Default: a third of the token's real lifetime.
         */
        renewBefore?: string;
        /**
         * Replace a token that never expires this long after it was issued. Default, not at all.
         */
        rotateEvery?: string;
        /**
         * How long the previous token stays valid after the Secret was switched, where tokens can be revoked; 0s revokes it at once. Default: the operator's --default-grace-period (1h).
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
         * Whether a Secret of that name that was not made for this RegistryToken, and that nothing controls, is taken over, if it holds credentials of no other registry. What it holds stays until the registry was seen to accept the new token.
         */
        adopt?: boolean;
        /**
         * Further registry hosts under which the same credential is written: host, host:port or [address]:port, as in images' names, or *.example.com for all hosts right below a domain.
         */
        extraHosts?: string[];
        /**
         * Labels for the Secret; the operator's own win.
         */
        labels?: {
          [k: string]: string;
        };
        /**
         * Annotations for the Secret; the operator's own win.
         */
        annotations?: {
          [k: string]: string;
        };
      };
      /**
       * ServiceAccounts in this namespace that get the Secret in their imagePullSecrets. * stands for any characters of a name, alone for all ServiceAccounts, those created later included. At most 8 of the entries are such patterns, with at most two * each.
       */
      serviceAccounts?: string[];
      /**
       * While true, nothing is touched; deleting the RegistryToken still revokes.
       */
      suspend?: boolean;
      /**
       * With Delete the token is revoked and its Secret deleted when the RegistryToken is deleted. With Retain both outlive the RegistryToken.
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
    type: string;
    status: 'True' | 'False' | 'Unknown';
    observedGeneration?: number;
    lastTransitionTime: string;
    reason: string;
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
    namespace: string;
    reason: string;
    message: string;
  }[];
}
