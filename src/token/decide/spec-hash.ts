import { hash } from 'node:crypto';
import type { Access, Lifetime } from '../../api/registry-token.ts';

/** What makes a token another token. Nothing else in a spec does. */
export interface Identity {
  account: string;
  /** Canonical name of the region. */
  region: string;
  access: Access;
  lifetime: Lifetime;
  scope: readonly string[];
}

/** Fingerprint of an identity: two RegistryTokens, or two versions of one, with the same hash want the same token. */
export function specHash({ account, region, access, lifetime, scope }: Identity): string {
  return hash('sha256', JSON.stringify([account, region, access, lifetime, ...scope])).slice(0, 16);
}
