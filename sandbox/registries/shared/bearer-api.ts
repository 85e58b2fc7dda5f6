import type { Clock } from '../../../src/common/clock.ts';
import type { BearerSigner } from './bearer-signer.ts';
import { LEEWAY } from './leeway.ts';
import { formOf, json, queryOf, type Answer, type Request } from './message.ts';
import { parseScopes, type Grant } from './scope.ts';

/** Whose credential it is that a client showed, and what it gives. */
export interface Holder {
  /** `sub` of the bearer tokens. */
  subject: string;
  /** Milliseconds since 1970; null when it never expires. */
  expiresAt: number | null;
  /** What of the requested it gives; the rest is left out, not refused. */
  grants(requested: readonly Grant[]): Grant[];
}

export interface BearerApiOptions {
  clock: Clock;
  signer: () => Promise<BearerSigner>;
  /** `iss` of the bearer tokens; the registry's `issuer` has to be the same. */
  issuer: () => string;
  newId: () => string;
  /** Whether a credential is good, and whose it is. */
  authenticate: (username: string, password: string) => Holder | undefined;
  /** The registry's documented answer of a status. */
  problem: (status: number) => Answer;
  /** Status of the answer to a credential that is not good; 401 unless told. */
  refusal?: number;
  /** Harbor answers a bad credential that comes with a scope with a token that gives nothing. */
  givesNothingToBadCredentials?: boolean;
  /** Told of every bearer token. */
  authorized: (value: string) => void;
}

interface Credentials {
  username: string;
  password: string;
}

const LIFETIME = 60_000;

/**
 * CNCF Distribution's token authentication: a client shows a credential and gets a bearer token that the registry
 * accepts for a minute, or until the credential expires. The registry does not ask whether that was revoked meanwhile. A
 * client that shows none is refused: no repository here is public.
 */
export class BearerApi {
  readonly #options: BearerApiOptions;

  constructor(options: BearerApiOptions) {
    this.#options = options;
  }

  /** Answers GET and POST, each in its own way. `lifetime` of the bearer token in milliseconds. */
  answer(request: Request, lifetime = LIFETIME): Promise<Answer> {
    return request.method === 'POST' ? this.#post(request, lifetime) : this.#get(request, lifetime);
  }

  /** GET ?service=&scope=…, with Basic credentials. */
  async #get(request: Request, lifetime: number): Promise<Answer> {
    const query = queryOf(request);
    const scopes = query.getAll('scope');
    const holder = this.#holder(basicCredentials(request.headers.authorization), scopes);
    if (!holder) return this.#unauthorized();
    const service = query.get('service');
    if (!service) return this.#options.problem(400);
    const access = holder.grants(parseScopes(scopes));
    const { value, issuedAt, expiresIn } = await this.#issue(holder, service, access, lifetime);
    return json(200, { token: value, access_token: value, expires_in: expiresIn, issued_at: issuedAt });
  }

  /** POST, OAuth 2's password grant, with which containerd begins. */
  async #post(request: Request, lifetime: number): Promise<Answer> {
    const form = formOf(request);
    const service = form.get('service');
    if (!service || !form.has('grant_type')) return json(400, { error: 'invalid_request' });
    if (form.get('grant_type') !== 'password') return json(400, { error: 'unsupported_grant_type' });
    const credentials = { username: form.get('username') ?? '', password: form.get('password') ?? '' };
    const scopes = form.getAll('scope');
    const holder = this.#holder(credentials, scopes);
    if (!holder) return this.#unauthorized();
    const access = holder.grants(parseScopes(scopes));
    const { value, issuedAt, expiresIn } = await this.#issue(holder, service, access, lifetime);
    const scope = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
    return json(200, { access_token: value, scope, expires_in: expiresIn, issued_at: issuedAt });
  }

  #holder(credentials: Credentials | undefined, scopes: readonly string[]): Holder | undefined {
    const { authenticate, givesNothingToBadCredentials = false } = this.#options;
    const holder = credentials && authenticate(credentials.username, credentials.password);
    if (holder || !givesNothingToBadCredentials || scopes.length === 0) return holder;
    return { subject: '', expiresAt: null, grants: () => [] };
  }

  #unauthorized(): Answer {
    const { refusal = 401, issuer, problem } = this.#options;
    const answer = problem(refusal);
    return { ...answer, headers: { ...answer.headers, 'www-authenticate': `Basic realm="${issuer()}"` } };
  }

  async #issue(
    { subject, expiresAt }: Holder,
    service: string,
    access: readonly Grant[],
    lifetime: number,
  ): Promise<{ value: string; issuedAt: string; expiresIn: number }> {
    const { signer, clock, issuer, newId, authorized } = this.#options;
    const now = Math.floor(clock.now() / 1000);
    const end = Math.floor(Math.min(now + lifetime / 1000, (expiresAt ?? Infinity) / 1000));
    const value = (await signer()).sign({
      iss: issuer(),
      sub: subject,
      aud: service,
      // Early, for the registry to refuse it at its end.
      exp: end - LEEWAY,
      nbf: now,
      iat: now,
      jti: newId(),
      access,
    });
    authorized(value);
    return { value, issuedAt: new Date(now * 1000).toISOString(), expiresIn: end - now };
  }
}

/** Credentials out of a header `Basic <base64 of user:password>`. */
export function basicCredentials(authorization: string | undefined): Credentials | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  const [, username, password] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  return username === undefined || password === undefined ? undefined : { username, password };
}
