import type { Clock } from '../../../src/common/clock.ts';
import type { Answer, Request } from '../shared/message.ts';
import type { Callers, Refusal } from './callers.ts';
import { accountOf, arnOf, expiryOf, may, type Principal } from './principals.ts';
import type { AwsAnswers } from './problems.ts';

/** An authorization token. */
export interface AuthorizationToken {
  password: string;
  principal: Principal;
  /** Of the public ECR, or of a private registry. */
  public: boolean;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

export interface EcrApiOptions {
  clock: Clock;
  answers: AwsAnswers;
  callers: Callers;
  region: string;
  newSecret: (length: number) => string;
  /** Told of every token. */
  issued: (token: AuthorizationToken) => void;
}

const TWELVE_HOURS = 43_200_000;

const REFUSALS: Readonly<Record<Refusal, readonly [status: number, type: string, message: string]>> = {
  MissingAuthenticationToken: [400, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  InvalidClientTokenId: [
    400,
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  ],
  ExpiredToken: [400, 'ExpiredTokenException', 'The security token included in the request is expired'],
  SignatureDoesNotMatch: [
    400,
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ],
  SignatureExpired: [400, 'InvalidSignatureException', 'Signature expired: it is too old or in the future'],
};

/** The APIs of ECR and of the public ECR, of which only the authorization tokens are here. */
export class EcrApi {
  readonly #options: EcrApiOptions;

  constructor(options: EcrApiOptions) {
    this.#options = options;
  }

  /** @param lifetime of the token in milliseconds */
  authorizationToken(request: Request, lifetime?: number): Answer {
    const { answers, region } = this.#options;
    return this.#called(request, 'ecr', ['ecr:GetAuthorizationToken'], (principal) => {
      const { authorizationToken, expiresAt } = this.#issue(principal, false, lifetime);
      const proxyEndpoint = `https://${accountOf(arnOf(principal))}.dkr.ecr.${region}.amazonaws.com`;
      return answers.json({ authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint }] });
    });
  }

  /** @param lifetime of the token in milliseconds */
  publicAuthorizationToken(request: Request, lifetime?: number): Answer {
    const actions = ['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken'];
    return this.#called(request, 'ecr-public', actions, (principal) =>
      this.#options.answers.json({ authorizationData: this.#issue(principal, true, lifetime) }),
    );
  }

  /** A token ends with the session that asked for it. */
  #issue(
    principal: Principal,
    isPublic: boolean,
    lifetime = TWELVE_HOURS,
  ): { authorizationToken: string; expiresAt: number } {
    const { clock, newSecret, issued } = this.#options;
    const ends = clock.now() + lifetime;
    const password = newSecret(200);
    issued({
      password,
      principal,
      public: isPublic,
      expiresAt: Math.min(ends, expiryOf(principal) ?? Infinity),
    });
    return { authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt: ends / 1000 };
  }

  #called(
    request: Request,
    service: string,
    actions: readonly string[],
    act: (principal: Principal) => Answer,
  ): Answer {
    const { callers, answers } = this.#options;
    const caller = callers.authenticate(request, service);
    if ('refusal' in caller) return answers.jsonProblem(...REFUSALS[caller.refusal]);
    const missing = actions.find((action) => !may(caller.principal, action, '*'));
    if (missing === undefined) return act(caller.principal);
    const message = `User: ${arnOf(caller.principal)} is not authorized to perform: ${missing} on resource: *`;
    return answers.jsonProblem(400, 'AccessDeniedException', message);
  }
}
