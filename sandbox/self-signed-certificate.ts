// @peculiar/x509 wires itself with it, so it has to come first.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

/** A key and the certificate that vouches for itself, as text. */
export interface SelfSignedCertificate {
  /** PKCS #8, PEM. */
  key: string;
  /** PEM. */
  certificate: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;
const YEARS = 10 * 365 * 24 * HOUR;

/**
 * Makes a P-256 key and its certificate, good from an hour before to ten years after.
 * @param now milliseconds since 1970
 * @param hosts DNS names of a TLS server that it is for
 */
export async function createSelfSigned(
  name: string,
  now: number,
  hosts: readonly string[] = [],
): Promise<SelfSignedCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const alternatives = hosts.map((value) => ({ type: 'dns' as const, value }));
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(now - HOUR),
    notAfter: new Date(now + YEARS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: alternatives.length > 0 ? [new SubjectAlternativeNameExtension(alternatives)] : [],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    key: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    certificate: `${certificate.toString('pem')}\n`,
  };
}
