import type { Access } from '../../../src/registry/port.ts';

/** What the service tells others about a token: everything but its value. Times in milliseconds since 1970. */
export interface TokenRecord {
  id: string;
  account: string;
  description: string;
  access: Access;
  issuedAt: number;
  /** null when it never expires. */
  expiresAt: number | null;
}

export interface RegistryToken extends TokenRecord {
  value: string;
}

export function recordOf(token: RegistryToken): TokenRecord {
  const { id, account, description, access, issuedAt, expiresAt } = token;
  return { id, account, description, access, issuedAt, expiresAt };
}
