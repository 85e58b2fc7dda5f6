import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Clock } from '../../../src/common/clock.ts';
import { BearerApi, type Holder } from '../shared/bearer-api.ts';
import { BearerAuthority } from '../shared/bearer-authority.ts';
import { distributionProblems } from '../shared/distribution-problems.ts';
import { EntranceApi } from '../shared/entrance-api.ts';
import {
  RequestHandler,
  type FakeRegistry,
  type FakeRegistryEvents,
  type TokenEvent,
} from '../shared/fake-registry.ts';
import { Faults } from '../shared/faults.ts';
import { Identifiers, type Random } from '../shared/identifiers.ts';
import { decodeJwt, signHs256, verifyHs256 } from '../shared/jwt.ts';
import { formOf, json, type Answer, type Request } from '../shared/message.ts';
import type { Grant } from '../shared/scope.ts';
import { ApiKeys } from './api-keys.ts';
import type { IamState, Key } from './iam-state.ts';
import { OPERATIONS, pathsOf, type Operation } from './operations.ts';
import { Policies } from './policies.ts';
import { IamProblems } from './problems.ts';
import { ServiceIds } from './service-ids.ts';

export interface IbmCloudOptions {
  clock: Clock;
  /** The account; several regions can share one. */
  state: IamState;
  /** Region of the registry; `global` for the one without. */
  region: string;
  /** The registry as it stands in image names; `serve` fills in the address that it listens on. */
  host?: string;
  random?: Random;
}

/** What was done to an API key; never its value. */
export type KeyEvent = Omit<Key, 'value'> & TokenEvent;

interface IbmCloudEvents extends FakeRegistryEvents {
  issued: [KeyEvent];
  revoked: [KeyEvent];
}

const GRANT_TYPE = 'urn:ibm:params:oauth:grant-type:apikey';
const HOUR = 3_600_000;
const USERNAME = 'iamapikey';

/**
 * IBM Cloud as the container registry's users see it: IAM with service IDs, policies and API keys, eventually consistent where it
 * is told to be, and one region of the registry. It holds no socket; all but bearer tokens happens before `handle` gives its
 * promise.
 */
export class IbmCloud extends EventEmitter<IbmCloudEvents> implements FakeRegistry {
  readonly faults = new Faults(OPERATIONS);
  readonly tokenEndpoint = { path: '/oauth/token', service: 'registry' };
  readonly state: IamState;
  host: string | undefined;
  readonly #clock: Clock;
  readonly #region: string;
  readonly #identifiers: Identifiers;
  readonly #problems: IamProblems;
  readonly #signingKey: KeyObject;
  readonly #newValue: () => string;
  readonly #values: string[] = [];
  readonly #authority: BearerAuthority;
  readonly #handler: RequestHandler<Operation>;

  constructor({ clock, state, region, host, random = randomBytes }: IbmCloudOptions) {
    super();
    this.host = host;
    this.state = state;
    this.#clock = clock;
    this.#region = region;
    this.#identifiers = new Identifiers(clock, random);
    this.#problems = new IamProblems(() => this.#identifiers.transaction());
    this.#signingKey = createSecretKey(random(32));
    this.#newValue = () => Buffer.from(random(33)).toString('base64url');
    this.#authority = new BearerAuthority(() => clock.now());
    const iam = {
      clock,
      state,
      problems: this.#problems,
      callerOf: (authorization: string | undefined) => this.#callerOf(authorization),
      newId: () => this.#identifiers.uuid(),
      revoked: (key: Key) => this.emit('revoked', this.#event(key)),
    };
    const serviceIds = new ServiceIds(iam);
    const policies = new Policies(iam);
    const keys = new ApiKeys({
      ...iam,
      newValue: this.#newValue,
      issued: (key) => {
        this.#values.push(key.value);
        this.emit('issued', this.#event(key));
      },
    });
    const registryProblem = distributionProblems({
      401: 'Authorization required. See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-auth-req',
    });
    const { signer } = this.#authority;
    const issuer = (): string => this.host ?? 'localhost';
    const bearerApi = new BearerApi({
      clock,
      signer,
      issuer,
      newId: () => this.#identifiers.uuid(),
      problem: registryProblem,
      // IBM's registry answers 400 to a pair that it does not know.
      refusal: 400,
      authenticate: (username, password) => this.#holder(username, password),
      authorized: (value) => this.#values.push(value),
    });
    const entranceApi = new EntranceApi({
      clock,
      signer,
      problem: registryProblem,
      challenge: (at = issuer()) => {
        const { path, service } = this.tokenEndpoint;
        return `Bearer realm=http://${at}${path}, service=${service}`;
      },
    });
    const perform: Record<Operation, (request: Request, lifetime?: number) => Answer | Promise<Answer>> = {
      exchange: (request, lifetime) => this.#exchange(request, lifetime),
      listGroups: (request) => serviceIds.listGroups(request),
      createGroup: (request) => serviceIds.createGroup(request),
      listServiceIds: (request) => serviceIds.list(request),
      createServiceId: (request) => serviceIds.create(request),
      readServiceId: (request) => serviceIds.read(request),
      deleteServiceId: (request) => serviceIds.delete(request),
      listPolicies: (request) => policies.list(request),
      createPolicy: (request) => policies.create(request),
      deletePolicy: (request) => policies.delete(request),
      list: (request) => keys.list(request),
      mint: (request) => keys.create(request),
      read: (request) => keys.read(request),
      revoke: (request) => keys.delete(request),
      auth: (request, lifetime) => bearerApi.answer(request, lifetime),
      enter: (request) => entranceApi.enter(request),
    };
    this.#handler = new RequestHandler<Operation>({
      clock,
      faults: this.faults,
      paths: pathsOf(this.#problems, registryProblem),
      perform: (operation, request, lifetime) => perform[operation](request, lifetime),
      answered: (report) => this.emit('answered', report),
    });
  }

  handle(request: Request, signal?: AbortSignal): Promise<Answer> {
    return this.#handler.handle(request, signal);
  }

  certificate(): Promise<string> {
    return this.#authority.certificate();
  }

  values(): string[] {
    return [...this.#values];
  }

  tokens(): { id: string; description: string }[] {
    return this.#working().map(({ id, description }) => ({ id, description }));
  }

  tokenOf(value: string): string | undefined {
    return this.#working().find((key) => key.value === value)?.id;
  }

  #working(): Key[] {
    const { keys, administrators } = this.state;
    return [...keys.values()].filter(
      (key) => !administrators.has(key.iamId) && this.state.isAlive(key, this.#clock.now()),
    );
  }

  left(): string[] {
    const { serviceIds, policies, keys, administrators } = this.state;
    const ofClients = [
      ...[...serviceIds.values()].filter(({ id }) => !administrators.has(`iam-${id}`)),
      ...[...keys.values()].filter(({ iamId }) => !administrators.has(iamId)),
      ...policies.values(),
    ];
    return ofClients.filter(({ deletedAt }) => deletedAt === undefined).map(({ id }) => id);
  }

  /** Makes a service ID with an API key of one's own, as an administrator would for the operator. */
  addAdministrator(apiKey: string): void {
    const id = `ServiceId-${this.#identifiers.uuid()}`;
    const common = { createdAt: 0, deletedAt: undefined, description: 'for the operator' };
    this.state.serviceIds.set(id, { ...common, id, name: 'operator', groupId: undefined, locked: false });
    const key: Key = {
      ...common,
      id: `ApiKey-${this.#identifiers.uuid()}`,
      iamId: `iam-${id}`,
      name: 'operator',
      value: apiKey,
      expiresAt: null,
      disabled: false,
    };
    this.state.keys.set(key.id, key);
    this.state.administrators.add(key.iamId);
  }

  /** POST /identity/token. An access token outlives its key. `lifetime` in milliseconds. */
  #exchange(request: Request, lifetime = HOUR): Answer {
    const form = formOf(request);
    if (form.get('grant_type') !== GRANT_TYPE)
      return this.#problems.login(400, 'BXNIM0109E', 'Property missing or empty.');
    const now = this.#clock.now();
    const key = this.state.keyOf(form.get('apikey') ?? '', now);
    if (!key) return this.#problems.loginByStatus(400);
    const issued = Math.floor(now / 1000);
    const expiration = issued + Math.floor(lifetime / 1000);
    const claims = {
      iam_id: key.iamId,
      sub: key.iamId.replace(/^iam-/, ''),
      sub_type: 'ServiceId',
      account: { valid: true, bss: this.state.accountId },
      jti: this.#identifiers.uuid(),
      iat: issued,
      exp: expiration,
    };
    const value = signHs256(claims, this.#signingKey);
    this.#values.push(value);
    const answer = {
      access_token: value,
      refresh_token: 'not_supported',
      token_type: 'Bearer',
      expires_in: expiration - issued,
      expiration,
      scope: 'ibm openid',
    };
    return json(200, answer, { 'transaction-id': this.#identifiers.transaction() });
  }

  #callerOf(authorization: string | undefined): string | undefined {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const claims = decodeJwt(token)?.claims;
    if (!claims || !verifyHs256(token, this.#signingKey)) return undefined;
    return Number(claims.exp) * 1000 > this.#clock.now() ? String(claims.iam_id) : undefined;
  }

  #holder(username: string, password: string): Holder | undefined {
    const key = username === USERNAME ? this.state.keyOf(password, this.#clock.now()) : undefined;
    if (!key) return undefined;
    const grants = (requested: readonly Grant[]): Grant[] =>
      requested.flatMap(({ type, name, actions }) => {
        const namespace = name.replace(/\/.*/s, '');
        const roles = this.state.rolesOn(key.iamId, this.#region, namespace, this.#clock.now());
        const allowed = actions.filter(
          (action) => roles.has('Writer') || (roles.has('Reader') && action === 'pull'),
        );
        return type === 'repository' && allowed.length > 0 ? [{ type, name, actions: allowed }] : [];
      });
    return { subject: key.iamId, expiresAt: key.expiresAt, grants };
  }

  #event(key: Key): KeyEvent {
    const { value: _, ...rest } = key;
    return { time: this.#clock.now(), ...rest };
  }
}
