import { allows, type Statement } from './policy.ts';

/** A user with an access key. */
export interface User {
  arn: string;
  accessKeyId: string;
  secretAccessKey: string;
  permissions: readonly Statement[];
}

/** A role that principals can assume. */
export interface Role {
  arn: string;
  /** ARNs of the users and roles that may assume it. */
  trusts: readonly string[];
  externalId?: string;
  /** Tokens of a cluster's OpenID Connect provider with which it can be assumed, as pods have them. */
  webIdentityTokens?: readonly string[];
  /** Milliseconds, from an hour to twelve; an hour unless given. */
  maxSessionDuration?: number;
  permissions: readonly Statement[];
}

/** Temporary credentials: what a role may, within what a session policy leaves of it. */
export interface Session {
  /** `arn:aws:sts::123456789012:assumed-role/name/session`. */
  arn: string;
  role: Role;
  policy: readonly Statement[] | undefined;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

export type Principal = { user: User } | { session: Session };

export function arnOf(principal: Principal): string {
  return 'user' in principal ? principal.user.arn : principal.session.arn;
}

/** The twelve digits of an ARN. */
export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

/** Milliseconds since 1970; null for a user, whose keys don't expire. */
export function expiryOf(principal: Principal): number | null {
  return 'user' in principal ? null : principal.session.expiresAt;
}

/** Whether a principal may do something: the policies of its user or role allow it, and its session's policy does. */
export function may(principal: Principal, action: string, resource: string): boolean {
  if ('user' in principal) return allows(principal.user.permissions, action, resource);
  const { role, policy } = principal.session;
  return allows(role.permissions, action, resource) && (!policy || allows(policy, action, resource));
}
