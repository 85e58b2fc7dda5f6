import type { TokenReason } from '../api/reasons.ts';

/** What a reason means for people. */
export interface Obstacle {
  /** What is the matter. */
  matter: string;
  /** What to do. */
  remedy: string;
}

/** The tables of reasons of docs/registrytokens.md, word for word; a test compares the two. */
export const OBSTACLES: Readonly<Record<TokenReason, Obstacle>> = {
  Issued: { matter: 'Nothing.', remedy: '' },
  Unverified: {
    matter:
      'The operator could not try the token at the host, which the message names: pods may be unable to pull.',
    remedy:
      "Check the host of the account's region, and let the operator reach it; then ask for a rotation. Where the operator is not to reach it, set the account's verify to Never.",
  },
  ClocksDiffer: {
    matter:
      "The operator's clock and the registry's differ by a minute or more. Tokens are issued nevertheless.",
    remedy: 'Correct the clock that is wrong.',
  },
  Suspended: {
    matter: 'spec.suspend is true: nothing is rotated, repaired or revoked.',
    remedy: 'Set it to false.',
  },
  GracePeriod: { matter: 'A previous token is still valid; the message says until when.', remedy: '' },
  RevocationFailed: {
    matter: 'A previous token could not be revoked; the message says why.',
    remedy: 'See the message; the operator retries.',
  },
  Issuing: { matter: 'The first token is being issued.', remedy: '' },
  Rotating: { matter: 'Another token is being issued.', remedy: '' },
  Verifying: {
    matter: 'The registry does not accept the new token yet.',
    remedy: 'Nothing; after half a minute, or five at IBM Cloud, it counts as refused.',
  },
  NamespaceTerminating: { matter: 'The namespace is being deleted.', remedy: '' },
  AccountNotFound: {
    matter: 'There is no such RegistryAccount.',
    remedy: 'Create it, or name another in accountRef.name.',
  },
  AccountNotReady: {
    matter: "The account can't be used; the message says why.",
    remedy: 'Ask an administrator to correct it.',
  },
  NamespaceNotAllowed: {
    matter: "The account's namespaceSelector leaves this namespace out.",
    remedy: 'Name another account, or ask an administrator.',
  },
  RegionUnknown: {
    matter: 'The account has no such region, or its registry has no regions.',
    remedy: 'Name one that the message lists, or leave out region.',
  },
  AccessNotAllowed: {
    matter: "More access than the account's limits or its registry give.",
    remedy: 'Ask for less, or ask an administrator.',
  },
  LifetimeNotAllowed: {
    matter: "A longer lifetime than the account's limits allow, counted as the registry rounds it up.",
    remedy: 'Ask for a shorter one, or ask an administrator.',
  },
  ScopeNotAllowed: {
    matter: "The account's limits.scopes do not allow a name in scope, or require one.",
    remedy: 'Name what the message says is allowed, or ask an administrator.',
  },
  HostNotAccepted: {
    matter:
      'The account names another host, whose registry has not accepted the token yet; the Secret keeps its host.',
    remedy: 'Ask an administrator to correct the host, or to let the operator reach it.',
  },
  SecretConflict: {
    matter: 'The Secret belongs to something else, has another type, or is immutable.',
    remedy: 'Delete it, choose another secret.name, or set secret.adopt.',
  },
  SecretContested: {
    matter: 'Another writer or a webhook keeps changing the Secret; the message says which.',
    remedy: 'Stop it, or choose another secret.name.',
  },
  SecretNotWritten: {
    matter: 'A quota, webhook or policy refuses the Secret; the message names it.',
    remedy: 'Correct the quota or policy, or what it refuses.',
  },
  ClockSkew: {
    matter: "The registry's tokens have expired when they arrive.",
    remedy: 'Correct the clock that is wrong.',
  },
  MintUnconfirmed: {
    matter: "The registry's answer got lost; the operator looks for the token.",
    remedy: 'Nothing; it settles within seconds of the registry answering.',
  },
  TokenRefused: {
    matter: 'The registry does not accept the new token, or gives it no permission within the scope.',
    remedy:
      "Check that the names in scope exist, and that the account's host and API belong together. If the registry has another way to log in, set the account's verify to Never.",
  },
  RegistryUnauthorized: {
    matter: "The registry refused the account's credentials.",
    remedy: 'Correct them.',
  },
  RegistryForbidden: {
    matter: "The account's credentials lack a permission.",
    remedy: 'Give them the permission that the message names; the page of the registry lists what it needs.',
  },
  RegistryConflict: {
    matter: 'The registry refused the request because of another one.',
    remedy: 'Nothing; the operator retries.',
  },
  RegistryQuotaExceeded: {
    matter: 'A limit of the registry is reached: of tokens, or of the identities created for them.',
    remedy: 'Remove some, or have the limit raised; the page of the registry has the limits.',
  },
  RegistryRateLimited: {
    matter: 'The registry limits the rate of requests.',
    remedy: 'Nothing; the operator retries at the time that the registry gives.',
  },
  RegistryDiscontinued: {
    matter: 'The registry no longer offers this API.',
    remedy: 'Use another account or region.',
  },
  RegistryRefused: {
    matter: 'The registry refused the request; the message quotes it.',
    remedy: "Check the account's endpoints.",
  },
  RegistryUnavailable: {
    matter: "The registry can't be reached, or fails.",
    remedy: 'Nothing, if it is down; the operator retries.',
  },
  InvalidSpec: {
    matter: "A field has a value that can't be used.",
    remedy: 'Correct the field that the message names.',
  },
  LifetimeNotOffered: {
    matter: 'The registry has no such lifetime, or rotation.renewBefore is not shorter than it.',
    remedy: 'Choose one that the message lists.',
  },
  ScopeNotOffered: {
    matter:
      "Tokens of this account can't be limited as scope asks: at all, to several parts, or to a repository.",
    remedy: 'Write scope as the message says, or leave it out.',
  },
  MintBudgetExceeded: {
    matter: 'Too many tokens were issued within an hour, or 63 previous tokens could not be revoked yet.',
    remedy: 'Find the cause in the message; the next token is issued at the time given there.',
  },
  TokenExpired: {
    matter: 'The token has expired, and rotation.policy is Manual.',
    remedy: 'Ask for a rotation.',
  },
};
