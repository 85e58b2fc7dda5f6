import type { ScopeCapability } from '../../api/capabilities.ts';
import type { Clock } from '../../common/clock.ts';
import { DeadlinePassed, withDeadline } from '../../common/deadline.ts';
import { Redacted } from '../../common/redacted.ts';
import type { Verdict } from '../../common/verdict.ts';
import { NoAnswer } from '../http/answer-reader.ts';
import { readChallenge, type BearerChallenge } from './challenge.ts';
import { TELLING_SILENCE, type CircuitBreaker } from '../http/circuit-breaker.ts';
import { RegistryError } from '../errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import type { HttpSender } from '../http/http-client.ts';
import type { RegistryMetrics } from '../http/metrics.ts';
import type { Access, Place } from '../port.ts';
import { claimsOf } from '../jwt.ts';
import { urlBelow } from '../http/registry-client.ts';

export interface LoginProbeOptions {
  http: HttpSender;
  clock: Clock;
  metrics: RegistryMetrics;
  breaker: CircuitBreaker;
  account: string;
  place: Place;
  /** What a name of a scope stands for; undefined: there are none. */
  namesCover: ScopeCapability['covers'] | undefined;
}

/** A credential, and the permissions that it should have. */
export interface Attempt {
  username: string;
  password: Redacted;
  access: Access;
  /** Names of parts of the registry; empty: there is none to ask for, so only the login is tried. */
  scope: readonly string[];
}

/** Names that are asked for in one request: of 255 characters each they fit into the 8 KiB that servers take of a URL, unless many are slashes. */
const MAX_NAMES = 16;
/** Names that are asked for alone in one try: so a try sends no more than 15 requests, however long the scope is. */
const MAX_ALONE = 8;
/** What registries answer that refuse a whole request since one of its names is not permitted, or not there for who asks. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404]);
/** Name of a repository in a namespace of the scope, since permission is asked for repositories. It need not exist. */
const REPOSITORY = 'registry-token-operator';
const ACTIONS: Readonly<Record<Access, string>> = { ReadOnly: 'pull', ReadWrite: 'pull,push' };

/** Milliseconds for all requests of one try together: a worker waits for it. */
const MAX_TRY = 10_000;
/** Bytes: longer than any bearer token or body of `/v2/`. */
const MAX_BODY = 2 ** 16;

/**
 * Tries a credential where docker and kubelet log in: as `docker login` does (moby,
 * registry/auth.go loginV2): the challenge of `/v2/`, a bearer token from the endpoint that it names, or the credential itself
 * where that is asked for, `/v2/` again. Where the registry gives bearer tokens, it is asked too for one that pulls (and pushes)
 * within the scope: a credential can be good before what it may do is in effect.
 *
 * The registry's host comes from the account, so from an administrator. The credential is shown only to the token endpoint
 * that the registry names over TLS. A registry is asked in plain HTTP only where the API that issues tokens is and has the same host name,
 * so that the account itself says HTTP; it may then name a token endpoint on its own host only, since anyone on the network
 * could have changed the challenge. Redirects are not followed.
 */
export class LoginProbe {
  readonly #options: LoginProbeOptions;
  readonly #url: URL;

  /** @throws RegistryError InvalidRequest when the place's host can't be one */
  constructor(options: LoginProbeOptions) {
    const { endpoint, host } = options.place;
    this.#options = options;
    const api = URL.parse(endpoint);
    const url = urlBelow(`https://${host}`, '/v2/');
    const isPlain = api?.protocol === 'http:' && api.hostname === url.hostname;
    this.#url = isPlain ? urlBelow(`http://${host}`, '/v2/') : url;
  }

  /** As in the account. */
  get host(): string {
    return this.#options.place.host;
  }

  /**
   * Tries a credential.
   * @throws only the signal's reason
   */
  async try(attempt: Attempt, signal: AbortSignal): Promise<Verdict> {
    const { breaker, clock } = this.#options;
    try {
      return await breaker.run(() =>
        withDeadline(clock, MAX_TRY, signal, (limited) => this.#login(attempt, limited)).catch(
          (error: unknown) => {
            // It answered so far, only slowly: that is no failure of the host.
            if (error instanceof DeadlinePassed && !signal.aborted)
              return unknown(`${this.#url.host} took more than ${MAX_TRY / 1000} s for all its answers`);
            throw error;
          },
        ),
      );
    } catch (error) {
      if (error instanceof RegistryError) return { answer: 'unknown', message: error.message };
      throw error;
    }
  }

  async #login(attempt: Attempt, signal: AbortSignal): Promise<Verdict> {
    const { username, password } = attempt;
    const knock = await this.#get(this.#url, {}, signal);
    if (knock.status === 200 && knock.flaw !== 'is HTML')
      return unknown(`${this.#url.host} does not ask for a credential`);
    if (knock.status !== 401)
      return unknown(`${this.#url.host} answered ${described(knock)} instead of a challenge`);
    const challenge = readChallenge(knock.headers['www-authenticate'] ?? '');
    if (!challenge) return unknown(`${this.#url.host} sends no Bearer or Basic challenge`);
    const basic = `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
    if (challenge.scheme === 'Basic') return this.#enter(basic, 'the token', signal);
    const realm = this.#realm(challenge);
    if ('answer' in realm) return realm;
    realm.searchParams.set('account', username);
    if (challenge.service !== undefined) realm.searchParams.set('service', challenge.service);
    const grant = await this.#get(realm, { Authorization: basic }, signal);
    const where = `the token endpoint ${realm.host}`;
    if (grant.flaw === 'is HTML') return unknown(`${where} answered ${described(grant)}`);
    // IBM's registry answers a wrong pair with 400, others with 401. Others answer 400 when the request names no service.
    if (grant.status === 401 || (grant.status === 400 && challenge.service !== undefined))
      return { answer: 'refused', message: `${where} of ${this.#url.host} answered ${grant.status}` };
    if (grant.status !== 200) return unknown(`${where} answered ${described(grant)}`);
    const bearer = bearerOf(grant.json);
    if (!bearer) return unknown(`${where} answered 200 without a bearer token`);
    const entry = await this.#enter(`Bearer ${bearer.reveal()}`, `the bearer token of ${realm.host}`, signal);
    return entry.answer === 'accepted' ? this.#permits(attempt, realm, basic, signal) : entry;
  }

  /**
   * Asks for what the credential is to give in each name of the scope: several at once, and alone those that this did not
   * show to be given. A registry leaves out of a bearer token what a credential may not do, or refuses the request; a bearer token
   * that can't be read says no more than that it was given. Where the first `MAX_ALONE` of those, in the order of the scope, are
   * all given alone, this registry's answers about several names tell nothing, and the rest counts as given; not where it refused
   * several at once: it may do so for one of the rest, and nobody knows.
   */
  async #permits(attempt: Attempt, realm: URL, authorization: string, signal: AbortSignal): Promise<Verdict> {
    const { scope } = attempt;
    const ask = (names: readonly string[]): Promise<HttpAnswer> => {
      const url = new URL(realm);
      for (const name of names)
        url.searchParams.append('scope', `repository:${this.#repositoryIn(name)}:${ACTIONS[attempt.access]}`);
      const headers = { Authorization: authorization };
      // A server that fails on several names need not fail on one.
      return names.length > 1 ? this.#send(url, headers, signal) : this.#get(url, headers, signal);
    };
    let alone = 0;
    let refusal: string | undefined;
    for (let at = 0; at < scope.length; at += MAX_NAMES) {
      const names = scope.slice(at, at + MAX_NAMES);
      let open: readonly string[] = names;
      if (names.length > 1) {
        const grant = await ask(names);
        if (grant.status === 429 || (grant.status === 200 && grant.flaw === 'is HTML'))
          return unknown(`the token endpoint ${realm.host} answered ${described(grant)}`);
        if (REFUSALS.has(grant.status)) refusal = described(grant);
        open = this.#notGiven(names, attempt.access, grant);
      }
      for (const name of open) {
        if (++alone > MAX_ALONE)
          return refusal === undefined
            ? { answer: 'accepted' }
            : unknown(
                `the token endpoint ${realm.host} answered ${refusal} to several names of the scope at once`,
              );
        const verdict = this.#judged(name, attempt.access, realm, await ask([name]));
        if (verdict.answer !== 'accepted') return verdict;
      }
    }
    return { answer: 'accepted' };
  }

  /** Of names asked for at once, those that the answer does not show to be given. */
  #notGiven(names: readonly string[], access: Access, { status, json }: HttpAnswer): readonly string[] {
    if (status !== 200) return names;
    const grants = grantsOf(json);
    return grants
      ? names.filter((name) => {
          const repository = this.#repositoryIn(name);
          return !gives(
            grants.filter((grant) => grant.name === repository),
            access,
          );
        })
      : [];
  }

  /** The verdict on a request for one name. */
  #judged(name: string, access: Access, realm: URL, grant: HttpAnswer): Verdict {
    if (grant.flaw === 'is HTML' || grant.status === 429)
      return unknown(`the token endpoint ${realm.host} answered ${described(grant)}`);
    const message = `the token endpoint ${realm.host} of ${this.#url.host} does not give ${ACTIONS[access].replace(',', ' and ')} in ${name}`;
    if (grant.status !== 200)
      return { answer: 'refused', message: `${message}: it answered ${grant.status}` };
    const grants = grantsOf(grant.json);
    return !grants || gives(grants, access) ? { answer: 'accepted' } : { answer: 'refused', message };
  }

  #repositoryIn(name: string): string {
    return this.#options.namesCover === 'repository' ? name : `${name}/${REPOSITORY}`;
  }

  /** Asks `/v2/` again with an Authorization header. @param what the header holds, for messages */
  async #enter(authorization: string, what: string, signal: AbortSignal): Promise<Verdict> {
    const entry = await this.#get(this.#url, { Authorization: authorization }, signal);
    if (entry.flaw === 'is HTML') return unknown(`${this.#url.host} answered ${described(entry)} to ${what}`);
    if (entry.status === 200) return { answer: 'accepted' };
    const message = `${this.#url.host} answered ${entry.status} to ${what}`;
    return entry.status === 401 ? { answer: 'refused', message } : unknown(message);
  }

  /** The token endpoint, if the credential may be shown to it. */
  #realm({ realm }: BearerChallenge): URL | Verdict {
    const url = URL.parse(realm ?? '');
    if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      return unknown(`the challenge of ${this.#url.host} names no token endpoint`);
    const trusted =
      this.#url.protocol === 'https:' ? url.protocol === 'https:' : url.hostname === this.#url.hostname;
    if (trusted) return url;
    return unknown(
      `${this.#url.host} names ${url.protocol}//${url.host} as its token endpoint, where the credential would not be safe`,
    );
  }

  /** @throws as `#send`; RegistryError Unavailable for a 5xx too */
  async #get(url: URL, authorization: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await this.#send(url, authorization, signal);
    if (answer.status < 500) return answer;
    throw this.#unavailable(url, `it answered ${described(answer)}`, answer.status);
  }

  /**
   * @throws RegistryError Unavailable when there is no answer, also where the time for the whole try ends after a long silence;
   * the signal's reason
   */
  async #send(url: URL, authorization: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> {
    const { http, clock, metrics, account, place } = this.#options;
    const begun = clock.monotonic();
    let code: string | number = 'Aborted';
    try {
      const headers = { Accept: 'application/json', ...authorization };
      const answer = await http.send({ method: 'GET', url, headers, maxBody: MAX_BODY }, signal);
      code = answer.status;
      return answer;
    } catch (error) {
      const isSilent = error instanceof DeadlinePassed && clock.monotonic() - begun >= TELLING_SILENCE;
      if (!(error instanceof NoAnswer || isSilent)) throw error;
      code = 'Unavailable';
      throw this.#unavailable(url, error.message);
    } finally {
      metrics.requested(
        { account, region: place.region, operation: 'verify', code },
        clock.monotonic() - begun,
      );
    }
  }

  #unavailable(url: URL, why: string, status?: number): RegistryError {
    return new RegistryError('Unavailable', `${url.host} could not be asked: ${why}`, { status });
  }
}

function unknown(message: string): Verdict {
  return { answer: 'unknown', message };
}

function described({ status, flaw }: HttpAnswer): string {
  return flaw === 'is HTML' ? `${status} in HTML` : String(status);
}

/** What a bearer token gives on a resource. */
interface Grant {
  name?: unknown;
  actions?: unknown;
}

/** What a bearer token gives; undefined where it can't be read. */
function grantsOf(json: unknown): Grant[] | undefined {
  const access = claimsOf(bearerOf(json)?.reveal())?.['access'];
  return Array.isArray(access) ? access.map((each: unknown) => (each ?? {}) as Grant) : undefined;
}

function gives(grants: readonly Grant[], access: Access): boolean {
  const wanted = ACTIONS[access].split(',');
  return grants.some(
    ({ actions }) =>
      Array.isArray(actions) && (actions.includes('*') || wanted.every((action) => actions.includes(action))),
  );
}

/** `access_token` is OAuth 2's name for what Distribution calls `token`; servers give either or both. */
function bearerOf(json: unknown): Redacted | undefined {
  const { token, access_token: accessToken } = (json ?? {}) as Record<string, unknown>;
  const value = token ?? accessToken;
  // What can't stand in a header would break the request.
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? new Redacted(value) : undefined;
}
