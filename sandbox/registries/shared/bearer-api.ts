import type { Clock } from '../../../src/common/clock.ts';
import type { BearerSigner } from './bearer-signer.ts';
import type { Identifiers } from './identifiers.ts';
import { decodeJwt } from './jwt.ts';
import { LEEWAY } from './leeway.ts';
import { formOf, json, queryOf, type Answer, type Request } from './message.ts';
import type { Problems } from '../ibm-registry-tokens/problems.ts';
import type { RegistryToken } from '../ibm-registry-tokens/registry-token.ts';
import { granted, parseScopes, type Grant } from './scope.ts';
import type { TokenLedger } from '../ibm-registry-tokens/token-ledger.ts';

export interface BearerApiOptions {
  clock: Clock;
  identifiers: Identifiers;
  signer: () => Promise<BearerSigner>;
  ledger: TokenLedger;
  problems: Problems;
  /** `iss` of the bearer tokens; the registry's `issuer` has to be the same. */
  issuer(): string;
  /** Whether a repository is the account's. */
  owns(account: string, repository: string): boolean;
  authorized(value: string): void;
}

interface Credentials {
  username: string;
  password: string;
}

const USERNAME = 'token';
const LIFETIME = 60_000;

/**
 * CNCF Distribution's token authentication: a client shows a registry token and gets a bearer token that the registry
 * accepts for a minute, or until the registry token expires. The registry does not ask whether that was revoked meanwhile. A
 * client that shows none is refused: no repository here is public.
 */
export class BearerApi {
  readonly #options: BearerApiOptions;

  constructor(options: BearerApiOptions) {
    this.#options = options;
  }

  /** GET /oauth/token?service=&scope=…, with Basic credentials. `lifetime` in milliseconds. */
  async get(request: Request, lifetime = LIFETIME): Promise<Answer> {
    const query = queryOf(request);
    const token = this.#tokenFor(basicCredentials(request.headers.authorization));
    if (!token) return this.#unauthorized();
    const service = query.get('service');
    if (!service) return this.#options.problems.byStatus('distribution', 400);
    const access = this.#grants(token, query.getAll('scope'));
    const { value, issuedAt, expiresIn } = await this.#issue(token, service, access, lifetime);
    return json(200, { token: value, access_token: value, expires_in: expiresIn, issued_at: issuedAt });
  }

  /** POST /oauth/token, OAuth 2's password grant, with which containerd begins. `lifetime` in milliseconds. */
  async post(request: Request, lifetime = LIFETIME): Promise<Answer> {
    const form = formOf(request);
    const service = form.get('service');
    if (!service || !form.has('grant_type')) return json(400, { error: 'invalid_request' });
    if (form.get('grant_type') !== 'password') return json(400, { error: 'unsupported_grant_type' });
    const token = this.#tokenFor({
      username: form.get('username') ?? '',
      password: form.get('password') ?? '',
    });
    if (!token) return this.#unauthorized();
    const access = this.#grants(token, form.getAll('scope'));
    const { value, issuedAt, expiresIn } = await this.#issue(token, service, access, lifetime);
    const scope = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
    return json(200, { access_token: value, scope, expires_in: expiresIn, issued_at: issuedAt });
  }

  #tokenFor(credentials: Credentials | undefined): RegistryToken | undefined {
    if (credentials?.username !== USERNAME) return undefined;
    const id = decodeJwt(credentials.password)?.claims.jti;
    const token = typeof id === 'string' ? this.#options.ledger.get(id) : undefined;
    return token?.value === credentials.password ? token : undefined;
  }

  #grants(token: RegistryToken, scopes: readonly string[]): Grant[] {
    return granted(parseScopes(scopes), token.access, (repository) =>
      this.#options.owns(token.account, repository),
    );
  }

  #unauthorized(): Answer {
    const answer = this.#options.problems.byStatus('distribution', 401);
    return {
      ...answer,
      headers: { ...answer.headers, 'www-authenticate': `Basic realm="${this.#options.issuer()}"` },
    };
  }

  async #issue(
    token: RegistryToken,
    service: string,
    access: readonly Grant[],
    lifetime: number,
  ): Promise<{ value: string; issuedAt: string; expiresIn: number }> {
    const signer = await this.#options.signer();
    const now = Math.floor(this.#options.clock.now() / 1000);
    const end = Math.floor(Math.min(now + lifetime / 1000, (token.expiresAt ?? Infinity) / 1000));
    const value = signer.sign({
      iss: this.#options.issuer(),
      sub: token.account,
      aud: service,
      // Early, for the registry to refuse it at its end.
      exp: end - LEEWAY,
      nbf: now,
      iat: now,
      jti: this.#options.identifiers.uuid(),
      access,
    });
    this.#options.authorized(value);
    return { value, issuedAt: new Date(now * 1000).toISOString(), expiresIn: end - now };
  }
}

/** Credentials out of a header `Basic <base64 of user:password>`. */
function basicCredentials(authorization: string | undefined): Credentials | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  const [, username, password] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  return username === undefined || password === undefined ? undefined : { username, password };
}
