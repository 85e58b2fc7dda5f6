// @peculiar/x509 wires itself with it, so it has to come first.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import { createPrivateKey, webcrypto, type KeyObject } from 'node:crypto';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { signEs256, type Claims } from './jwt.ts';

/** A signer as text, to be kept over a restart. */
export interface SavedBearerSigner {
  /** PKCS #8, PEM. */
  key: string;
  /** PEM; what a registry needs as its rootcertbundle. */
  certificate: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;
const YEARS = 10 * 365 * 24 * HOUR;

/** The key that signs bearer tokens for the registry, and the self-signed certificate by which the registry knows it. */
export class BearerSigner {
  readonly saved: SavedBearerSigner;
  readonly #key: KeyObject;
  readonly #x5c: readonly string[];

  /** @throws when that is no key and certificate */
  constructor(saved: SavedBearerSigner) {
    this.saved = saved;
    this.#key = createPrivateKey(saved.key);
    this.#x5c = PemConverter.decode(saved.certificate).map((der) => Buffer.from(der).toString('base64'));
    if (this.#x5c.length === 0) throw new Error('there is no certificate');
  }

  /** @param now milliseconds since 1970; the certificate is good from an hour before to ten years after */
  static async create(now: number): Promise<BearerSigner> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=token-service',
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + YEARS),
      keys,
      signingAlgorithm: ALGORITHM,
    });
    const key = PemConverter.encode(
      await webcrypto.subtle.exportKey('pkcs8', keys.privateKey),
      'PRIVATE KEY',
    );
    return new BearerSigner({ key, certificate: `${certificate.toString('pem')}\n` });
  }

  sign(claims: Claims): string {
    return signEs256(claims, this.#key, { x5c: this.#x5c });
  }
}
