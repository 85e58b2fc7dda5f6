import { decodeJwt } from 'jose';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import type { SecretObject } from '../support/world.ts';

const known = new WeakMap<SecretObject, string | undefined>();

/** Identifier of the token that a Secret holds, by its payload alone; undefined when it holds none. */
export function heldToken(secret: SecretObject): string | undefined {
  if (!known.has(secret)) known.set(secret, read(secret));
  return known.get(secret);
}

function read({ data }: SecretObject): string | undefined {
  try {
    const payload = Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    const { auths } = JSON.parse(payload) as { auths: Record<string, { password: string }> };
    return decodeJwt(Object.values(auths)[0]?.password ?? '').jti;
  } catch {
    return undefined;
  }
}

/** The hosts that a Secret has credentials for. */
export function hostsOf({ data }: SecretObject): string[] {
  try {
    const payload = Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    return Object.keys((JSON.parse(payload) as { auths: object }).auths);
  } catch {
    return [];
  }
}
