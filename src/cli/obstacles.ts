import type { TokenReason } from '../api/reasons.ts';

/** What a reason means for people. */
export interface Obstacle {
  /** What is the matter. */
  matter: string;
  /** What to do. */
  remedy: string;
}

/** The table of reasons of docs/registrytokens.md, word for word; a test compares the two. */
export const OBSTACLES: Readonly<Record<TokenReason, Obstacle>> = {
  Issued: {
    matter: 'Nothing.',
    remedy: '',
  },
  ClocksDiffer: {
    matter:
      "The operator's clock and the registry's differ by a minute or more; the message says by how much. Tokens are issued nevertheless.",
    remedy: 'Correct the clock that is wrong.',
  },
  Suspended: {
    matter: 'spec.suspend is true: nothing is rotated, repaired or revoked.',
    remedy: 'Set it to false.',
  },
  GracePeriod: {
    matter: 'A previous token is still valid; the message says until when. Never in status.reason.',
    remedy: '',
  },
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
  NamespaceTerminating: {
    matter: 'The namespace is being deleted; no event can be created there.',
    remedy: '',
  },
  AccountNotFound: {
    matter: 'There is no such RegistryAccount, or it was deleted.',
    remedy: 'Create it, or name another in accountRef.name.',
  },
  AccountNotReady: {
    matter: "The account can't be used; the message says why, in the account's own words.",
    remedy: 'Ask an administrator to correct the account or its credentials.',
  },
  NamespaceNotAllowed: {
    matter: "The account's namespaceSelector leaves this namespace out.",
    remedy: 'Ask an administrator, or name another account.',
  },
  RegionUnknown: {
    matter: 'The account has no such region; the message lists those it has. Or its registry has no regions.',
    remedy: 'Name one of them, have it added to the account, or leave out region.',
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
    matter: "The account's limits.scopes do not allow a name in scope, or require a scope and there is none.",
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
    matter:
      'Another writer keeps changing the Secret, or a webhook changes it when it is written; the message says who or what.',
    remedy: 'Stop the other writer, or choose another secret.name.',
  },
  SecretNotWritten: {
    matter:
      'The API server refused the Secret; the message names the quota, webhook or policy and its reason.',
    remedy: 'Correct the quota or policy, or what it refuses.',
  },
  ClockSkew: {
    matter: "The registry's tokens have expired when they arrive: a clock is wrong.",
    remedy: 'Correct the clock that is wrong.',
  },
  MintUnconfirmed: {
    matter: "The registry's answer got lost; the operator looks for the token.",
    remedy: 'Nothing; it settles within seconds of the registry answering.',
  },
  TokenRefused: {
    matter:
      'The registry does not accept the new token, or gives it no permission within the scope; it is not used, and revoked where possible.',
    remedy:
      "Check that the names in scope exist, and that the account's host and API belong together; if the registry has another way to log in, set the account's verify to Never.",
  },
  RegistryUnauthorized: {
    matter: "The registry refused the account's credentials.",
    remedy: 'Correct the credentials of the account.',
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
    remedy: "See the message; check the account's endpoints.",
  },
  RegistryUnavailable: {
    matter: "The registry can't be reached, or fails.",
    remedy: 'Nothing, if it is down; the operator retries at growing intervals.',
  },
  InvalidSpec: {
    matter: "A field has a value that can't be used; the message names it.",
    remedy: 'Correct it.',
  },
  LifetimeNotOffered: {
    matter:
      'The registry has no such lifetime, or rotation.renewBefore is not shorter than the lifetime; the message says what there is.',
    remedy: 'Choose another.',
  },
  ScopeNotOffered: {
    matter:
      "Tokens of this account can't be limited to a part of the registry, or only to one and scope names more.",
    remedy: 'Leave out scope, or name one part only.',
  },
  MintBudgetExceeded: {
    matter:
      'More tokens within an hour than --mint-budget allows beyond what the lifetime needs (four times as many on request), or 63 previous tokens are not revoked yet. Ready stays True while the current token lives.',
    remedy: 'Find the cause, which the message names; the next token is issued at the time in the message.',
  },
  TokenExpired: {
    matter: 'The token has expired, and rotation.policy is Manual.',
    remedy: 'Ask for a rotation.',
  },
};
