import type { RegistryErrorCode } from '../errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import type { ErrorDialect } from '../http/error-dialect.ts';
import { fields, text, type Problem } from '../http/problem.ts';

/** The meaning of AWS's codes, whatever the status: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html, and ECR's. */
const BY_CODE: Readonly<Record<string, RegistryErrorCode>> = {
  AccessDenied: 'Forbidden',
  ExpiredToken: 'Unauthorized',
  IDPCommunicationError: 'Unavailable',
  IDPRejectedClaim: 'Unauthorized',
  IncompleteSignature: 'Unauthorized',
  InternalFailure: 'Unavailable',
  InvalidClientTokenId: 'Unauthorized',
  InvalidIdentityToken: 'Unauthorized',
  InvalidSignature: 'Unauthorized',
  LimitExceeded: 'RateLimited',
  MissingAuthenticationToken: 'Unauthorized',
  NotAuthorized: 'Forbidden',
  OptInRequired: 'Forbidden',
  RegionDisabled: 'Forbidden',
  RequestExpired: 'Unavailable',
  RequestLimitExceeded: 'RateLimited',
  RequestTimeTooSkewed: 'Unavailable',
  Server: 'Unavailable',
  ServiceUnavailable: 'Unavailable',
  SignatureDoesNotMatch: 'Unauthorized',
  Throttled: 'RateLimited',
  Throttling: 'RateLimited',
  TooManyRequests: 'RateLimited',
  UnrecognizedClient: 'Unauthorized',
};

const NO_KEY =
  'AWS does not know the access key: correct accessKeyId (and sessionToken) in the credentials Secret';
/** By names without `Exception`, which only some services add. */
const ADVICE: Readonly<Record<string, string>> = {
  ExpiredToken:
    'the temporary credentials have expired: renew sessionToken in the credentials Secret, or use a role or a key of a user',
  InvalidClientTokenId: NO_KEY,
  UnrecognizedClient: NO_KEY,
  InvalidIdentityToken:
    "AWS does not accept the pod's token: check the cluster's OpenID Connect provider in IAM",
  RegionDisabled: 'enable the region, or its token service, in the AWS account',
  MalformedPolicyDocument: 'check spec.scope',
  PackedPolicyTooLarge:
    'AWS packs session policies and tags into a space that is too small for these: name fewer repositories in spec.scope',
  ValidationError:
    "check roleArn, externalId and roleSessionDuration of the account: the duration can't be longer than the role's own maximum, nor than an hour where a role (the pod's, too) assumes another",
};

const SIGNED_AT_THE_WRONG_TIME = /\bsignature (?:expired|not yet current)\b/i;

/** The errors of AWS's APIs: JSON of ECR's, XML of STS. */
export const AWS_DIALECT: ErrorDialect = {
  read: readProblem,
  classify: (_, problem) => {
    // The next request is signed with the server's time, from this answer.
    if (SIGNED_AT_THE_WRONG_TIME.test(problem?.message ?? '')) return 'Unavailable';
    const code = problem?.code?.replace(/Exception$/, '') ?? '';
    return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  },
  adviceByProblem: Object.fromEntries(
    Object.entries(ADVICE).flatMap(([name, advice]) => [
      [name, advice],
      [`${name}Exception`, advice],
    ]),
  ),
  advice: {
    Unauthorized:
      "check accessKeyId and secretAccessKey in the credentials Secret of the account, or the pod's own identity where there is none",
    Forbidden:
      "check the policies of the account's user or role, the trust policy of roleArn and externalId; docs/registries/ecr.md says what they need",
    InvalidRequest: 'check the settings of the account and the region',
  },
};

/** Reads an error of AWS. Its name comes without a namespace before `#` and a URL after `:`. */
export function readProblem(body: unknown, { headers, body: bytes, json }: HttpAnswer): Problem | undefined {
  const { __type: type, ...top } = fields(body);
  const xml = json === undefined ? bytes.toString() : '';
  const code = text(type) ?? text(headers['x-amzn-errortype']) ?? element(xml, 'Code') ?? text(top.code);
  const message = text(top.message) ?? text(top.Message) ?? element(xml, 'Message');
  if (code === undefined && message === undefined) return undefined;
  const requestId = text(headers['x-amzn-requestid']) ?? element(xml, 'RequestId');
  return { code: code?.replace(/^.*#/s, '').replace(/:.*$/s, ''), message, requestId };
}

/** The text of the first element of a name. */
function element(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found && unescaped(found);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function unescaped(xml: string): string {
  return xml.replaceAll(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
