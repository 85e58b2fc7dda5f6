import { createSecretKey, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Clock } from '../../../src/common/clock.ts';
import { BearerApi } from '../shared/bearer-api.ts';
import { BearerSigner } from '../shared/bearer-signer.ts';
import { DoorApi } from '../shared/entrance-api.ts';
import type { Answered, TokenEvent, TokenServiceEvents } from './events.ts';
import type { Operation } from '../shared/fault.ts';
import { answerWithFault, Faults } from '../shared/faults.ts';
import { Identifiers, type Random } from '../shared/identifiers.ts';
import { Identity, type ApiKey } from './identity.ts';
import { text, type Answer, type Request } from '../shared/message.ts';
import { Problems } from './problems.ts';
import { recordOf, type RegistryToken, type TokenRecord } from './registry-token.ts';
import { routeOf } from './routes.ts';
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

/**
 * One region of a registry with the token API of 2017, IAM's API key exchange, and CNCF Distribution's token
 * authentication. Holds no socket and waits only when a fault says so; all but bearer tokens happens before `handle`
 * gives its promise.
 */
export class TokenService extends EventEmitter<TokenServiceEvents> {
  readonly faults = new Faults();
  host: string | undefined;
  readonly #clock: Clock;
  readonly #problems: Problems;
  readonly #identity: Identity;
  readonly #ledger: TokenLedger;
  readonly #state: StateStore | undefined;
  readonly #values: string[];
  readonly #perform: Readonly<
    Record<Operation, (request: Request, lifetime?: number) => Answer | Promise<Answer>>
  >;
  #bearerSigner: BearerSigner | undefined;
  #creating: Promise<BearerSigner> | undefined;

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
    this.#problems = problems;
    this.#state = options.state;
    this.#values = tokens.map(({ value }) => value);
    if (saved?.bearerSigner) this.#bearerSigner = new BearerSigner(saved.bearerSigner);
    const ledger = new TokenLedger({
      clock,
      tokens,
      expired: (token) => this.emit('expired', this.#event(token)),
      save: (all) => this.#save(all),
    });
    this.#ledger = ledger;
    const identity = new Identity({
      clock,
      apiKeys,
      identifiers,
      problems,
      exchanged: (value, account, expiresAt) => {
        this.#values.push(value);
        this.emit('exchanged', { time: clock.now(), account, expiresAt });
      },
    });
    this.#identity = identity;
    const issuer = (): string => this.host ?? 'localhost';
    const tokenApi = new TokenApi({
      clock,
      identity,
      identifiers,
      ledger,
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
    const bearerApi = new BearerApi({
      clock,
      identifiers,
      signer: () => this.#signer(),
      ledger,
      problems,
      issuer,
      owns: (account, repository) =>
        !namespaces || (namespaces[account]?.includes(repository.replace(/\/.*/, '')) ?? false),
      authorized: (value) => this.#values.push(value),
    });
    const doorApi = new DoorApi({ clock, signer: () => this.#signer(), problems, issuer });
    this.#perform = {
      exchange: (request, lifetime) => identity.exchange(request, lifetime),
      mint: (request, lifetime) => tokenApi.mint(request, lifetime),
      list: (request) => tokenApi.list(request),
      read: (request) => tokenApi.read(request),
      revoke: (request) => tokenApi.revoke(request),
      auth: (request, lifetime) =>
        request.method === 'POST' ? bearerApi.post(request, lifetime) : bearerApi.get(request, lifetime),
      enter: (request) => doorApi.enter(request),
    };
    this.#save(tokens);
  }

  /**
   * @param signal aborts when the client has left; ends only a wait that a fault asked for
   * @throws ConnectionBroken in place of an answer, when a fault asks for it
   */
  async handle(request: Request, signal?: AbortSignal): Promise<Answer> {
    const route = routeOf(request);
    if (!route) return this.#dated(text(404, '404 page not found'));
    const { api, operation, allowed } = route;
    if (!operation) {
      const refusal = this.#problems.byStatus(api, 405);
      return this.#dated({ ...refusal, headers: { ...refusal.headers, allow: allowed.join(', ') } });
    }
    const fault = this.faults.take(operation);
    const outcome: Pick<Answered, 'status' | 'error'> = {};
    try {
      const perform = async (lifetime?: number): Promise<Answer> =>
        this.#perform[operation](request, lifetime);
      const answer = fault
        ? await answerWithFault(fault, { api, clock: this.#clock, problems: this.#problems, perform, signal })
        : await perform();
      outcome.status = answer.status;
      return this.#dated(answer);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      outcome.error = error;
      outcome.status = 500;
      return this.#dated(this.#problems.byStatus('registry', 500));
    } finally {
      const time = this.#clock.now();
      this.emit('answered', { time, operation, ...(fault && { fault: fault.kind }), ...outcome });
    }
  }

  /** The certificate that a registry needs to believe the bearer tokens (its rootcertbundle), PEM. */
  async certificate(): Promise<string> {
    return (await this.#signer()).saved.certificate;
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

  /** Every registry token, access token and bearer token there ever was, for a search of logs and the like for leaks. */
  values(): string[] {
    return [...this.#values];
  }

  #signer(): Promise<BearerSigner> {
    if (this.#bearerSigner) return Promise.resolve(this.#bearerSigner);
    this.#creating ??= BearerSigner.create(this.#clock.now()).then((signer) => {
      this.#bearerSigner = signer;
      this.#save(this.#ledger.all());
      return signer;
    });
    return this.#creating;
  }

  #save(tokens: Iterable<RegistryToken>): void {
    this.#state?.save({ tokens: [...tokens], bearerSigner: this.#bearerSigner?.saved });
  }

  #event(token: RegistryToken): TokenEvent {
    return { time: this.#clock.now(), ...recordOf(token) };
  }

  /** Dated by the service's own clock, not by the machine's. */
  #dated(answer: Answer): Answer {
    const date = new Date(this.#clock.now()).toUTCString();
    return { ...answer, headers: { date, ...answer.headers } };
  }
}
