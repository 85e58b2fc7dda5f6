import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSelfSigned, type SelfSignedCertificate } from '../../self-signed-certificate.ts';
import { signEs256, verifyEs256, type Claims } from './jwt.ts';

/** The key that signs bearer tokens for the registry, and the self-signed certificate by which the registry knows it. */
export class BearerSigner {
  /** To be kept over a restart; the certificate is what a registry needs as its rootcertbundle. */
  readonly saved: SelfSignedCertificate;
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #x5c: readonly [string];

  /** @throws when that is no key and certificate */
  constructor(saved: SelfSignedCertificate) {
    this.saved = saved;
    this.#key = createPrivateKey(saved.key);
    const certificate = new X509Certificate(saved.certificate);
    this.#publicKey = certificate.publicKey;
    this.#x5c = [certificate.raw.toString('base64')];
  }

  /** @param now milliseconds since 1970; the certificate is good from an hour before to ten years after */
  static async create(now: number): Promise<BearerSigner> {
    return new BearerSigner(await createSelfSigned('registry', now));
  }

  sign(claims: Claims): string {
    return signEs256(claims, this.#key, { x5c: this.#x5c });
  }

  /** Says nothing about its expiry. */
  hasSigned(token: string): boolean {
    return verifyEs256(token, this.#publicKey);
  }
}
