import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../../src/common/clock.ts';
import type { Identifiers } from '../shared/identifiers.ts';
import type { Identity } from './identity.ts';
import { signHs256 } from '../shared/jwt.ts';
import { json, pathOf, queryOf, type Answer, type Request } from '../shared/message.ts';
import { REGISTRY_INVALID, REGISTRY_NOT_FOUND, REGISTRY_UNAUTHORIZED, type Problems } from './problems.ts';
import type { RegistryToken } from './registry-token.ts';
import type { TokenLedger } from './token-ledger.ts';

export interface TokenApiOptions {
  clock: Clock;
  identity: Identity;
  identifiers: Identifiers;
  ledger: TokenLedger;
  problems: Problems;
  signingKey: KeyObject;
  /** `iss` of the tokens. */
  issuer(): string;
  /** Of a token that was not asked to be permanent; milliseconds. */
  lifetime: number;
  issued(token: RegistryToken): void;
  revoked(token: RegistryToken): void;
}

const COLLECTION = '/api/v1/tokens';

/** The registry's token API of 2017, one region of it. */
export class TokenApi {
  readonly #options: TokenApiOptions;

  constructor(options: TokenApiOptions) {
    this.#options = options;
  }

  /**
   * POST /api/v1/tokens. All parameters are in the query; the body is not looked at.
   * @param forcedLifetime of even a permanent token; milliseconds
   */
  mint(request: Request, forcedLifetime?: number): Answer {
    return this.#authorized(request, (account) => {
      const { clock, identifiers, ledger, problems, signingKey } = this.#options;
      const query = queryOf(request);
      const permanent = flag(query, 'permanent');
      const write = flag(query, 'write');
      if (permanent === undefined || write === undefined) {
        return problems.registry(400, REGISTRY_INVALID('permanent and write must be true or false.'));
      }
      const lifetime = forcedLifetime ?? (permanent ? undefined : this.#options.lifetime);
      const now = Math.floor(clock.now() / 1000);
      const exp = lifetime === undefined ? undefined : now + Math.floor(lifetime / 1000);
      const id = identifiers.uuid();
      const claims = { ...(exp === undefined ? {} : { exp }), jti: id, iss: this.#options.issuer() };
      const token: RegistryToken = {
        id,
        account,
        description: query.get('description') ?? '',
        access: write ? 'ReadWrite' : 'ReadOnly',
        issuedAt: now * 1000,
        expiresAt: exp === undefined ? null : exp * 1000,
        value: signHs256(claims, signingKey),
      };
      ledger.add(token);
      this.#options.issued(token);
      return json(200, { token: token.value });
    });
  }

  /** GET /api/v1/tokens. Rows hold the values, as the real ones do. */
  list(request: Request): Answer {
    return this.#authorized(request, (account) =>
      json(200, { tokens: this.#options.ledger.of(account).map(row) }),
    );
  }

  /** GET /api/v1/tokens/{id}. */
  read(request: Request): Answer {
    return this.#named(request, (token) => json(200, { token: token.value }));
  }

  /** DELETE /api/v1/tokens/{id}, and DELETE /api/v1/tokens?secondaryOwner=<description>. */
  revoke(request: Request): Answer {
    if (idOf(request) !== '') {
      return this.#named(request, (token) => this.#remove([token]));
    }
    return this.#authorized(request, (account) => {
      const { ledger, problems } = this.#options;
      const description = queryOf(request).get('secondaryOwner');
      if (!description) return problems.registry(400, REGISTRY_INVALID('secondaryOwner is missing.'));
      return this.#remove(ledger.of(account).filter((token) => token.description === description));
    });
  }

  #remove(tokens: readonly RegistryToken[]): Answer {
    this.#options.ledger.remove(tokens);
    for (const token of tokens) this.#options.revoked(token);
    return { status: 200, headers: {}, body: '' };
  }

  #named(request: Request, act: (token: RegistryToken) => Answer): Answer {
    return this.#authorized(request, (account) => {
      const token = this.#options.ledger.get(idOf(request));
      if (token?.account !== account) return this.#options.problems.registry(404, REGISTRY_NOT_FOUND);
      return act(token);
    });
  }

  /** The access token has to be good and the Account header has to name its account. */
  #authorized(request: Request, act: (account: string) => Answer): Answer {
    const account = this.#options.identity.accountOf(request.headers.authorization);
    if (account === undefined || request.headers.account !== account) {
      return this.#options.problems.registry(401, REGISTRY_UNAUTHORIZED);
    }
    return act(account);
  }
}

function idOf(request: Request): string {
  return pathOf(request).slice(COLLECTION.length + 1);
}

function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === null || value === '' || value === 'false') return false;
  return value === 'true' ? true : undefined;
}

/** A row of the list; a token that never expires has no `expiry`. */
function row(token: RegistryToken): object {
  return {
    _id: token.id,
    owner: token.account,
    token: token.value,
    secondary_owner: token.description,
    readonly: token.access === 'ReadOnly',
    revoked: false,
    ...(token.expiresAt === null ? {} : { expiry: token.expiresAt / 1000 }),
  };
}
