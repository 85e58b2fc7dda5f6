import { expect } from 'chai';
import type { RegistryAccountSpec } from '../../../src/api/registry-account.ts';
import type { Place, Tools } from '../../../src/registry/port.ts';
import { providerOf } from '../../../src/registry/backends.ts';
import { RegistryDirectory, type AccountCredentials } from '../../../src/registry/directory.ts';
import { readAnswer } from '../../../src/registry/http/answer.ts';
import type { HttpSender } from '../../../src/registry/http/http-client.ts';
import { IBM_DIALECT } from '../../../src/registry/ibm-iam/dialect.ts';
import { aCapability } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { errorOf, NEVER } from './support/registry-world.ts';

const SECOND = 1_000;

/** Regions that share an endpoint: IAM has the tokens of all. */
const IBM_CLOUD = { ibmCloud: {} };
/** Regions each with an endpoint of its own. */
const IBM_TOKENS = { ibmRegistryTokens: {} };

describe('what an account shares at a place', () => {
  let clock: VirtualClock;
  let status: number;
  /** How far the registry's clock is ahead, in milliseconds. */
  let ahead: number;
  let registryNow: Tools['registryNow'];
  /** Host and when, in milliseconds, of each request. */
  let sent: [string, number][];
  /** Connections that were made. */
  let connections = 0;
  let directory: RegistryDirectory;

  beforeEach(() => {
    clock = new VirtualClock();
    [status, ahead, sent, connections] = [200, 0, [], 0];
    const http: HttpSender = {
      send: async ({ url }) => {
        sent.push([url.host, clock.monotonic()]);
        const date = new Date(clock.now() + ahead).toUTCString();
        const raw = { status, headers: { date }, body: Buffer.from('{}'), rows: { kept: [], count: 0 } };
        return readAnswer(raw, clock.now());
      },
    };
    directory = new RegistryDirectory({
      clock,
      userAgent: 'test',
      timeout: 30_000,
      metrics: { requested: () => undefined },
      http,
    });
  });

  function account(
    spec: Omit<RegistryAccountSpec, 'credentialsSecretRef'>,
    { name = 'default', fingerprint = 'one', requestsPerSecond = 1 } = {},
  ): AccountCredentials {
    const provider = providerOf({ credentialsSecretRef: { name: 'key' }, ...spec });
    if (!provider) return expect.fail('it names no registry');
    const registry = (tools: Tools, place: Place) => ({
      capabilities: aCapability(),
      host: place.host,
      issue: () => expect.fail('nothing is issued here'),
      list: () => ask(tools, place) as Promise<never[]>,
    });
    return {
      name,
      credentials: {
        capabilities: provider.capabilities,
        places: provider.places,
        fingerprint,
        secrets: [],
        connect: (_, tools) => {
          const number = ++connections;
          ({ registryNow } = tools);
          return {
            verify: async () => ({ identity: `connection ${number}` }),
            registry: (place) => registry(tools, place),
          };
        },
      },
      requestsPerSecond,
    };
  }
  const ask = ({ client }: Tools, place: Place): Promise<unknown> =>
    client(place).ask(
      {
        operation: 'list',
        purpose: 'list the tokens',
        method: 'GET',
        url: new URL('/tokens', place.endpoint),
        creates: false,
        names: false,
        headers: {},
        dialect: IBM_DIALECT,
        secrets: [],
      },
      () => [],
      'is none',
      NEVER,
    );
  const list = async (of: AccountCredentials, region: string): Promise<unknown> =>
    directory.registry(of, region).list?.([], (row) => row, NEVER);
  const times = (): number[] => sent.map(([, time]) => time);

  it('is one rate limit where its regions share an endpoint', async () => {
    const lists = ['us-south', 'eu-de', 'jp-tok'].map((region) => list(account(IBM_CLOUD), region));
    await clock.advance(2 * SECOND);
    await Promise.all(lists);
    expect(times()).to.deep.equal([0, SECOND, 2 * SECOND]);
  });

  it('is a rate limit for each region where each has an endpoint', async () => {
    await Promise.all(['us-south', 'eu-de', 'jp-tok'].map((region) => list(account(IBM_TOKENS), region)));
    expect(times()).to.deep.equal([0, 0, 0]);
  });

  it('is one circuit breaker where its regions share an endpoint: what is down is down for all', async () => {
    const fast = account(IBM_CLOUD, { requestsPerSecond: 1000 });
    const back: string[] = [];
    directory.whenBack((name) => back.push(name));
    status = 502;
    for (let time = 0; time < 5; time++) await errorOf(list(fast, 'us-south'));
    const { message } = await errorOf(list(fast, 'eu-de'));
    expect(message).to.match(/^account default at iam\.cloud\.ibm\.com has been unavailable since /);
    expect(sent).to.have.length(5);
    expect(directory.place(fast, 'eu-de').outage).to.not.equal(undefined);
    status = 200;
    directory.tryNow(fast, 'jp-tok');
    await list(fast, 'eu-de');
    expect(back).to.deep.equal(['default']);
    expect(directory.place(fast, 'us-south')).to.deep.equal({ outage: undefined, backAt: clock.now() });
  });

  it('is nothing that another account has, though at the same endpoint', async () => {
    await Promise.all([
      list(account(IBM_CLOUD), 'us-south'),
      list(account(IBM_CLOUD, { name: 'second' }), 'us-south'),
    ]);
    expect(times()).to.deep.equal([0, 0]);
  });

  it('is a connection that is kept while its credentials are the same, however its other settings change', async () => {
    const regions = [{ name: 'lab', host: 'lab.example' }];
    const slow = { requestsPerSecond: 5 };
    const accounts = [account(IBM_CLOUD), account({ ...IBM_CLOUD, regions }), account(IBM_CLOUD, slow)];
    for (const each of accounts)
      expect(await directory.verify(each, NEVER)).to.deep.equal({ identity: 'connection 1' });
    expect(directory.registry(accounts[1] ?? account(IBM_CLOUD), 'lab').host).to.equal('lab.example');
  });

  it('is another connection once its credentials are others, under the limits that there were', async () => {
    const changed = account(IBM_CLOUD, { fingerprint: 'two' });
    await list(account(IBM_CLOUD), 'us-south');
    expect(await directory.verify(changed, NEVER)).to.deep.equal({ identity: 'connection 2' });
    const waiting = list(changed, 'eu-de');
    await clock.advance(SECOND);
    await waiting;
    expect(times()).to.deep.equal([0, SECOND]);
    await directory.verify(account(IBM_CLOUD), NEVER);
    expect(connections, 'the credentials before').to.equal(3);
  });

  it('is the time of its registry, once that has answered', async () => {
    const of = account(IBM_TOKENS);
    ahead = 3_600_000;
    await list(of, 'us-south');
    const timeIn = (region: string): number => {
      const place = of.credentials.places.resolve(region);
      return place ? registryNow(place) - clock.now() : NaN;
    };
    expect(timeIn('us-south')).to.equal(ahead);
    expect(timeIn('eu-de')).to.equal(0);
  });

  it('is known of no region that the account does not have', () => {
    expect(directory.place(account(IBM_CLOUD), 'mars')).to.deep.equal({
      outage: undefined,
      backAt: undefined,
    });
    directory.tryNow(account(IBM_CLOUD), 'mars');
    const harbor = account({ harbor: { url: 'https://harbor.example' } });
    expect(directory.registry(harbor, '').host).to.equal('harbor.example');
    const nowhere = account({ ibmCloud: { iamEndpoint: 'https://iam.example' } }, { name: 'own' });
    expect(() => directory.registry(nowhere, 'us-south')).to.throw(
      'account own has no region us-south; it has none',
    );
    expect(() => directory.registry(harbor, 'us-south')).to.throw('account default has no region us-south');
  });
});
