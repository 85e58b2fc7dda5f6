import type { RegistryToken } from '../../src/api/registry-token.ts';

/** What the floor's process is to do: whom it works with; then with all RegistryTokens, those that are being deleted, or one. */
export type Order =
  | { what: 'connect'; kubeconfig: string; registry: string; workers: number }
  | { what: 'read all' }
  | { what: 'issue all' }
  | { what: 'remove deleted' }
  | { what: 'issue'; token: RegistryToken };

/** It is done. */
export interface Done {
  /** When it had read what there is and began to work, milliseconds since 1970. */
  began: number;
  problem?: string;
}
