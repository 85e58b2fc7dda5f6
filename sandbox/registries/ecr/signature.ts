import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { pathOf, queryOf, type Request } from '../shared/message.ts';

/** What a request says of who signed it. */
export interface Signature {
  accessKeyId: string;
  /** Of the credential scope: `20260101/us-east-1/sts/aws4_request`. */
  date: string;
  region: string;
  service: string;
  signedHeaders: readonly string[];
  signature: string;
  /** `X-Amz-Date`, milliseconds since 1970. */
  time: number;
  /** `X-Amz-Security-Token`, of temporary credentials. */
  sessionToken: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([\w/+=.-]+?)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/;
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Reads the signature of a request; undefined when there is none, or a malformed one. */
export function signatureOf({ headers }: Request): Signature | undefined {
  const parts = AUTHORIZATION.exec(headers.authorization ?? '');
  const date = headers['x-amz-date'] ?? '';
  const time = Date.parse(date.replace(DATE, '$1-$2-$3T$4:$5:$6Z'));
  if (!parts || Number.isNaN(time)) return undefined;
  const [, accessKeyId = '', day = '', region = '', service = '', signed = '', signature = ''] = parts;
  return {
    accessKeyId,
    date: day,
    region,
    service,
    signedHeaders: signed.split(';'),
    signature,
    time,
    sessionToken: headers['x-amz-security-token'],
  };
}

/**
 * Whether a request was signed with a key, by Signature Version 4:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function isSignedWith(secretAccessKey: string, request: Request, signature: Signature): boolean {
  const { date, region, service, signedHeaders } = signature;
  const needed = [
    'host',
    'x-amz-date',
    ...(signature.sessionToken === undefined ? [] : ['x-amz-security-token']),
  ];
  if (!needed.every((name) => signedHeaders.includes(name))) return false;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = [ALGORITHM, request.headers['x-amz-date'], scope, sha256(canonicalForm(request, signature))];
  const key = [date, region, service, 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  const expected = hmac(key, toSign.join('\n')).toString('hex');
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature.signature));
}

function canonicalForm(request: Request, { signedHeaders }: Signature): string {
  const { method, headers, body } = request;
  const query = [...queryOf(request)]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonicalHeaders = signedHeaders.map(
    (name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}\n`,
  );
  return [
    method,
    pathOf(request),
    query,
    canonicalHeaders.join(''),
    signedHeaders.join(';'),
    sha256(body),
  ].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
