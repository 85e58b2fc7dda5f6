// Generated from crds/ by `npm run generate`. Do not edit.

/**
 * What token is wanted, and where its Secret goes.
 */
export interface RegistryTokenSpec {
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
    /**
     * As in the names of images, such as us.icr.io.
     */
    host: string;
    /**
     * When the account was first seen to name it.
     */
    since: string;
    /**
     * True: the registry there refused the token. False: it could not be asked.
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
     * Its identifier at the registry; no secret.
     */
    id: string;
    /**
     * ReadOnly can pull; ReadWrite can pull and push.
     */
    access: 'ReadOnly' | 'ReadWrite';
    /**
     * The part of the registry that it is for; absent when it is for all.
     */
    scope?: string[];
    /**
     * How long it is in use at the most; absent where it lives no longer at the registry.
     */
    lifetime?: string;
    /**
     * When the registry issued it.
     */
    issuedAt: string;
    /**
     * When it expires at the registry; absent when it never does.
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
     * The RegistryAccount it was issued with.
     */
    account: string;
    /**
     * The region it was issued in.
     */
    region: string;
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
    /**
     * Its identifier at the registry; no secret.
     */
    id: string;
    /**
     * Its number among the tokens of this RegistryToken.
     */
    revision: number;
    /**
     * Fingerprint of the account, region, access, lifetime and scope it was made for.
     */
    specHash?: string;
    /**
     * The part of the registry that it is for; absent when it is for all.
     */
    scope?: string[];
    /**
     * The RegistryAccount it was issued with.
     */
    account: string;
    /**
     * The region it was issued in.
     */
    region: string;
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
     * When the registry issued it.
     */
    issuedAt?: string;
    /**
     * When it expires at the registry; absent when it never does.
     */
    expiresAt?: string;
    /**
     * When its grace period ends, and the operator revokes it.
     */
    revokeAt: string;
    /**
     * How often revoking it has failed.
     */
    attempts?: number;
    /**
     * When the operator will try to revoke it again, after a failure.
     */
    nextAttemptTime?: string;
    /**
     * Why revoking it failed last.
     */
    lastError?: string;
  }[];
  /**
   * Present only between deciding to create a token and recording the result.
   */
  mintIntent?: {
    /**
     * The number that the token will have among those of this RegistryToken.
     */
    revision: number;
    /**
     * In the token's description at the registry, beside the revision. Tells the request from one of another cluster with the same ids.
     */
    nonce?: string;
    /**
     * When the request was decided on.
     */
    startedAt: string;
    /**
     * Why another token is issued.
     */
    reason: string;
    /**
     * Announced: the request may have been sent. Unconfirmed: it was sent, and its answer got lost. Verifying: the token was created, and the registry does not accept it yet. Discarded: it was of no use, and is revoked.
     */
    phase: 'Announced' | 'Unconfirmed' | 'Verifying' | 'Discarded';
    /**
     * The RegistryAccount it is issued with.
     */
    account: string;
    /**
     * The region it is issued in.
     */
    region: string;
    /**
     * Where it is issued. The token can be read and revoked there only.
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
     * ReadOnly can pull; ReadWrite can pull and push.
     */
    access: 'ReadOnly' | 'ReadWrite';
    /**
     * The part of the registry that it is for; absent when it is for all.
     */
    scope?: string[];
    /**
     * Fingerprint of the account, region, access, lifetime and scope it is made for.
     */
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
  /**
   * The latest switch of the Secret to another token.
   */
  lastRotation?: {
    /**
     * When the Secret was switched.
     */
    time: string;
    /**
     * Why another token was issued.
     */
    reason: string;
  };
  /**
   * When the token will be replaced, if nothing asks for it earlier.
   */
  nextRotationTime?: string;
  /**
   * Failures in a row. Each makes the next wait longer.
   */
  failedAttempts?: number;
  /**
   * What the last try failed at; absent once one succeeds.
   */
  lastFailure?: {
    /**
     * When the try failed.
     */
    time: string;
    /**
     * Why, as one word for programs.
     */
    reason: string;
    /**
     * Why, in a sentence for people.
     */
    message: string;
  };
  /**
   * When the operator will try again by itself after a failure; absent when nothing failed.
   */
  nextRetryTime?: string;
  /**
   * Requests whose outcome never became known and that nobody waits for any more. A token that still comes of one is revoked by the sweep.
   */
  lostIntents?: {
    /**
     * The number that the token would have among those of this RegistryToken.
     */
    revision: number;
    /**
     * What stands beside the revision in the token's description at the registry.
     */
    nonce?: string;
    /**
     * With a scope of one name, the RegistryAccount that it was sent with.
     */
    account?: string;
    /**
     * With a scope of one name, that name.
     */
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
    /**
     * It is in the namespace of the RegistryToken.
     */
    name: string;
    /**
     * The metadata.uid of the Secret, which stays the same through rotations.
     */
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
   * The value of the annotation pullsecrets.dev/rotate at the last failure; another value is tried without waiting.
   */
  lastTriedRotate?: string;
  /**
   * The account's rotation.requestedAt when the token in force was created.
   */
  lastHandledAccountRotation?: string;
}
