import type { Redacted } from '../common/redacted.ts';

export type Access = 'ReadOnly' | 'ReadWrite';

/** What a token was asked to be. */
export interface MintRequest {
  /** Shown at the registry; ends with the tag that says whose the token is. */
  description: string;
  access: Access;
  /** Milliseconds, or `Never`. One of the back end's `capabilities.lifetimes`. */
  lifetime: number | 'Never';
}

/** A token and its value, from a mint or a read-back. */
export interface IssuedToken {
  id: string;
  /** User name that goes with the value in a docker configuration. */
  username: string;
  value: Redacted;
  /** Milliseconds since 1970; null when it never expires. */
  expiresAt: number | null;
}

/** A row of the registry's list; never holds a value. */
export interface ListedToken {
  id: string;
  description: string;
  /** null when it never expires or the registry does not say. */
  expiresAt: number | null;
  revoked: boolean;
}

/** What a back end can do; decisions ask this, not which back end it is. */
export interface Capabilities {
  access: readonly Access[];
  /** The lifetimes on offer, in milliseconds, and `Never`. */
  lifetimes: readonly (number | 'Never')[];
  /** Whether `read` can give back the value of a token minted earlier. */
  readBack: boolean;
}

/**
 * One account in one region of a registry. Every method throws a RegistryError and nothing else, save the reason of
 * an aborted signal and, from `mint` and `revoke`, what the directory's guard throws: then nothing was sent.
 */
export interface Registry {
  readonly capabilities: Capabilities;
  /** Host of this region, as it stands in image names and in the Secret. */
  readonly host: string;
  /** Creates a token. Never retried inside: throws `Ambiguous` when it may have happened and the answer was lost. */
  mint(request: MintRequest, signal: AbortSignal): Promise<IssuedToken>;
  /** Reads a token's value back. Throws `NotFound` when there is no such token. */
  read(id: string, signal: AbortSignal): Promise<IssuedToken>;
  /** Deletes a token; one that is already gone is success. */
  revoke(id: string, signal: AbortSignal): Promise<void>;
  /**
   * Looks at every token of the account in this region: at all of them, or it throws.
   * @param select called with one row after the other; what it returns is the result, unless it is undefined. A list can be
   * long, and only this is kept of it.
   */
  list<T>(select: (row: ListedToken) => T | undefined, signal: AbortSignal): Promise<T[]>;
}
