// Generated from crds/ by `npm run generate`. Do not edit.

/**
 * What token is wanted, and where its Secret goes.
 */
export interface RegistryTokenSpec {
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
}

/**
 * What the operator did and saw. Never holds any part of a token's value.
 */
export interface RegistryTokenStatus {
  /**
   * The metadata.generation this status speaks of.
   */
  observedGeneration?: number;
  /**
   * Ready: the Secret holds a live token as wanted. Reconciling: work is under way or will be tried again. Stalled: nothing will happen until somebody changes something. RevocationPending: a token that is no longer needed is still alive.
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
   * The region in force, given or defaulted.
   */
  region?: string;
  /**
   * The registry host in the Secret. A host that the account names anew takes its place once the registry there was seen to accept the token.
   */
  host?: string;
  /**
   * The host that the account names now, while the Secret still has another.
   */
  pendingHost?: {
    host: string;
    since: string;
    /**
     * The registry there refused the token; false: it could not be asked.
     */
    refused: boolean;
    /**
     * What keeps it out of the Secret.
     */
    message: string;
  };
  /**
   * The token in the Secret.
   */
  token?: {
    /**
     * Identifier at the registry.
     */
    id: string;
    access: 'ReadOnly' | 'ReadWrite';
    /**
     * The part of the registry that it is for; absent when it is for all.
     */
    scope?: string[];
    /**
     * How long it is in use at the most; absent where it lives no longer at the registry.
     */
    lifetime?: string;
    issuedAt: string;
    /**
     * Absent when it never expires.
     */
    expiresAt?: string;
    /**
     * Counts the tokens of this RegistryToken.
     */
    revision: number;
    /**
     * Fingerprint of the account, region, access, lifetime and scope it was made for.
     */
    specHash: string;
    /**
     * The RegistryAccount it was created with.
     */
    account: string;
    /**
     * The region it was created in.
     */
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
       * Whose the credentials were there.
       */
      identity: string;
      /**
       * The back end, by the name of its block in the spec of the account.
       */
      provider?: string;
    };
    /**
     * False where the registry can't revoke it. Nothing ends it before expiresAt, not even the deletion of the RegistryToken.
     */
    revocable?: boolean;
    /**
     * Why nobody knows whether the registry accepts it; absent when it was tried, or was not to be.
     */
    unverified?: string;
  };
  /**
   * Tokens that are no longer in the Secret and not yet revoked.
   */
  previousTokens?: {
    id: string;
    revision: number;
    specHash?: string;
    scope?: string[];
    account: string;
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
       * Whose the credentials were there.
       */
      identity: string;
      /**
       * The back end, by the name of its block in the spec of the account.
       */
      provider?: string;
    };
    issuedAt?: string;
    expiresAt?: string;
    revokeAt: string;
    attempts?: number;
    nextAttemptTime?: string;
    lastError?: string;
  }[];
  /**
   * Present only between deciding to create a token and recording the result.
   */
  mintIntent?: {
    revision: number;
    /**
     * In the token's description at the registry, beside the revision. Tells the request from one of another cluster with the same ids.
     */
    nonce?: string;
    startedAt: string;
    reason: string;
    /**
     * Announced: the request may have been sent. Unconfirmed: it was sent, and its answer got lost. Verifying: the token was created, and the registry does not accept it yet. Discarded: it was of no use, and is revoked.
     */
    phase: 'Announced' | 'Unconfirmed' | 'Verifying' | 'Discarded';
    account: string;
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
       * Whose the credentials were there.
       */
      identity: string;
      /**
       * The back end, by the name of its block in the spec of the account.
       */
      provider?: string;
    };
    access: 'ReadOnly' | 'ReadWrite';
    scope?: string[];
    specHash: string;
    /**
     * The value of the annotation pullsecrets.dev/rotate that it answers.
     */
    rotate?: string;
    /**
     * The account's rotation.requestedAt that it answers.
     */
    accountRotation?: string;
  };
  lastRotation?: {
    time: string;
    reason: string;
  };
  /**
   * When the token will be replaced, if nothing asks for it earlier.
   */
  nextRotationTime?: string;
  /**
   * Failures in a row.
   */
  failedAttempts?: number;
  /**
   * What the last try failed at; absent once one succeeds.
   */
  lastFailure?: {
    time: string;
    reason: string;
    message: string;
  };
  nextRetryTime?: string;
  /**
   * Requests whose outcome never became known and that nobody waits for any more. A token that still comes of one is revoked by the sweep.
   */
  lostIntents?: {
    revision: number;
    nonce?: string;
    /**
     * With a scope of one name, the RegistryAccount that it was sent with.
     */
    account?: string;
    scope?: string[];
  }[];
  /**
   * Revision that was used last, when no token here tells it: its token was of no use and is gone.
   */
  lastRevision?: number;
  /**
   * When tokens were issued by schedule, or because one was lost, in the last hour; what the mint budget counts.
   */
  mintTimes?: string[];
  /**
   * When tokens were issued in the last hour because the spec changed or a rotation was requested, which has an allowance of its own.
   */
  requestedMintTimes?: string[];
  /**
   * Names and patterns of the ServiceAccounts that have, or are to get, the Secret in their imagePullSecrets, and of those from which it is still to be taken.
   */
  serviceAccounts?: string[];
  /**
   * Pods that depend on the Secret, where the operator counts them (--count-pods). It follows them at a distance of seconds.
   */
  pods?: {
    /**
     * Pods that name the Secret in imagePullSecrets and have an image from one of its hosts, or that mount it.
     */
    using: number;
    /**
     * Those of them that could not pull such an image so far, or can't mount it.
     */
    waiting: number;
  };
  /**
   * The Secret written.
   */
  secretRef?: {
    name: string;
    uid: string;
    /**
     * Its version as the operator wrote it last, where it was stored as wanted: a Secret that still has it need not be read.
     */
    resourceVersion?: string;
    /**
     * Fingerprint of what the operator wrote then, without the credential.
     */
    appliedHash?: string;
  };
  /**
   * The value of the annotation pullsecrets.dev/rotate that was last acted on.
   */
  lastHandledRotate?: string;
  /**
   * The value of that annotation at the last failure; another value is tried without waiting.
   */
  lastTriedRotate?: string;
  /**
   * The account's rotation.requestedAt when the token in force was created.
   */
  lastHandledAccountRotation?: string;
}
