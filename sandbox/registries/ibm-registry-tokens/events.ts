import type { Answered } from '../shared/fake-registry.ts';
import type { Operation } from './operations.ts';
import type { TokenRecord } from './registry-token.ts';

export type TokenEvent = TokenRecord & { time: number };

/** No event holds a value. Times in milliseconds since 1970. */
export interface TokenServiceEvents {
  issued: [TokenEvent];
  revoked: [TokenEvent];
  /** When it is noticed, which is at the first use of the service after it. */
  expired: [TokenEvent];
  /** An API key was exchanged for an access token. */
  exchanged: [{ time: number; account: string; expiresAt: number }];
  /** Every request for an operation; the status is absent when the connection was broken. */
  answered: [Answered<Operation>];
}
