import { expect } from 'chai';
import { sleep } from '../../../src/common/clock.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import type { Verdict } from '../../../src/common/verdict.ts';
import { CircuitBreaker } from '../../../src/registry/http/circuit-breaker.ts';
import { readAnswer, type HttpAnswer } from '../../../src/registry/http/answer.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import { LoginProbe } from '../../../src/registry/login-probe/login-probe.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { aJwt } from './support/jwt.ts';
import { NEVER } from './support/registry-world.ts';

const HOST = 'registry.test';
const CHALLENGE = { 'www-authenticate': `Bearer realm="https://${HOST}/token",service="s"` };
const SCOPE = Array.from({ length: 64 }, (_, at) => `team-${at}`);

/** A registry that has a token endpoint, and a probe that asks it. */
class Stage {
  readonly clock = new VirtualClock();
  /** The names that each request to the token endpoint asked for. */
  readonly asked: string[][] = [];
  requests = 0;
  /** Milliseconds until it answers. */
  latency = 0;
  /** Of names that are asked for in one request, those that it gives. */
  given: (names: readonly string[]) => readonly string[] = (names) => names;
  /** A name for which it refuses whole requests. */
  forbidden: string | undefined;
  /** Whether it answers so to any request for several names. */
  tooMany = false;
  /** What it answers to these. */
  refusal = 403;
  readonly #probe = new LoginProbe({
    http: { send: (request, signal) => this.#answer(request, signal) },
    clock: this.clock,
    metrics: { requested: () => undefined },
    breaker: new CircuitBreaker({ clock: this.clock, subject: `registry ${HOST}` }),
    account: 'default',
    place: { region: '', host: HOST, endpoint: `https://${HOST}` },
    namesCover: 'repository',
  });

  /** Passes ten seconds: no try takes longer. */
  async try(scope: readonly string[]): Promise<Verdict> {
    const login = { username: 'token', password: new Redacted('a-token'), access: 'ReadOnly' as const };
    const trying = this.#probe.try({ ...login, scope }, NEVER);
    await this.clock.advance(10_000);
    return trying;
  }

  async #answer({ url, headers }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    this.requests++;
    await sleep(this.clock, this.latency, signal);
    if (url.pathname === '/v2/') return 'Authorization' in headers ? anAnswer(200) : anAnswer(401, CHALLENGE);
    const names = url.searchParams.getAll('scope').map((scope) => scope.split(':')[1] ?? '');
    if (names.length > 0) this.asked.push(names);
    if (this.tooMany && names.length > 1) return anAnswer(this.refusal);
    if (this.forbidden !== undefined && names.includes(this.forbidden)) return anAnswer(this.refusal);
    const access = this.given(names).map((name) => ({ type: 'repository', name, actions: ['pull'] }));
    return anAnswer(200, {}, { token: aJwt({ access }) });
  }
}

function anAnswer(status: number, headers = {}, json = {}): HttpAnswer {
  const body = JSON.stringify(json);
  return readAnswer({ status, headers, body: Buffer.from(body), rows: { count: 0, kept: [] } }, 0);
}

const onlyFirst = (names: readonly string[]): readonly string[] => names.slice(0, 1);

describe('trying a token with a scope of 64 names', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  const alone = (): string[] => stage.asked.flatMap((names) => (names.length === 1 ? names : []));

  it('asks for no name alone where the registry gives all that it is asked for at once', async () => {
    expect(await stage.try(SCOPE)).to.deep.equal({ answer: 'accepted' });
    expect([stage.asked.length, stage.requests]).to.deep.equal([4, 7]);
  });

  it('asks for the first eight alone that are not given at once, and accepts where those are', async () => {
    stage.given = onlyFirst;
    expect(await stage.try(SCOPE)).to.deep.equal({ answer: 'accepted' });
    expect(alone()).to.deep.equal(SCOPE.slice(1, 9));
    expect(stage.requests).to.equal(12);
  });

  it('refuses where one of those is not given alone', async () => {
    stage.given = (names) => onlyFirst(names).filter((name) => name !== 'team-8');
    expect(await stage.try(SCOPE)).to.deep.equal({
      answer: 'refused',
      message: `the token endpoint ${HOST} of ${HOST} does not give pull in team-8`,
    });
  });

  for (const [at, status] of [
    [8, 400],
    [8, 401],
    [8, 404],
    [15, 403],
    [40, 403],
  ] as const)
    it(`does not accept it where the registry answers ${status} to name ${at} and all that is asked for with it`, async () => {
      Object.assign(stage, { forbidden: SCOPE[at], refusal: status });
      expect(await stage.try(SCOPE)).to.deep.equal({
        answer: 'unknown',
        message: `the token endpoint ${HOST} answered ${status} to several names of the scope at once`,
      });
    });

  for (const status of [414, 431, 500])
    it(`accepts it where the registry answers ${status} to several names, which says nothing of them`, async () => {
      stage.refusal = status;
      stage.tooMany = true;
      expect(await stage.try(SCOPE)).to.deep.equal({ answer: 'accepted' });
    });

  it('sends no more than fifteen requests, whatever is given at once', async () => {
    // Two of each sixteen are missing.
    stage.given = (names) => (names.length === 1 ? names : names.slice(2));
    expect(await stage.try(SCOPE)).to.deep.equal({ answer: 'accepted' });
    expect(stage.requests).to.equal(15);
  });

  it('says nothing where the answers take too long together, which is no failure of the host: others are tried', async () => {
    stage.given = onlyFirst;
    stage.latency = 1_000;
    for (let time = 0; time < 6; time++)
      expect(await stage.try(SCOPE)).to.deep.equal({
        answer: 'unknown',
        message: `${HOST} took more than 10 s for all its answers`,
      });
    expect(await stage.try([])).to.deep.equal({ answer: 'accepted' });
  });

  it('counts as a failure of the host where it does not answer for two seconds until the time is over', async () => {
    stage.latency = 4_000;
    for (let time = 0; time < 5; time++)
      expect(await stage.try(SCOPE)).to.deep.equal({
        answer: 'unknown',
        message: `${HOST} could not be asked: there was no answer in time`,
      });
    const verdict = await stage.try([]);
    expect('message' in verdict && verdict.message).to.match(/registry registry\.test has been unavailable/);
  });
});
