import { decodeJwt } from 'jose';

/** The claims of a JWT, whose signature is not checked; undefined when the value is not a JWT. */
export function claimsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return decodeJwt(value);
  } catch {
    return undefined;
  }
}
