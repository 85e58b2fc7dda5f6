import { decodeJwt } from 'jose';

/** The claims of a JWT without a look at its signature; undefined when the value is none. */
export function claimsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return decodeJwt(value);
  } catch {
    return undefined;
  }
}
