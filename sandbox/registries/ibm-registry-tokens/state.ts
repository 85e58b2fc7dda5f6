import type { SelfSignedCertificate } from '../../self-signed-certificate.ts';
import type { RegistryToken } from './registry-token.ts';

/** What a token service keeps over a restart. */
export interface State {
  tokens: readonly RegistryToken[];
  /** Absent until the first bearer token. */
  bearerSigner?: SelfSignedCertificate | undefined;
}

export interface StateStore {
  /**
   * @returns undefined when nothing was saved yet
   * @throws StateError
   */
  load(): State | undefined;
  /**
   * Replaces what was saved, all or nothing.
   * @throws StateError
   */
  save(state: State): void;
}

/** State that cannot be read or written. */
export class StateError extends Error {
  override readonly name = 'StateError';
}
