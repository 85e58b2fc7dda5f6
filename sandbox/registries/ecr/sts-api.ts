import type { Clock } from '../../../src/common/clock.ts';
import { formOf, type Answer, type Request } from '../shared/message.ts';
import type { Callers, Refusal } from './callers.ts';
import { parsePolicy, type Statement } from './policy.ts';
import { accountOf, arnOf, may, type Principal, type Role, type Session } from './principals.ts';
import { escaped, type AwsAnswers } from './problems.ts';

export interface StsApiOptions {
  clock: Clock;
  answers: AwsAnswers;
  callers: Callers;
  roles: readonly Role[];
  /** So many characters that nobody guesses. */
  newSecret: (length: number) => string;
  /** Told of every session. */
  began: (session: Session) => void;
}

const HOUR = 3_600_000;
const MIN_DURATION = 900;
const MAX_POLICY = 2048;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

const REFUSALS: Readonly<Record<Refusal, readonly [status: number, code: string, message: string]>> = {
  MissingAuthenticationToken: [403, 'MissingAuthenticationToken', 'Request is missing Authentication Token'],
  InvalidClientTokenId: [
    403,
    'InvalidClientTokenId',
    'The security token included in the request is invalid.',
  ],
  ExpiredToken: [403, 'ExpiredToken', 'The security token included in the request is expired'],
  SignatureDoesNotMatch: [
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ],
  SignatureExpired: [403, 'SignatureDoesNotMatch', 'Signature expired: it is too old or in the future'],
};

/** AWS Security Token Service: https://docs.aws.amazon.com/STS/latest/APIReference/ */
export class StsApi {
  readonly #options: StsApiOptions;

  constructor(options: StsApiOptions) {
    this.#options = options;
  }

  callerIdentity(request: Request): Answer {
    return this.#called(request, (principal) => {
      const arn = arnOf(principal);
      return this.#options.answers.xml(
        'GetCallerIdentity',
        `<Arn>${arn}</Arn><UserId>AIDASANDBOX</UserId><Account>${accountOf(arn)}</Account>`,
      );
    });
  }

  /** @param lifetime of the session in milliseconds, in place of the one asked for */
  assumeRole(request: Request, lifetime?: number): Answer {
    return this.#called(request, (principal) => {
      const form = formOf(request);
      const arn = form.get('RoleArn') ?? '';
      const role = this.#options.roles.find((each) => each.arn === arn);
      const trusted = role?.trusts.includes(trustedArn(principal));
      const known = role?.externalId === undefined || role.externalId === form.get('ExternalId');
      if (!role || !trusted || !known || !may(principal, 'sts:AssumeRole', arn)) {
        const message = `User: ${arnOf(principal)} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
        return this.#options.answers.xmlProblem(403, 'AccessDenied', message);
      }
      // Who has assumed one role already gets an hour of the next.
      const maximum = 'session' in principal ? HOUR : (role.maxSessionDuration ?? HOUR);
      return this.#begin('AssumeRole', role, maximum, form, lifetime);
    });
  }

  /** @param lifetime of the session in milliseconds, in place of the one asked for */
  assumeRoleWithWebIdentity(request: Request, lifetime?: number): Answer {
    const { answers, roles } = this.#options;
    const form = formOf(request);
    const role = roles.find((each) => each.arn === form.get('RoleArn'));
    if (!role?.webIdentityTokens)
      return answers.xmlProblem(
        403,
        'AccessDenied',
        'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      );
    if (!role.webIdentityTokens.includes(form.get('WebIdentityToken') ?? ''))
      return answers.xmlProblem(400, 'InvalidIdentityToken', 'The web identity token could not be validated');
    return this.#begin('AssumeRoleWithWebIdentity', role, role.maxSessionDuration ?? HOUR, form, lifetime);
  }

  #begin(
    action: string,
    role: Role,
    maximum: number,
    form: URLSearchParams,
    lifetime: number | undefined,
  ): Answer {
    const { answers, clock, newSecret, callers, began } = this.#options;
    const invalid = (message: string): Answer => answers.xmlProblem(400, 'ValidationError', message);
    const name = form.get('RoleSessionName') ?? '';
    if (!SESSION_NAME.test(name)) return invalid('1 validation error detected: roleSessionName is malformed');
    const seconds = Number(form.get('DurationSeconds') ?? HOUR / 1000);
    if (!Number.isInteger(seconds) || seconds < MIN_DURATION)
      return invalid(`1 validation error detected: durationSeconds has to be at least ${MIN_DURATION}`);
    if (seconds * 1000 > maximum)
      return invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    const text = form.get('Policy');
    if (text !== null && text.length > MAX_POLICY)
      return invalid(
        "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048",
      );
    let policy: Statement[] | undefined;
    if (text !== null) {
      policy = parsePolicy(text);
      if (!policy)
        return answers.xmlProblem(400, 'MalformedPolicyDocument', 'This policy contains invalid Json');
    }
    const session: Session = {
      arn: `${role.arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${name}`,
      role,
      policy,
      accessKeyId: `ASIA${newSecret(16)
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]/g, 'X')}`,
      secretAccessKey: newSecret(40),
      sessionToken: newSecret(120),
      expiresAt: Math.floor((clock.now() + (lifetime ?? seconds * 1000)) / 1000) * 1000,
    };
    callers.sessions.push(session);
    began(session);
    const credentials = [
      `<AccessKeyId>${session.accessKeyId}</AccessKeyId>`,
      `<SecretAccessKey>${session.secretAccessKey}</SecretAccessKey>`,
      `<SessionToken>${session.sessionToken}</SessionToken>`,
      `<Expiration>${new Date(session.expiresAt).toISOString().replace('.000', '')}</Expiration>`,
    ];
    const assumed = `<AssumedRoleId>AROASANDBOX:${escaped(name)}</AssumedRoleId><Arn>${escaped(session.arn)}</Arn>`;
    return answers.xml(
      action,
      `<AssumedRoleUser>${assumed}</AssumedRoleUser><Credentials>${credentials.join('')}</Credentials>`,
    );
  }

  #called(request: Request, act: (principal: Principal) => Answer): Answer {
    const { callers, answers } = this.#options;
    const caller = callers.authenticate(request, 'sts');
    return 'refusal' in caller ? answers.xmlProblem(...REFUSALS[caller.refusal]) : act(caller.principal);
  }
}

/** What a role's trust policy names: the user, or the role that was assumed. */
function trustedArn(principal: Principal): string {
  return 'user' in principal ? principal.user.arn : principal.session.role.arn;
}
