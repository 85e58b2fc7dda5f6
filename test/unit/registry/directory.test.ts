import { expect } from 'chai';
import type { RegistryDirectory } from '../../../src/registry/directory.ts';
import type { VirtualClock } from '../../support/virtual-clock.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  anAccount,
  anExchange,
  aRequest,
  errorOf,
  IAM,
  NEVER,
  REGISTRY,
  type Observation,
  listOf,
  registryOf,
  type WholeRegistry,
} from './support/registry-world.ts';

const serve = (origin = REGISTRY): nock.Scope =>
  nock(origin).get('/api/v1/tokens').reply(200, { tokens: [] }).persist();

describe('RegistryDirectory', () => {
  useNock();

  let clock: VirtualClock;
  let directory: RegistryDirectory;
  let observed: Observation[];

  beforeEach(() => {
    ({ clock, directory, observed } = aDirectory());
  });

  const exchanges = (): number => observed.filter(({ operation }) => operation === 'exchange').length;

  it('finds regions by alias and in the account', () => {
    expect(directory.registry(anAccount(), 'us-east').host).to.equal('us.icr.io');
    const regions = [{ name: 'lab', host: 'lab.example:5000' }];
    expect(directory.registry(anAccount({ spec: { regions } }), 'lab').host).to.equal('lab.example:5000');
  });

  it('names the regions there are when one is unknown', () => {
    expect(() => directory.registry(anAccount({ spec: { regions: [{ name: 'lab', host: 'x' }] } }), 'mars'))
      .to.throw('account default has no region mars; it has au-syd, br-sao,')
      .that.includes({ code: 'InvalidRequest' });
  });

  it("asks the region's endpoint, below its path", async () => {
    nock(IAM).post('/identity/token').reply(200, anExchange());
    nock('http://api.example:8080').get('/base/api/v1/tokens').reply(200, { tokens: [] });
    const regions = [{ name: 'lab', host: 'lab.example', endpoint: 'http://api.example:8080/base/' }];
    await listOf(registryOf(directory, anAccount({ spec: { regions } }), 'lab'));
  });

  it('knows when a request to any registry last ended, well or not', async () => {
    expect(directory.lastRequestAt).to.equal(-Infinity);
    nock(IAM).post('/identity/token').reply(200, anExchange());
    await clock.advance(1_000);
    nock(REGISTRY).get('/api/v1/tokens').reply(503, '');
    await errorOf(listOf(registryOf(directory)));
    expect(directory.lastRequestAt).to.equal(clock.monotonic());
  });

  it('keeps an access token for all regions and calls of an account', async () => {
    nock(IAM).post('/identity/token').reply(200, anExchange());
    serve();
    serve('https://de.icr.io');
    await listOf(registryOf(directory));
    await listOf(registryOf(directory, anAccount(), 'eu-de'));
    await listOf(registryOf(directory));
    expect(exchanges()).to.equal(1);
    nock.cleanAll();
  });

  const changes: [string, Parameters<typeof anAccount>[0], string][] = [
    ['another key', { apiKey: 'another key' }, IAM],
    [
      'another endpoint',
      { spec: { ibmRegistryTokens: { iamEndpoint: 'https://private.iam.cloud.ibm.com' } } },
      'https://private.iam.cloud.ibm.com',
    ],
    ['another account', { name: 'second' }, IAM],
  ];
  for (const [name, change, iam] of changes) {
    it(`gets a new access token for ${name} at once`, async () => {
      nock(IAM).post('/identity/token').reply(200, anExchange());
      serve();
      await listOf(registryOf(directory));
      nock(iam)
        .post('/identity/token')
        .reply(200, anExchange({}, { jti: '2' }));
      await listOf(registryOf(directory, anAccount(change), 'us-south'));
      expect(exchanges()).to.equal(2);
      nock.cleanAll();
    });
  }

  describe('with a guard', () => {
    const deposed = new Error('another process leads');
    let leads: boolean;
    beforeEach(() => {
      leads = true;
      ({ clock, directory, observed } = aDirectory(undefined, () => {
        if (!leads) throw deposed;
      }));
      nock(IAM).post('/identity/token').reply(200, anExchange());
    });
    const guarded: [string, (registry: WholeRegistry) => Promise<unknown>][] = [
      ['mint', (registry) => registry.issue(aRequest(), NEVER)],
      ['revoke', (registry) => registry.revoke('id', NEVER)],
    ];
    for (const [operation, change] of guarded) {
      it(`asks it again when the turn of a ${operation} has come: what it says no to is not sent`, async () => {
        serve();
        const registry = registryOf(directory, anAccount({ requestsPerSecond: 1 }));
        await listOf(registry);
        const waiting = change(registry).catch((error: unknown) => error);
        await clock.advance(999);
        leads = false;
        await clock.advance(1);
        expect(await waiting).to.equal(deposed);
        expect(observed.map((each) => each.operation)).to.deep.equal(['exchange', 'list', operation]);
        expect(observed.at(-1)).to.include({ code: 'Aborted' });
        nock.cleanAll();
      });
    }

    it('reads without asking it', async () => {
      leads = false;
      serve();
      expect(await listOf(registryOf(directory))).to.deep.equal([]);
      nock.cleanAll();
    });
  });

  it('forgets an account', async () => {
    nock(IAM).post('/identity/token').twice().reply(200, anExchange());
    await directory.verify(anAccount(), NEVER);
    directory.forget('default');
    directory.forget('never known');
    await directory.verify(anAccount(), NEVER);
    expect(exchanges()).to.equal(2);
  });

  it('asks at once where the account names another endpoint, though the one before was down', async () => {
    nock(IAM).post('/identity/token').reply(200, anExchange());
    const list = (endpoint: string): Promise<unknown> =>
      listOf(
        registryOf(
          directory,
          anAccount({ spec: { regions: [{ name: 'lab', host: 'lab.example', endpoint }] } }),
          'lab',
        ),
      );
    nock('https://wrong.example').get('/api/v1/tokens').times(5).reply(502);
    for (let time = 0; time < 5; time++) await errorOf(list('https://wrong.example'));
    expect((await errorOf(list('https://wrong.example'))).message).to.match(
      /has been unavailable since .*: the server answered 502$/,
    );
    serve('https://right.example');
    await list('https://right.example');
    nock.cleanAll();
  });

  it('takes a changed rate into use', async () => {
    nock(IAM).post('/identity/token').reply(200, anExchange());
    serve();
    await listOf(registryOf(directory, anAccount({ requestsPerSecond: 1 }), 'us-south'));
    await listOf(registryOf(directory, anAccount({ requestsPerSecond: 2 }), 'us-south'));
    expect(clock.monotonic()).to.equal(0);
    nock.cleanAll();
  });

  it('refuses a region whose endpoint is no URL', async () => {
    nock(IAM).post('/identity/token').reply(200, anExchange());
    const regions = [{ name: 'lab', host: 'x', endpoint: 'ftp://x' }];
    expect(await errorOf(listOf(registryOf(directory, anAccount({ spec: { regions } }), 'lab')))).to.include({
      code: 'InvalidRequest',
      message: 'endpoint ftp://x is not an HTTP URL; correct it in the account',
    });
  });
});
