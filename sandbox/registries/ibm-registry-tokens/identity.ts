import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../../../src/common/clock.ts';
import type { Identifiers } from '../shared/identifiers.ts';
import { decodeJwt, signHs256, verifyHs256 } from '../shared/jwt.ts';
import { formOf, json, type Answer, type Request } from '../shared/message.ts';
import { IAM_UNKNOWN_KEY, type IamProblem, type Problems } from './problems.ts';

export interface ApiKey {
  key: string;
  accountId: string;
}

export interface IdentityOptions {
  clock: Clock;
  apiKeys: readonly ApiKey[];
  identifiers: Identifiers;
  problems: Problems;
  exchanged(value: string, account: string, expiresAt: number): void;
}

const GRANT_TYPE = 'urn:ibm:params:oauth:grant-type:apikey';
const SCOPE = 'ibm openid';
const HOUR = 3_600_000;

interface Holder {
  accountId: string;
  iamId: string;
  signingKey: KeyObject;
}

/**
 * IAM's exchange of API keys for access tokens. An access token is signed with a key made from its API key: every
 * service that has the API key accepts it, as IAM is one for all regions, and it outlives a restart.
 */
export class Identity {
  readonly #options: IdentityOptions;
  readonly #byKey = new Map<string, Holder>();
  readonly #byIamId = new Map<string, Holder>();

  constructor(options: IdentityOptions) {
    this.#options = options;
    for (const key of options.apiKeys) this.addKey(key);
  }

  addKey({ key, accountId }: ApiKey): void {
    const iamId = `iam-ServiceId-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
    const signingKey = createSecretKey(createHmac('sha256', key).update('access token').digest());
    const holder = { accountId, iamId, signingKey };
    this.#byKey.set(key, holder);
    this.#byIamId.set(iamId, holder);
  }

  /** An API key is deleted: from now on neither it is accepted, nor an access token that it was exchanged for. */
  deleteKey(key: string): void {
    const holder = this.#byKey.get(key);
    this.#byKey.delete(key);
    if (holder) this.#byIamId.delete(holder.iamId);
  }

  /** POST /identity/token. `lifetime` in milliseconds. */
  exchange(request: Request, lifetime = HOUR): Answer {
    const { clock, identifiers, problems } = this.#options;
    const form = formOf(request);
    const problem = complaint(form);
    if (problem) return problems.iam(400, problem);
    const holder = this.#byKey.get(form.get('apikey') ?? '');
    if (!holder) return problems.iam(400, IAM_UNKNOWN_KEY);

    const issued = Math.floor(clock.now() / 1000);
    const expiration = issued + Math.floor(lifetime / 1000);
    const claims = {
      iam_id: holder.iamId,
      sub: holder.iamId.slice('iam-'.length),
      sub_type: 'ServiceId',
      account: { valid: true, bss: holder.accountId },
      jti: identifiers.uuid(),
      iat: issued,
      exp: expiration,
      iss: 'https://iam.cloud.ibm.com/identity',
      grant_type: GRANT_TYPE,
      scope: SCOPE,
      client_id: 'default',
    };
    const value = signHs256(claims, holder.signingKey, { kid: holder.iamId });
    this.#options.exchanged(value, holder.accountId, expiration * 1000);
    const answer = {
      access_token: value,
      refresh_token: 'not_supported',
      ims_user_id: 118,
      token_type: 'Bearer',
      expires_in: expiration - issued,
      expiration,
      scope: SCOPE,
    };
    return json(200, answer, { 'transaction-id': identifiers.transaction() });
  }

  /** The account that an Authorization header speaks for; undefined when its access token is not ours or no longer good. */
  accountOf(authorization: string | undefined): string | undefined {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const claims = token === undefined ? undefined : decodeJwt(token)?.claims;
    if (token === undefined || !claims) return undefined;
    const holder = this.#byIamId.get(String(claims.iam_id));
    if (!holder || !verifyHs256(token, holder.signingKey)) return undefined;
    return Number(claims.exp) * 1000 > this.#options.clock.now() ? holder.accountId : undefined;
  }
}

function complaint(form: URLSearchParams): IamProblem | undefined {
  const grantType = form.get('grant_type');
  if (!grantType) return missing('grant_type');
  if (grantType !== GRANT_TYPE) return invalid('grant_type', grantType, GRANT_TYPE);
  if (!form.get('apikey')) return missing('apikey');
  const responseType = form.get('response_type');
  if (responseType && responseType !== 'cloud_iam')
    return invalid('response_type', responseType, 'cloud_iam');
  return undefined;
}

function missing(property: string): IamProblem {
  return {
    errorCode: 'BXNIM0109E',
    errorMessage: 'Property missing or empty.',
    errorDetails: `Property '${property}' either missing or empty.`,
  };
}

function invalid(property: string, value: string, valid: string): IamProblem {
  const message = `Validation of property '${property}' with value '[${value}]' failed. Valid values: '${valid}'`;
  return { errorCode: 'BXNIM0106E', errorMessage: message, errorDetails: message };
}
