import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { FaultError, parseFault, type Fault } from '../../../../sandbox/registries/shared/fault.ts';
import { OPERATIONS, type Operation } from '../../../../sandbox/registries/ibm-registry-tokens/operations.ts';
import { ConnectionBroken, type Answer } from '../../../../sandbox/registries/shared/message.ts';
import type { TokenService } from '../../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { settle } from '../../../support/virtual-clock.ts';
import {
  basic,
  bodyOf,
  call,
  EXCHANGE_FORM,
  fixture,
  HOUR,
  mint,
  postForm,
  signIn,
  START,
} from './fixture.ts';

interface Prepared {
  service: TokenService;
  clock: ReturnType<typeof fixture>['clock'];
  perform: Readonly<Record<Operation, (signal?: AbortSignal) => Promise<Answer>>>;
}

/** A service with one token, and a good request for each operation. */
async function prepare(): Promise<Prepared> {
  const { service, clock } = fixture();
  const headers = await signIn(service);
  const value = await mint(service, headers, '?description=old');
  const id = String(decodeJwt(value).jti);
  const login = await call(service, 'GET', '/oauth/token?service=registry', { headers: basic(value) });
  const bearer = { authorization: `Bearer ${String(bodyOf(login).token)}` };
  const request = (method: string, path: string) => (signal?: AbortSignal) =>
    service.handle({ method, path, headers, body: '' }, signal);
  return {
    service,
    clock,
    perform: {
      mint: request('POST', '/api/v1/tokens?description=new'),
      read: request('GET', `/api/v1/tokens/${id}`),
      list: request('GET', '/api/v1/tokens'),
      revoke: request('DELETE', `/api/v1/tokens/${id}`),
      exchange: () => postForm(service, '/identity/token', EXCHANGE_FORM),
      auth: () => call(service, 'GET', '/oauth/token?service=registry', { headers: basic(value) }),
      enter: () => call(service, 'GET', '/v2/', { headers: bearer }),
    },
  };
}

function descriptions(service: TokenService): string[] {
  return service.tokens().map(({ description }) => description);
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('token service: faults on demand', () => {
  describe('status', () => {
    const documented: [Operation, number, string, string][] = [
      ['mint', 401, 'code', 'CRG0009E'],
      ['mint', 403, 'code', 'CRG0020E'],
      ['mint', 410, 'code', 'CRT0002E'],
      ['mint', 503, 'code', 'CRG0014E'],
      ['revoke', 401, 'code', 'CRG0009E'],
      ['list', 403, 'code', 'CRG0020E'],
      ['exchange', 400, 'errorCode', 'BXNIM0415E'],
    ];
    for (const [operation, status, field, code] of documented) {
      it(`${operation} with ${status} has the body of ${code}`, async () => {
        const { service, perform } = await prepare();
        service.faults.add({ operation, kind: 'status', status });
        const answer = await perform[operation]();
        expect(answer.status).to.equal(status);
        expect(bodyOf(answer)).to.include({ [field]: code });
        expect(descriptions(service)).to.deep.equal(['old']);
      });
    }

    it('mint with 410 says what the real one said', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'mint', kind: 'status', status: 410 });
      const { 'request-id': requestId, ...body } = bodyOf(await perform.mint());
      expect(requestId).to.be.a('string');
      expect(body).to.deep.equal({
        code: 'CRT0002E',
        message:
          'The creation of registry tokens is discontinued. For more information about how to use API keys to automate access to your namespaces, see: https://cloud.ibm.com/docs/services/Registry?topic=registry-registry_access',
      });
    });

    it('500 is plain text', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'list', kind: 'status', status: 500 });
      const answer = await perform.list();
      expect([answer.status, answer.body]).to.deep.equal([500, 'Internal Error']);
      expect(answer.headers['content-type']).to.match(/^text\/plain/);
    });

    for (const [status, reason] of [
      [422, 'Unprocessable Entity'],
      [429, 'Too Many Requests'],
      [502, 'Bad Gateway'],
    ] as const) {
      it(`${status}, which is not documented, is a gateway's plain text`, async () => {
        const { service, perform } = await prepare();
        service.faults.add({ operation: 'mint', kind: 'status', status });
        const answer = await perform.mint();
        expect([answer.status, answer.body]).to.deep.equal([status, reason]);
        expect(answer.headers).to.not.have.property('retry-after');
      });
    }

    it('429 says when to come again', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'exchange', kind: 'status', status: 429, retryAfter: 7 });
      expect((await perform.exchange()).headers['retry-after']).to.equal('7');
    });

    for (const [status, code] of [
      [401, 'UNAUTHORIZED'],
      [403, 'DENIED'],
      [429, 'TOOMANYREQUESTS'],
      [503, 'UNAVAILABLE'],
    ] as const) {
      it(`auth with ${status} has the envelope of Distribution, ${code}`, async () => {
        const { service, perform } = await prepare();
        service.faults.add({ operation: 'auth', kind: 'status', status });
        const { errors } = bodyOf(await perform.auth()) as { errors: { code: string }[] };
        expect(errors[0]?.code).to.equal(code);
      });
    }
  });

  describe('before any effect', () => {
    it("html is a proxy's page", async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'revoke', kind: 'html', status: 404, times: 1 });
      service.faults.add({ operation: 'revoke', kind: 'html' });
      const answers = [await perform.revoke(), await perform.revoke()];
      expect(answers.map(({ status }) => status)).to.deep.equal([404, 502]);
      for (const answer of answers) {
        expect(answer.headers['content-type']).to.match(/^text\/html/);
        expect(answer.body).to.match(/^<!DOCTYPE html>/);
      }
      expect(descriptions(service)).to.deep.equal(['old']);
    });

    it('reset breaks the connection', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'mint', kind: 'reset' });
      expect(await thrownBy(perform.mint())).to.be.instanceOf(ConnectionBroken);
      expect(descriptions(service)).to.deep.equal(['old']);
    });
  });

  describe('after the effect', () => {
    it('drop-after-effect breaks the connection', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'mint', kind: 'drop-after-effect' });
      service.faults.add({ operation: 'revoke', kind: 'drop-after-effect' });
      expect(await thrownBy(perform.mint())).to.be.instanceOf(ConnectionBroken);
      expect(descriptions(service)).to.deep.equal(['old', 'new']);
      expect(await thrownBy(perform.revoke())).to.be.instanceOf(ConnectionBroken);
      expect(descriptions(service)).to.deep.equal(['new']);
    });

    for (const operation of ['mint', 'read', 'list', 'exchange', 'auth'] as const) {
      it(`truncated-json ends ${operation} in the middle`, async () => {
        const { service, perform } = await prepare();
        service.faults.add({ operation, kind: 'truncated-json' });
        const answer = await perform[operation]();
        expect(answer.status).to.equal(200);
        expect(answer.body).to.match(/^\{/);
        expect(() => bodyOf(answer)).to.throw(SyntaxError);
      });
    }

    for (const operation of OPERATIONS.all) {
      it(`empty leaves ${operation} without a body`, async () => {
        const { service, perform } = await prepare();
        service.faults.add({ operation, kind: 'empty' });
        const answer = await perform[operation]();
        expect([answer.status, answer.body]).to.deep.equal([200, '']);
      });
    }

    for (const operation of ['mint', 'read', 'exchange', 'auth'] as const) {
      it(`bad-jwt gives ${operation} a token whose claims cannot be read`, async () => {
        const { service, perform } = await prepare();
        service.faults.add({ operation, kind: 'bad-jwt' });
        const { token, access_token: accessToken } = bodyOf(await perform[operation]());
        const value = String(token ?? accessToken);
        expect(value.split('.')).to.have.length(3);
        expect(() => decodeJwt(value)).to.throw();
      });
    }

    it('slow answers later on the clock, though the effect is there at once', async () => {
      const { service, perform, clock } = await prepare();
      service.faults.add({ operation: 'mint', kind: 'slow', milliseconds: 30_000 });
      let status = 0;
      void perform.mint().then((answer) => (status = answer.status));
      await clock.advance(29_999);
      expect([status, descriptions(service)]).to.deep.equal([0, ['old', 'new']]);
      await clock.advance(1);
      expect(status).to.equal(200);
    });

    it('slow ends when the client leaves', async () => {
      const { service, perform, clock } = await prepare();
      service.faults.add({ operation: 'list', kind: 'slow', milliseconds: HOUR });
      const client = new AbortController();
      const outcome = thrownBy(perform.list(client.signal));
      await settle();
      client.abort(new Error('gone'));
      expect(await outcome).to.have.property('message', 'gone');
      expect(clock.pending).to.equal(0);
    });
  });

  describe('expired', () => {
    it('mints a token that is dead already', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'mint', kind: 'expired' });
      const value = String(bodyOf(await perform.mint()).token);
      expect(decodeJwt(value).exp).to.equal((START - HOUR) / 1000);
      expect(descriptions(service)).to.deep.equal(['old']);
      const login = await call(service, 'GET', '/oauth/token?service=registry', { headers: basic(value) });
      expect(login.status).to.equal(401);
    });

    it('exchanges for an access token that is dead already', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'exchange', kind: 'expired' });
      expect(bodyOf(await perform.exchange())).to.include({ expiration: (START - HOUR) / 1000 });
    });

    it('gives a bearer token that is dead already', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'auth', kind: 'expired' });
      const value = String(bodyOf(await perform.auth()).token);
      // With a minute less, for the registry's leeway.
      expect(decodeJwt(value).exp).to.equal((START - HOUR) / 1000 - 60);
    });
  });

  describe('how often', () => {
    it('hits every request of its operation until cleared, and no other operation', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'list', kind: 'status', status: 503 });
      for (let turn = 0; turn < 3; turn++) expect((await perform.list()).status).to.equal(503);
      expect((await perform.read()).status).to.equal(200);
      service.faults.clear();
      expect((await perform.list()).status).to.equal(200);
    });

    it('hits so many times, one fault after the other', async () => {
      const { service, perform } = await prepare();
      service.faults.add({ operation: 'read', kind: 'status', status: 500, times: 2 });
      service.faults.add({ operation: 'read', kind: 'status', status: 429, times: 1 });
      const statuses = [];
      for (let turn = 0; turn < 4; turn++) statuses.push((await perform.read()).status);
      expect(statuses).to.deep.equal([500, 500, 429, 200]);
    });

    it('is told with the answer', async () => {
      const { service, perform } = await prepare();
      const told: unknown[] = [];
      service.on('answered', (event) => told.push(event));
      service.faults.add({ operation: 'read', kind: 'reset' });
      await thrownBy(perform.read());
      expect(told).to.deep.equal([{ time: START, operation: 'read', fault: 'reset' }]);
    });
  });

  describe('reading a fault', () => {
    const wrong: [unknown, RegExp][] = [
      [null, /object/],
      ['reset', /object/],
      [{ kind: 'reset' }, /operation has to be one of mint/],
      [{ operation: 'push', kind: 'reset' }, /operation has to be/],
      [{ operation: 'mint' }, /kind has to be one of status/],
      [{ operation: 'mint', kind: 'toString' }, /kind has to be/],
      [{ operation: 'mint', kind: 'status' }, /status needs status/],
      [{ operation: 'mint', kind: 'status', status: '410' }, /whole number/],
      [{ operation: 'mint', kind: 'status', status: 99 }, /from 200 to 599/],
      [{ operation: 'mint', kind: 'slow' }, /slow needs milliseconds/],
      [{ operation: 'mint', kind: 'slow', milliseconds: -1 }, /whole number/],
      [{ operation: 'mint', kind: 'reset', times: 0 }, /times has to be a whole number from 1/],
      [{ operation: 'mint', kind: 'reset', status: 500 }, /reset has no field status/],
      [{ operation: 'mint', kind: 'reset', toString: 1 }, /reset has no field toString/],
      [{ operation: 'revoke', kind: 'bad-jwt' }, /bad-jwt makes no sense for revoke/],
      [{ operation: 'list', kind: 'expired' }, /expired makes no sense for list/],
    ];
    for (const [value, message] of wrong) {
      it(`refuses ${JSON.stringify(value)}`, () => {
        expect(() => parseFault(value, OPERATIONS)).to.throw(FaultError, message);
        expect(() => fixture().service.faults.add(value as Fault)).to.throw(FaultError);
      });
    }
  });
});
