import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Answered } from '../../../../sandbox/registries/shared/fake-registry.ts';
import type { Operation } from '../../../../sandbox/registries/ibm-registry-tokens/operations.ts';
import { StateFile } from '../../../../sandbox/registries/ibm-registry-tokens/state-file.ts';
import {
  StateError,
  type State,
  type StateStore,
} from '../../../../sandbox/registries/ibm-registry-tokens/state.ts';
import { basic, bodyOf, call, fixture, HOUR, mint, signIn, START, type Fixture } from './fixture.ts';

describe('token service: state', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-service-'));
    path = join(folder, 'state.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const start = (): Fixture => fixture({ state: new StateFile(path) });

  it('brings tokens, certificate and sign-ins over a restart', async () => {
    const { service } = start();
    const headers = await signIn(service);
    const expiring = await mint(service, headers, '?description=one&write=true');
    const permanent = await mint(service, headers, '?permanent=true');
    const certificate = await service.certificate();

    const { service: restarted } = start();
    expect(restarted.tokens()).to.deep.equal(service.tokens());
    expect(await restarted.certificate()).to.equal(certificate);
    expect(restarted.values()).to.have.members([expiring, permanent]);
    const { tokens } = bodyOf(await call(restarted, 'GET', '/api/v1/tokens', { headers }));
    expect(tokens).to.have.length(2);
    const login = await call(restarted, 'GET', '/oauth/token?service=registry', { headers: basic(expiring) });
    expect(login.status).to.equal(200);
  });

  it('brings no revoked token back, and none that expired meanwhile', async () => {
    const { service } = start();
    const headers = await signIn(service);
    await mint(service, headers, '?description=revoked');
    await mint(service, headers, '?description=expiring');
    await mint(service, headers, '?description=staying&permanent=true');
    await call(service, 'DELETE', '/api/v1/tokens?secondaryOwner=revoked', { headers });
    const { service: restarted, clock } = start();
    const expired: string[] = [];
    restarted.on('expired', ({ description }) => expired.push(description));
    await clock.advance(24 * HOUR);
    expect(restarted.tokens().map(({ description }) => description)).to.deep.equal(['staying']);
    expect(expired).to.deep.equal(['expiring']);
  });

  it('is only for its owner, and leaves nothing else behind', async () => {
    const { service } = start();
    await mint(service, await signIn(service));
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['state.json']);
  });

  it('gets over a half-written file of a crash, whoever could read that', async () => {
    writeFileSync(`${path}.new`, '{"tok', { mode: 0o644 });
    const { service } = start();
    await mint(service, await signIn(service));
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(start().service.tokens()).to.have.length(1);
  });

  const token = {
    id: 'a',
    account: 'b',
    description: '',
    access: 'ReadOnly',
    issuedAt: START,
    expiresAt: null,
    value: 'v',
  };
  const damaged: [string, string, RegExp][] = [
    ['an empty file', '', /not JSON/],
    ['a cut file', '{"format":1,"tokens":[', /not JSON/],
    ['another kind of JSON', '"x"', /not an object/],
    ['another format', '{"format":2,"tokens":[]}', /format is not 1/],
    ['no tokens', '{"format":1}', /tokens is not a list/],
    ['a token that is none', '{"format":1,"tokens":[null]}', /tokens\[0\] is not an object/],
    ['a key that is none', '{"format":1,"tokens":[],"bearerSigner":{"key":"secret"}}', /bearerSigner is not/],
    ...Object.keys(token).map((field): [string, string, RegExp] => [
      `a token without ${field}`,
      JSON.stringify({ format: 1, tokens: [{ ...token, [field]: undefined }] }),
      /tokens\[0\] is not a token/,
    ]),
  ];
  for (const [what, content, reason] of damaged) {
    it(`refuses ${what}, says why, and leaves the file alone`, () => {
      writeFileSync(path, content);
      expect(start).to.throw(StateError, reason);
      expect(start).to.throw(StateError, path);
      expect(readFileSync(path, 'utf8')).to.equal(content);
    });
  }

  it('says when it cannot read or write', () => {
    expect(() => new StateFile(folder).load()).to.throw(StateError, /cannot be read \(EISDIR\)/);
    expect(() => fixture({ state: new StateFile(join(folder, 'none', 'state.json')) })).to.throw(
      StateError,
      /cannot be written \(ENOENT\)/,
    );
  });

  describe('when saving fails', () => {
    /** A store that refuses when told to. */
    class Store implements StateStore {
      full = false;
      saved: State | undefined;

      load(): State | undefined {
        return this.saved;
      }

      save(state: State): void {
        if (this.full) throw new StateError('no room');
        this.saved = state;
      }
    }

    it('answers 500, says why, and has neither made nor lost a token', async () => {
      const store = new Store();
      const { service } = fixture({ state: store });
      const headers = await signIn(service);
      await mint(service, headers, '?description=old');
      const told: Answered<Operation>[] = [];
      service.on('answered', (event) => told.push(event));
      store.full = true;
      for (const [method, url] of [
        ['POST', '/api/v1/tokens'],
        ['DELETE', '/api/v1/tokens?secondaryOwner=old'],
      ] as const) {
        const answer = await call(service, method, url, { headers });
        expect([answer.status, answer.body]).to.deep.equal([500, 'Internal Error']);
        expect(service.tokens().map(({ description }) => description)).to.deep.equal(['old']);
      }
      expect(told.map(({ error }) => error?.message)).to.deep.equal(['no room', 'no room']);
      store.full = false;
      await mint(service, headers, '?description=new');
      expect(store.saved?.tokens.map(({ description }) => description)).to.deep.equal(['old', 'new']);
    });
  });
});
