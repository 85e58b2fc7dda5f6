import { registerSecret } from '../../../support/secrecy.ts';

/** A JWT with these claims; its signature is none. */
export function aJwt(claims: object): string {
  const [header, payload] = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const token = `${header}.${payload}.c2lnbmF0dXJl`;
  registerSecret(token);
  return token;
}
