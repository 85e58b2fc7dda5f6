import { expect } from 'chai';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { Registry } from '../../../../src/registry/port.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { HARBOR } from '../../../../src/registry/harbor/harbor.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { nock, useNock } from '../../../support/nocked.ts';

const ORIGIN = 'https://harbor.example.com';
const PASSWORD = 'Password-of-the-operator-1';
registerSecret(PASSWORD);
const { signal } = new AbortController();
const NAME = 'rt-4afb32cc10-5d1c9ae2-9a0d-4b9c-8d2e-0f4f9a2c7b11-1';
const errors = (code: string, message: string): object => ({ errors: [{ code, message }] });

describe('Harbor, answer by answer', () => {
  useNock();

  function connection(username = 'operator'): ReturnType<typeof HARBOR.connect> {
    const credentials = { username, password: new Redacted(PASSWORD) };
    return HARBOR.connect({ name: 'default', block: { url: ORIGIN }, credentials }, aToolbox());
  }
  function registry(username?: string): Registry {
    const place = HARBOR.places({ url: ORIGIN }, []).resolve(undefined);
    if (!place) throw new Error('Harbor has a place');
    return connection(username).registry(place);
  }
  const failureOf = (promise: Promise<unknown>): Promise<RegistryError> =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error: unknown) => error as RegistryError,
    );

  it('creates a robot of one project, without effect and without cookies', async () => {
    const secret = 'what-Harbor-made-up-1';
    registerSecret(secret);
    nock(ORIGIN, { badheaders: ['cookie'] })
      .post('/api/v2.0/robots', {
        name: NAME,
        description: /\[pullsecrets\.dev:cluster-1:5d1c9ae2/,
        level: 'project',
        duration: 2,
        permissions: [
          { kind: 'project', namespace: 'team-a', access: [{ resource: 'repository', action: 'pull' }] },
        ],
      })
      .basicAuth({ user: 'operator', pass: PASSWORD })
      .reply(201, { id: 7, name: `robot$team-a+${NAME}`, secret, expires_at: 1767398400 });
    const issued = await registry().issue(aRequest({ scope: ['team-a'], lifetime: 36 * 3_600_000 }), signal);
    expect(issued).to.include({ id: '7', username: `robot$team-a+${NAME}`, expiresAt: 1767398400_000 });
    expect(issued.value.reveal()).to.equal(secret);
  });

  it('creates a robot of the system for several projects, and for all', async () => {
    const bodies: { level: string; permissions: { namespace: string }[] }[] = [];
    nock(ORIGIN)
      .post('/api/v2.0/robots', (body: (typeof bodies)[number]) => bodies.push(body) > 0)
      .times(2)
      .reply(201, { id: 1, name: 'robot$x', secret: 'not-a-real-value-1', expires_at: -1 });
    const asked = registry();
    await asked.issue(aRequest({ scope: ['team-a', 'team-b'] }), signal);
    expect(await asked.issue(aRequest({ scope: [], lifetime: 'Never' }), signal)).to.include({
      expiresAt: null,
    });
    expect(
      bodies.map(({ level, permissions }) => [level, permissions.map(({ namespace }) => namespace)]),
    ).to.deep.equal([
      ['system', ['team-a', 'team-b']],
      ['system', ['*']],
    ]);
  });

  const refusals: [status: number, body: object | string, code: string, words: RegExp][] = [
    [400, errors('BAD_REQUEST', 'bad request permission'), 'InvalidRequest', /bad request permission/],
    [401, errors('UNAUTHORIZED', 'unauthorized'), 'Unauthorized', /check username and password/],
    [403, errors('FORBIDDEN', 'forbidden'), 'Forbidden', /FORBIDDEN/],
    [403, errors('DENIED', 'permission scope is invalid'), 'Forbidden', /may give only what it has itself/],
    [404, errors('NOT_FOUND', 'project team-x not found'), 'InvalidRequest', /projects of spec\.scope exist/],
    [409, errors('CONFLICT', 'robot account exists'), 'Ambiguous', /there is one of that name/],
    [412, errors('PRECONDITION', 'precondition failed'), 'InvalidRequest', /PRECONDITION/],
    [422, errors('UNPROCESSABLE_ENTITY', 'validation failure'), 'InvalidRequest', /validation failure/],
    [429, errors('TOO_MANY_REQUESTS', 'slow down'), 'RateLimited', /slow down/],
    [500, errors('UNKNOWN', 'internal server error'), 'Ambiguous', /find out whether it happened/],
    [502, '<html>bad gateway</html>', 'Ambiguous', /502/],
    [503, '', 'Ambiguous', /503/],
    [503, errors('UNKNOWN', 'internal server error'), 'Unavailable', /503/],
    [201, { id: 7 }, 'Ambiguous', /holds no robot/],
  ];
  for (const [status, body, code, words] of refusals) {
    it(`an issue answered with ${status} ${JSON.stringify(body).slice(0, 32)} is ${code}`, async () => {
      nock(ORIGIN).post('/api/v2.0/robots').reply(status, body);
      const error = await failureOf(registry().issue(aRequest({ scope: ['team-a'] }), signal));
      expect(error).to.be.instanceOf(RegistryError).with.property('code', code);
      expect(error.message).to.match(words);
    });
  }

  for (const username of ['adm', 'admin', 'operator', 'robot$op']) {
    it(`an answer that echoes the credentials of ${username} is told without them`, async () => {
      const basic = Buffer.from(`${username}:${PASSWORD}`).toString('base64');
      nock(ORIGIN)
        .post('/api/v2.0/robots')
        .reply(400, errors('BAD_REQUEST', `bad header Basic ${basic} of ${PASSWORD}`));
      const { message } = await failureOf(registry(username).issue(aRequest(), signal));
      expect(message).to.contain('[redacted]');
      for (const secret of [basic, PASSWORD]) expect(message).not.to.contain(secret);
    });
  }

  it('a robot that is deleted, and one that is gone, are revoked', async () => {
    nock(ORIGIN)
      .delete('/api/v2.0/robots/7')
      .reply(200)
      .delete('/api/v2.0/robots/8')
      .reply(404, errors('NOT_FOUND', 'no'));
    expect(await registry().revoke?.('7', signal)).to.equal(true);
    expect(await registry().revoke?.('8', signal)).to.equal(false);
  });

  it('a robot is looked up by its id, one that is gone and one that may not be read as well', async () => {
    nock(ORIGIN)
      .get('/api/v2.0/robots/7')
      .reply(200, { id: 7, name: 'robot$team-a+x', description: 'a tag', expires_at: -1, disable: false })
      .get('/api/v2.0/robots/8')
      .reply(404, errors('NOT_FOUND', 'robot 8 not found'))
      .get('/api/v2.0/robots/9')
      .reply(403, errors('FORBIDDEN', 'forbidden'));
    const row = { id: '7', description: 'a tag', expiresAt: null, revoked: false };
    expect(await registry().lookUp?.('7', signal)).to.deep.equal(row);
    expect(await registry().lookUp?.('8', signal)).to.equal(undefined);
    const error = await failureOf(registry().lookUp?.('9', signal) ?? Promise.resolve());
    expect(error).to.have.property('code', 'Forbidden');
    expect(error.message).to.match(/a robot needs create, read, list and delete on robots/);
  });

  const others: [status: number, body: object | string, deleting: string, listing: string][] = [
    [400, errors('BAD_REQUEST', 'bad query'), 'InvalidRequest', 'InvalidRequest'],
    [401, errors('UNAUTHORIZED', 'unauthorized'), 'Unauthorized', 'Unauthorized'],
    [403, errors('FORBIDDEN', 'forbidden'), 'Forbidden', 'Forbidden'],
    [404, 'no such page', 'NotFound', 'InvalidRequest'],
    [412, errors('PRECONDITION', 'precondition failed'), 'InvalidRequest', 'InvalidRequest'],
    [429, errors('TOO_MANY_REQUESTS', 'slow down'), 'RateLimited', 'RateLimited'],
    [500, errors('UNKNOWN', 'internal server error'), 'Unavailable', 'Unavailable'],
    [502, '<html>bad gateway</html>', 'Unavailable', 'Unavailable'],
    [503, errors('UNKNOWN', 'internal server error'), 'Unavailable', 'Unavailable'],
  ];
  for (const [status, body, deleting, listing] of others)
    it(`a deletion answered with ${status} is ${deleting}, a list ${listing}`, async () => {
      nock(ORIGIN).delete('/api/v2.0/robots/7').reply(status, body);
      const revoked = registry().revoke?.('7', signal) ?? Promise.resolve();
      expect(await failureOf(revoked)).to.have.property('code', deleting);
      nock(ORIGIN)
        .get(/^\/api\/v2\.0\/robots\?/)
        .reply(status, body);
      const error = await failureOf(registry().list?.([], (row) => row, signal) ?? Promise.resolve());
      expect(error).to.have.property('code', listing);
    });

  it('a project that only an administrator is told not to exist is an error, not an empty list', async () => {
    nock(ORIGIN).get('/api/v2.0/projects/team-a').reply(403, errors('FORBIDDEN', 'forbidden'));
    const error = await failureOf(registry().list?.(['team-a'], (row) => row, signal) ?? Promise.resolve());
    expect(error).to.have.property('code', 'Forbidden');
    expect(error.message).to.match(/check that the projects of spec\.scope exist/);
  });

  it('an id that is none, or larger than any, is never put into a path', async () => {
    for (const id of ['../projects/1', '2147483648', '99999999999']) {
      const error = await failureOf(registry().revoke?.(id, signal) ?? Promise.resolve());
      expect(error).to.have.property('code', 'InvalidRequest');
    }
  });

  it('a level that may not be listed is an error, not an empty list', async () => {
    nock(ORIGIN)
      .get('/api/v2.0/projects/team-a')
      .reply(200, { project_id: 3, name: 'team-a' })
      .get(/^\/api\/v2\.0\/robots\?/)
      .reply(403, errors('FORBIDDEN', 'forbidden'));
    const error = await failureOf(registry().list?.(['team-a'], (row) => row, signal) ?? Promise.resolve());
    expect(error).to.have.property('code', 'Forbidden');
  });

  it('a project that was deleted has no robots, and what else answers 404 is an error', async () => {
    nock(ORIGIN)
      .get('/api/v2.0/projects/team-a')
      .reply(404, errors('NOT_FOUND', 'project team-a not found'))
      .get('/api/v2.0/projects/team-b')
      .reply(404, 'no such page');
    expect(await registry().list?.(['team-a'], (row) => row, signal)).to.deep.equal([]);
    const error = await failureOf(registry().list?.(['team-b'], (row) => row, signal) ?? Promise.resolve());
    expect(error).to.have.property('code', 'InvalidRequest');
  });

  it('a page goes on after the id of the last row', async () => {
    const row = (id: number): object => ({ id, description: `number ${id}`, expires_at: -1 });
    const first = Array.from({ length: 100 }, (_, index) => row(index + 5));
    nock(ORIGIN)
      .get('/api/v2.0/robots')
      .query(({ q }) => String(q).endsWith('id=[1~]'))
      .reply(200, first)
      .get('/api/v2.0/robots')
      .query(({ q }) => String(q).endsWith('id=[105~]'))
      .reply(200, 'null');
    expect(await registry().list?.([], ({ id }) => id, signal)).to.have.lengthOf(100);
  });

  it('does not look for more projects where the pages repeat', async () => {
    const page = Array.from({ length: 100 }, (_, index) => ({ project_id: index, name: `team-${index}` }));
    nock(ORIGIN).get('/api/v2.0/projects').query(true).times(2).reply(200, page);
    const error = await failureOf(registry().scopes?.(signal) ?? Promise.resolve());
    expect(String(error)).to.match(/could not list projects at .*: its pages repeat/);
  });

  it('shows the projects that the account has to do with, page by page, or none', async () => {
    const project = (id: number): object => ({ project_id: id, name: `team-${id}` });
    nock(ORIGIN)
      .get('/api/v2.0/projects')
      .query({ page: 1, page_size: 100, with_detail: false })
      .reply(
        200,
        Array.from({ length: 100 }, (_, index) => project(index)),
      )
      .get('/api/v2.0/projects')
      .query({ page: 2, page_size: 100, with_detail: false })
      .reply(200, [project(100)]);
    const scopes = await registry().scopes?.(signal);
    expect(scopes).to.have.lengthOf(101);
    expect(scopes?.at(-1)).to.deep.equal(['team-100']);
    nock(ORIGIN).get('/api/v2.0/projects').query(true).reply(200, 'null');
    expect(await registry().scopes?.(signal)).to.deep.equal([]);
    nock(ORIGIN)
      .get('/api/v2.0/projects')
      .query(true)
      .reply(200, [{ name: 'without an id' }]);
    expect(await failureOf(registry().scopes?.(signal) ?? Promise.resolve())).to.have.property(
      'code',
      'Unavailable',
    );
  });

  it('says whose the credentials are, of a user and of a robot', async () => {
    nock(ORIGIN).get('/api/v2.0/users/current').reply(200, { username: 'operator' });
    expect(await connection().verify(signal)).to.deep.equal({ identity: ORIGIN });
    nock(ORIGIN)
      .get('/api/v2.0/users/current')
      .reply(412, errors('PRECONDITION', 'get current user not available for security context: robot'));
    expect(await connection('robot$op').verify(signal)).to.deep.equal({ identity: ORIGIN });
    nock(ORIGIN).get('/api/v2.0/users/current').reply(401, errors('UNAUTHORIZED', 'unauthorized'));
    expect(await failureOf(connection().verify(signal))).to.have.property('code', 'Unauthorized');
  });
});
