import { createHmac, sign, timingSafeEqual, verify, type KeyObject } from 'node:crypto';

export type Claims = Readonly<Record<string, unknown>>;

/** Signs claims with HMAC-SHA-256. Done at once, without waiting, so that a simulation stays in step with its clock. */
export function signHs256(claims: Claims, key: KeyObject, header: Claims = {}): string {
  const content = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${content}.${hmac(content, key).toString('base64url')}`;
}

/** Signs claims with ECDSA P-256. */
export function signEs256(claims: Claims, key: KeyObject, header: Claims): string {
  const content = `${encode({ alg: 'ES256', typ: 'JWT', ...header })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}

/** Whether the token's signature is ECDSA P-256 of the key that this is the public half of; says nothing about its expiry. */
export function verifyEs256(token: string, key: KeyObject): boolean {
  const [content, signature] = split(token);
  return verify('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** Whether the token's signature is this key's HMAC-SHA-256; says nothing about its expiry. */
export function verifyHs256(token: string, key: KeyObject): boolean {
  const [content, given] = split(token);
  const expected = hmac(content, key);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Header and claims without a look at the signature; undefined when the text is no JWT. */
export function decodeJwt(token: string): { header: Claims; claims: Claims } | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const [header, claims] = parts.slice(0, 2).map(decode);
  return header && claims ? { header, claims } : undefined;
}

function split(token: string): [content: string, signature: Buffer] {
  const end = token.lastIndexOf('.');
  return [token.slice(0, Math.max(end, 0)), Buffer.from(token.slice(end + 1), 'base64url')];
}

function hmac(content: string, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(content).digest();
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
