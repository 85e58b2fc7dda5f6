import { expect } from 'chai';
import type { RegistryErrorCode } from '../../../src/registry/errors.ts';
import type { IssuedToken } from '../../../src/registry/port.ts';
import type { VirtualClock } from '../../support/virtual-clock.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  anExchange,
  aRequest,
  errorOf,
  IAM,
  NEVER,
  REGISTRY,
  listOf,
  registryOf,
  type WholeRegistry,
} from './support/registry-world.ts';

const MINT = '/api/v1/tokens?description=d&permanent=false&write=false';

describe('IBMRegistryTokens', () => {
  useNock();

  let clock: VirtualClock;
  let registry: WholeRegistry;

  beforeEach(() => {
    const world = aDirectory();
    ({ clock } = world);
    nock(IAM).post('/identity/token').optionally().reply(200, anExchange());
    registry = registryOf(world.directory);
  });

  const mint = (): Promise<IssuedToken> => registry.issue(aRequest(), NEVER);

  describe('refused', () => {
    interface Refusal {
      name: string;
      status: number;
      body: nock.Body;
      headers?: Record<string, string>;
      code: RegistryErrorCode;
      minting?: RegistryErrorCode;
      details?: object;
      message?: string;
    }
    const refusals: Refusal[] = [
      {
        name: 'CRG0020E',
        status: 403,
        body: {
          code: 'CRG0020E',
          message: 'You are not authorized to access the specified resource.',
          'request-id': '72-1540337041.610-99712',
        },
        code: 'Forbidden',
        details: { registryCode: 'CRG0020E', requestId: '72-1540337041.610-99712', retryable: false },
        message:
          'could not create a token at us.icr.io: the server answered 403 CRG0020E "You are not authorized to access the ' +
          'specified resource." (request 72-1540337041.610-99712); check that the API key\'s owner has the platform role ' +
          'Administrator on the container registry and, for service IDs and API keys, Operator on the IAM Identity service',
      },
      {
        name: 'CRT0002E',
        status: 410,
        body: {
          code: 'CRT0002E',
          message:
            'The creation of registry tokens is discontinued. For more information about how to use API keys to automate access to your namespaces, see: https://cloud.ibm.com/docs/services/Registry?topic=registry-registry_access',
          'request-id': '0123456789abcdef0123456789abcdef',
        },
        code: 'Discontinued',
        details: { registryCode: 'CRT0002E', retryable: false },
        message:
          'could not create a token at us.icr.io: the server answered 410 CRT0002E "The creation of registry tokens is ' +
          'discontinued. For more information about how to use API keys to automate access to your namespaces, see: ' +
          'https://cloud.ibm.com/docs/services/Registry?topic=registry-registry_access" (request ' +
          '0123456789abcdef0123456789abcdef); this registry creates no tokens any more; use an endpoint that does',
      },
      {
        name: 'in the shape of Docker V2',
        status: 403,
        body: { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] },
        code: 'Forbidden',
        details: { registryCode: 'DENIED', requestId: undefined },
      },
      { name: 'as malformed', status: 400, body: { code: 'CRT0400E', message: 'm' }, code: 'InvalidRequest' },
      { name: 'for a conflict', status: 409, body: { code: 'X', message: 'm' }, code: 'Conflict' },
      { name: 'for a quota', status: 422, body: { message: 'quota exceeded' }, code: 'QuotaExceeded' },
      {
        name: 'for the rate',
        status: 429,
        body: { code: 'too_many_requests', message: 'slow down' },
        headers: { 'Retry-After': '7', Date: 'Thu, 01 Jan 2026 00:00:55 GMT' },
        code: 'RateLimited',
        details: { retryAfter: 7_000, serverTime: Date.parse('2026-01-01T00:00:55Z'), retryable: true },
      },
      {
        name: 'with an error inside, as text',
        status: 500,
        body: 'Internal Error',
        code: 'Unavailable',
        minting: 'Ambiguous',
        message:
          'could not create a token at us.icr.io: the server answered 500; the operator will find out whether it happened before it retries',
      },
      { name: 'by a gateway', status: 502, body: '<html>', code: 'Unavailable', minting: 'Ambiguous' },
      {
        name: 'by the service for now',
        status: 503,
        body: {
          code: 'CRG0014E',
          message: 'An error occurred when authenticating your request with IBM Cloud.',
        },
        code: 'Unavailable',
      },
      { name: 'by a gateway for now', status: 503, body: '', code: 'Unavailable', minting: 'Ambiguous' },
      { name: 'by a gateway in time', status: 504, body: '', code: 'Unavailable', minting: 'Ambiguous' },
      {
        name: 'by a redirect',
        status: 307,
        body: '',
        headers: { Location: 'https://elsewhere.example/login?secret=1' },
        code: 'InvalidRequest',
        message:
          'could not create a token at us.icr.io: the server answered 307 (a redirect to elsewhere.example, which is not ' +
          'followed); check the endpoints and the settings of the account',
      },
      {
        name: 'by a redirect to nowhere',
        status: 302,
        body: '',
        code: 'InvalidRequest',
      },
    ];
    for (const {
      name,
      status,
      body,
      headers = {},
      code,
      minting = code,
      details = {},
      message,
    } of refusals) {
      it(`${name}: ${status} is ${code}, of a mint ${minting}`, async () => {
        nock(REGISTRY).post(MINT).reply(status, body, headers);
        const error = await errorOf(mint());
        expect(error).to.deep.include({ code: minting, status, ...details });
        if (message !== undefined) expect(error.message).to.equal(message);
        await clock.advance(10_000);
        nock(REGISTRY).get('/api/v1/tokens').reply(status, body, headers);
        expect(await errorOf(listOf(registry))).to.include({ code, status });
      });
    }
  });

  it('does not take a mistyped endpoint of IAM for a token that is gone', async () => {
    nock.cleanAll();
    nock(IAM).post('/identity/token').reply(404, '');
    expect(await errorOf(registry.revoke('id', NEVER))).to.include({ code: 'InvalidRequest', status: 404 });
    expect(await errorOf(registry.read('id', NEVER))).to.include({ code: 'InvalidRequest' });
  });

  it('says which token is not there', async () => {
    const body = { code: 'CRT0404E', message: 'The specified registry token could not be found.' };
    nock(REGISTRY).get('/api/v1/tokens/id').reply(404, body);
    const error = await errorOf(registry.read('id', NEVER));
    expect(error).to.include({ code: 'NotFound', retryable: false });
    expect(error.message).to.equal(
      'could not read token id at us.icr.io: the server answered 404 CRT0404E "The specified registry token could not be ' +
        'found."; it was deleted, or never was in this account and region',
    );
  });

  it('stops after a 429 for as long as the registry asks, and a second when it does not say', async () => {
    nock(REGISTRY).get('/api/v1/tokens').reply(429, '', { 'Retry-After': '60' });
    await errorOf(listOf(registry));
    expect(await errorOf(mint())).to.include({ code: 'RateLimited', retryAfter: 60_000, status: undefined });
    await clock.advance(60_000);
    nock(REGISTRY).get('/api/v1/tokens').reply(429, '');
    await errorOf(listOf(registry));
    nock(REGISTRY).get('/api/v1/tokens').reply(200, { tokens: [] });
    let done = false;
    const listing = listOf(registry).finally(() => (done = true));
    await clock.advance(999);
    expect(done).to.equal(false);
    await clock.advance(1);
    await listing;
  });

  async function fail(times: number, status = 503): Promise<void> {
    for (let time = 0; time < times; time++) {
      nock(REGISTRY).get('/api/v1/tokens').reply(status, '');
      await errorOf(listOf(registry));
    }
  }
  const works = async (): Promise<void> => {
    nock(REGISTRY).get('/api/v1/tokens').reply(200, { tokens: [] });
    await listOf(registry);
  };

  describe('leaves a registry that is down alone', () => {
    it('after five failures in a row', async () => {
      await fail(5);
      const error = await errorOf(mint());
      expect(error).to.include({ code: 'Unavailable', retryAfter: 5_000, status: undefined });
    });

    it('not when it answers in between, if only to refuse', async () => {
      await fail(4);
      await fail(1, 403);
      await fail(4);
      await works();
      await fail(4);
      await works();
    });

    it('no longer once it works again', async () => {
      await fail(5);
      await clock.advance(5_000);
      await works();
      await fail(4);
      await works();
    });
  });
});
