import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Clock } from '../../../src/common/clock.ts';
import { basicCredentials, BearerApi, type Holder } from '../shared/bearer-api.ts';
import { BearerAuthority } from '../shared/bearer-authority.ts';
import { distributionProblems } from '../shared/distribution-problems.ts';
import { EntranceApi } from '../shared/entrance-api.ts';
import { RequestHandler, type FakeRegistry, type FakeRegistryEvents } from '../shared/fake-registry.ts';
import { Faults } from '../shared/faults.ts';
import { Identifiers, type Random } from '../shared/identifiers.ts';
import { json, text, type Answer, type Request } from '../shared/message.ts';
import type { Grant } from '../shared/scope.ts';
import { Callers } from './callers.ts';
import { EcrApi, type AuthorizationToken } from './ecr-api.ts';
import { OPERATIONS, pathsOf, routed, type Operation } from './operations.ts';
import { accountOf, arnOf, may, type Role, type User } from './principals.ts';
import { AwsAnswers } from './problems.ts';
import { StsApi } from './sts-api.ts';

export interface EcrOptions {
  clock: Clock;
  /** The AWS account whose registry it is. */
  registryId: string;
  region: string;
  /** Whether it is the public ECR. */
  public?: boolean;
  users: readonly User[];
  roles?: readonly Role[];
  /** Those of another region of the same account, where sessions are good too; its own unless given. */
  callers?: Callers;
  /** The registry as it stands in image names; `serve` fills in the address that it listens on. */
  host?: string;
  random?: Random;
}

const USERNAME = 'AWS';
const EXPIRED = json(403, {
  errors: [
    { code: 'DENIED', message: 'Your authorization token has expired. Reauthenticate and try again.' },
  ],
});
/** What the actions of Distribution's scopes need in ECR. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  pull: ['BatchGetImage', 'GetDownloadUrlForLayer'],
  push: [
    'BatchCheckLayerAvailability',
    'InitiateLayerUpload',
    'UploadLayerPart',
    'CompleteLayerUpload',
    'PutImage',
  ],
};

/**
 * AWS as the users of its container registry see it: ECR and the public ECR, STS with users, roles and sessions, and one registry.
 * Signatures are checked. It holds no socket; all but bearer tokens happens before `handle` gives its promise.
 */
export class Ecr extends EventEmitter<FakeRegistryEvents> implements FakeRegistry {
  readonly faults = new Faults(OPERATIONS);
  readonly tokenEndpoint: { path: string; service: string };
  host: string | undefined;
  readonly #clock: Clock;
  readonly #registryId: string;
  readonly #region: string;
  readonly #isPublic: boolean;
  readonly #tokens = new Map<string, AuthorizationToken>();
  readonly #values: string[] = [];
  readonly #authority: BearerAuthority;
  readonly #handler: RequestHandler<Operation>;

  constructor(options: EcrOptions) {
    super();
    const { clock, registryId, region, users, roles = [], host, random = randomBytes } = options;
    this.host = host;
    this.#clock = clock;
    this.#registryId = registryId;
    this.#region = region;
    this.#isPublic = options.public ?? false;
    this.tokenEndpoint = {
      path: '/token/',
      service: this.#isPublic ? 'public.ecr.aws' : 'ecr.amazonaws.com',
    };
    this.#authority = new BearerAuthority(() => clock.now());
    const identifiers = new Identifiers(clock, random);
    const newId = (): string => identifiers.uuid();
    const newSecret = (length: number): string =>
      Buffer.from(random(length)).toString('base64url').slice(0, length);
    const answers = new AwsAnswers(newId);
    const { callers = new Callers(users, clock) } = options;
    const sts = new StsApi({
      clock,
      answers,
      callers,
      roles,
      newSecret,
      began: ({ secretAccessKey, sessionToken }) => this.#values.push(secretAccessKey, sessionToken),
    });
    const ecr = new EcrApi({
      clock,
      answers,
      callers,
      region,
      newSecret,
      issued: (token) => {
        this.#tokens.set(token.password, token);
        this.#values.push(token.password);
        const { principal, expiresAt } = token;
        // Tokens have neither id nor description.
        this.emit('issued', { time: clock.now(), id: arnOf(principal), description: '', expiresAt });
      },
    });
    const { signer } = this.#authority;
    const issuer = (): string => this.host ?? 'localhost';
    const problem = distributionProblems();
    const bearerApi = new BearerApi({
      clock,
      signer,
      issuer,
      newId,
      problem,
      authenticate: (username, password) => this.#holder(username, password),
      authorized: (value) => this.#values.push(value),
    });
    const entranceApi = new EntranceApi({
      clock,
      signer,
      problem,
      challenge: (at = issuer()) => this.#challenge(at),
    });
    const perform: Record<Operation, (request: Request, lifetime?: number) => Answer | Promise<Answer>> = {
      mint: (request, lifetime) => ecr.authorizationToken(request, lifetime),
      mintPublic: (request, lifetime) => ecr.publicAuthorizationToken(request, lifetime),
      assumeRole: (request, lifetime) => sts.assumeRole(request, lifetime),
      assumeRoleWithWebIdentity: (request, lifetime) => sts.assumeRoleWithWebIdentity(request, lifetime),
      callerIdentity: (request) => sts.callerIdentity(request),
      auth: (request, lifetime) => bearerApi.answer(request, lifetime),
      enter: (request) => this.#enter(request, entranceApi),
    };
    this.#handler = new RequestHandler<Operation>({
      clock,
      faults: this.faults,
      paths: pathsOf(answers.jsonByStatus, answers.xmlByStatus, problem),
      perform: (operation, request, lifetime) =>
        perform[operation](
          // As it was signed.
          request.path === `/${operation}` ? { ...request, path: '/' } : request,
          lifetime,
        ),
      answered: (report) => this.emit('answered', report),
    });
  }

  handle(request: Request, signal?: AbortSignal): Promise<Answer> {
    return this.#handler.handle(routed(request), signal);
  }

  certificate(): Promise<string> {
    return this.#authority.certificate();
  }

  values(): string[] {
    return [...this.#values];
  }

  /** What a password allows in a repository, and until when (milliseconds since 1970); undefined: it is that of no token that works. */
  permissionsOf(
    password: string,
    repository: string,
  ): { actions: readonly string[]; expiresAt: number } | undefined {
    const holder = this.#holder(USERNAME, password);
    if (!holder) return undefined;
    const asked = { type: 'repository', name: repository, actions: ['pull', 'push'] };
    const actions = holder.grants([asked]).flatMap((grant) => grant.actions);
    return { actions, expiresAt: holder.expiresAt ?? Infinity };
  }

  /** Tokens have no ids. */
  tokens(): [] {
    return [];
  }

  tokenOf(): undefined {
    return undefined;
  }

  /** Nothing can be listed, or deleted. */
  left(): string[] {
    return [];
  }

  /** What the private registry asks for is the credential itself; the public one has a token service. */
  #challenge(at: string): string {
    const { path, service } = this.tokenEndpoint;
    return this.#isPublic
      ? `Bearer realm="http://${at}${path}",service="${service}",scope="aws"`
      : `Basic realm="https://${this.#registryId}.dkr.ecr.${this.#region}.amazonaws.com/",service="${service}"`;
  }

  /** The private registry takes the credential itself. What is none of its tokens it calls a bad request, not unauthorized. */
  #enter(request: Request, entrance: EntranceApi): Answer | Promise<Answer> {
    const credentials = basicCredentials(request.headers.authorization);
    if (!credentials || this.#isPublic) return entrance.enter(request);
    const { username, password } = credentials;
    if (this.#holder(username, password)) return json(200, {});
    const known = username === USERNAME && this.#tokens.has(password);
    return known ? EXPIRED : text(400, 'Bad Request');
  }

  #holder(username: string, password: string): Holder | undefined {
    const token = username === USERNAME ? this.#tokens.get(password) : undefined;
    if (!token || token.public !== this.#isPublic || token.expiresAt <= this.#clock.now()) return undefined;
    const { principal, expiresAt } = token;
    const grants = (requested: readonly Grant[]): Grant[] =>
      requested.flatMap(({ type, name, actions }) => {
        const allowed = actions.filter((action) => this.#mayUse(token, name, action));
        return type === 'repository' && allowed.length > 0 ? [{ type, name, actions: allowed }] : [];
      });
    return { subject: arnOf(principal), expiresAt, grants };
  }

  #mayUse({ principal }: AuthorizationToken, repository: string, action: string): boolean {
    if (this.#isPublic && action === 'pull') return true;
    const [service, region] = this.#isPublic ? ['ecr-public', ''] : ['ecr', this.#region];
    const arn = `arn:aws:${service}:${region}:${this.#registryId}:repository/${repository}`;
    const foreign = accountOf(arnOf(principal)) !== this.#registryId;
    // Another account's repositories have policies of their own, which there are none of here.
    return !foreign && (NEEDED[action] ?? ['']).every((each) => may(principal, `${service}:${each}`, arn));
  }
}
