import { createSecretKey, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Clock } from '../../../src/common/clock.ts';
import { BearerApi, type Holder } from '../shared/bearer-api.ts';
import { BearerAuthority } from '../shared/bearer-authority.ts';
import { EntranceApi } from '../shared/entrance-api.ts';
import { RequestHandler, type FakeRegistry } from '../shared/fake-registry.ts';
import { Faults } from '../shared/faults.ts';
import { Identifiers, type Random } from '../shared/identifiers.ts';
import { decodeJwt } from '../shared/jwt.ts';
import type { Answer, Request } from '../shared/message.ts';
import { granted } from '../shared/scope.ts';
import type { TokenEvent, TokenServiceEvents } from './events.ts';
import { Identity, type ApiKey } from './identity.ts';
import { moreRows, OPERATIONS, pathsOf, type Operation } from './operations.ts';
import type { SelfSignedCertificate } from '../../self-signed-certificate.ts';
import { Problems } from './problems.ts';
import { recordOf, type RegistryToken, type TokenRecord } from './registry-token.ts';
import { StateError, type StateStore } from './state.ts';
import { TokenApi } from './token-api.ts';
import { TokenLedger } from './token-ledger.ts';

export interface TokenServiceOptions {
  clock: Clock;
  apiKeys: readonly ApiKey[];
  /** The registry as it stands in image names; `serve` fills in the address that it listens on. */
  host?: string;
  /** Of tokens that are not permanent, in milliseconds; 24 hours unless given. */
  tokenLifetime?: number;
  /** Account -> the registry namespaces (first part of a repository's name) that are its own. Without it, all are everybody's. */
  namespaces?: Readonly<Record<string, readonly string[]>>;
  /** Keeps tokens over a restart. */
  state?: StateStore;
  random?: Random;
}

const DAY = 24 * 3_600_000;
const USERNAME = 'token';

/**
 * One region of a registry with the token API of 2017, IAM's API key exchange, and CNCF Distribution's token
 * authentication. Holds no socket and waits only when a fault says so; all but bearer tokens happens before `handle`
 * gives its promise.
 */
export class TokenService extends EventEmitter<TokenServiceEvents> implements FakeRegistry {
  readonly faults = new Faults(OPERATIONS);
  readonly tokenEndpoint = { path: '/oauth/token', service: 'registry' };
  host: string | undefined;
  readonly #clock: Clock;
  readonly #identity: Identity;
  readonly #ledger: TokenLedger;
  readonly #state: StateStore | undefined;
  readonly #values: string[];
  readonly #authority: BearerAuthority;
  readonly #handler: RequestHandler<Operation>;
  #savedSigner: SelfSignedCertificate | undefined;

  /** @throws StateError when there is a state and it cannot be read or written */
  constructor(options: TokenServiceOptions) {
    super();
    const { clock, apiKeys, namespaces, random = randomBytes, tokenLifetime = DAY } = options;
    const identifiers = new Identifiers(clock, random);
    const problems = new Problems(identifiers, () => clock.now());
    const saved = options.state?.load();
    const tokens = saved?.tokens ?? [];
    this.host = options.host;
    this.#clock = clock;
    this.#state = options.state;
    this.#values = tokens.map(({ value }) => value);
    this.#savedSigner = saved?.bearerSigner;
    this.#authority = new BearerAuthority(
      () => clock.now(),
      saved?.bearerSigner,
      (signer) => {
        this.#savedSigner = signer.saved;
        this.#save(this.#ledger.all());
      },
    );
    this.#ledger = new TokenLedger({
      clock,
      tokens,
      expired: (token) => this.emit('expired', this.#event(token)),
      save: (all) => this.#save(all),
    });
    this.#identity = new Identity({
      clock,
      apiKeys,
      identifiers,
      problems,
      exchanged: (value, account, expiresAt) => {
        this.#values.push(value);
        this.emit('exchanged', { time: clock.now(), account, expiresAt });
      },
    });
    const issuer = (): string => this.host ?? 'localhost';
    const tokenApi = new TokenApi({
      clock,
      identity: this.#identity,
      identifiers,
      ledger: this.#ledger,
      problems,
      signingKey: createSecretKey(random(32)),
      issuer,
      lifetime: tokenLifetime,
      issued: (token) => {
        this.#values.push(token.value);
        this.emit('issued', this.#event(token));
      },
      revoked: (token) => this.emit('revoked', this.#event(token)),
    });
    const owns = (account: string, repository: string): boolean =>
      !namespaces || (namespaces[account]?.includes(repository.replace(/\/.*/, '')) ?? false);
    const { signer } = this.#authority;
    const bearerApi = new BearerApi({
      clock,
      signer,
      issuer,
      newId: () => identifiers.uuid(),
      problem: problems.distributionByStatus,
      authenticate: (username, password) => this.#holder(username, password, owns),
      authorized: (value) => this.#values.push(value),
    });
    const entranceApi = new EntranceApi({
      clock,
      signer,
      problem: problems.distributionByStatus,
      // Without quotes, and with a blank: as IBM's registry writes it.
      challenge: (host = issuer()) => {
        const { path, service } = this.tokenEndpoint;
        return `Bearer realm=http://${host}${path}, service=${service}`;
      },
    });
    const perform: Record<Operation, (request: Request, lifetime?: number) => Answer | Promise<Answer>> = {
      exchange: (request, lifetime) => this.#identity.exchange(request, lifetime),
      mint: (request, lifetime) => tokenApi.mint(request, lifetime),
      list: (request) => tokenApi.list(request),
      read: (request) => tokenApi.read(request),
      revoke: (request) => tokenApi.revoke(request),
      auth: (request, lifetime) => bearerApi.answer(request, lifetime),
      enter: (request) => entranceApi.enter(request),
    };
    this.#handler = new RequestHandler<Operation>({
      clock,
      faults: this.faults,
      paths: pathsOf(problems),
      perform: (operation, request, lifetime) => perform[operation](request, lifetime),
      answered: (report) => this.emit('answered', report),
      isFailure: (error) => error instanceof StateError,
      moreRows,
    });
    this.#save(tokens);
  }

  handle(request: Request, signal?: AbortSignal): Promise<Answer> {
    return this.#handler.handle(request, signal);
  }

  certificate(): Promise<string> {
    return this.#authority.certificate();
  }

  /** Adds an API key, as its owner would at IAM. */
  addApiKey(key: ApiKey): void {
    this.#identity.addKey(key);
  }

  /** Deletes an API key, as its owner would at IAM. */
  deleteApiKey(key: string): void {
    this.#identity.deleteKey(key);
  }

  /** The registry tokens that are alive. */
  tokens(): TokenRecord[] {
    return this.#ledger.all().map(recordOf);
  }

  /** Every registry token, access token and bearer token there ever was. */
  values(): string[] {
    return [...this.#values];
  }

  tokenOf(value: string): string | undefined {
    return this.#ledger.all().find((token) => token.value === value)?.id;
  }

  left(): string[] {
    return this.tokens().map(({ id }) => id);
  }

  #holder(
    username: string,
    password: string,
    owns: (account: string, repository: string) => boolean,
  ): Holder | undefined {
    const id = username === USERNAME ? decodeJwt(password)?.claims.jti : undefined;
    const token = typeof id === 'string' ? this.#ledger.get(id) : undefined;
    if (token?.value !== password) return undefined;
    const { account, access, expiresAt } = token;
    return {
      subject: account,
      expiresAt,
      grants: (requested) => granted(requested, access, (repository) => owns(account, repository)),
    };
  }

  #save(tokens: Iterable<RegistryToken>): void {
    this.#state?.save({ tokens: [...tokens], bearerSigner: this.#savedSigner });
  }

  #event(token: RegistryToken): TokenEvent {
    return { time: this.#clock.now(), ...recordOf(token) };
  }
}
