import { expect } from 'chai';
import * as fc from 'fast-check';
import { inspect } from 'node:util';
import type { RegistryAccountSpec } from '../../../src/api/registry-account.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import {
  namedProviders,
  PROVIDER_NAMES,
  providerOf,
  type Credentials,
  type Provider,
} from '../../../src/registry/backends.ts';

type Spec = Omit<RegistryAccountSpec, 'credentialsSecretRef'>;

const specOf = (spec: Spec): RegistryAccountSpec => ({ credentialsSecretRef: { name: 'key' }, ...spec });
const HARBOR: Spec = { harbor: { url: 'https://Harbor.example.com:443/' } };

function provider(spec: Spec): Provider {
  return providerOf(specOf(spec)) ?? expect.fail('it names no registry');
}
const read = (spec: Spec, data: Record<string, string>): Credentials | { problem: string } =>
  provider(spec).readCredentials(
    new Map(Object.entries(data).map(([key, value]) => [key, new Redacted(value)])),
  );
function credentials(spec: Spec, data: Record<string, string>): Credentials {
  const result = read(spec, data);
  return 'problem' in result ? expect.fail(result.problem) : result;
}

describe('the registry that an account names', () => {
  const named: [block: Spec, name: string, title: string, identity: string | undefined][] = [
    [{ ibmCloud: {} }, 'ibmCloud', 'IBM Cloud', undefined],
    [{ ibmCloud: { accountId: 'account-1' } }, 'ibmCloud', 'IBM Cloud', 'account-1'],
    [{ ibmCloud: { accountId: '' } }, 'ibmCloud', 'IBM Cloud', undefined],
    [{ ibmRegistryTokens: {} }, 'ibmRegistryTokens', 'IBM registry tokens', undefined],
    [{ ibmRegistryTokens: { accountId: 'a' } }, 'ibmRegistryTokens', 'IBM registry tokens', 'a'],
    [HARBOR, 'harbor', 'Harbor', 'https://harbor.example.com'],
  ];
  for (const [spec, name, title, identity] of named)
    it(`is that of its block: ${JSON.stringify(spec)}`, () => {
      expect(provider(spec)).to.deep.include({ name, title, identity });
    });

  it('is none without a block, and none with several: nobody knows which was meant', () => {
    expect(providerOf(specOf({}))).to.equal(undefined);
    expect(providerOf(specOf({ ibmCloud: {}, ibmRegistryTokens: {} }))).to.equal(undefined);
    expect(namedProviders(specOf({}))).to.deep.equal([]);
    expect(namedProviders(specOf({ ...HARBOR, ibmCloud: {} })).sort()).to.deep.equal(['harbor', 'ibmCloud']);
  });

  it('can lack a new token by its id no shorter than in a list; IBM Cloud for the five minutes that IAM may lag', () => {
    const absences = named.map(([spec]) => {
      const { listing, absence } = provider(spec).capabilities.settling;
      expect(absence).to.be.at.least(listing);
      return [provider(spec).name, absence];
    });
    expect(new Set(absences.map(String))).to.deep.equal(
      new Set(['ibmCloud,300000', 'ibmRegistryTokens,0', 'harbor,0']),
    );
  });

  it('is looked up once for a spec', () => {
    const spec = specOf({ ibmCloud: {} });
    expect(providerOf(spec))
      .to.equal(providerOf(spec))
      .and.not.equal(providerOf({ ...spec }));
  });

  it('says which field of the spec tells whose its credentials are, where they can be another’s', () => {
    expect(provider({ ibmCloud: {} }).identityField).to.equal('spec.ibmCloud.accountId');
    expect(provider({ ibmRegistryTokens: {} }).identityField).to.equal('spec.ibmRegistryTokens.accountId');
    expect(provider(HARBOR).identityField).to.equal(undefined);
  });

  describe('has its places', () => {
    it('in the regions of IBM, all by one endpoint where IAM has the tokens', () => {
      const { places } = provider({ ibmCloud: {} });
      expect(places.defaultRegion).to.equal('us-south');
      expect(places.resolve(undefined)).to.deep.equal({
        region: 'us-south',
        host: 'us.icr.io',
        endpoint: 'https://iam.cloud.ibm.com',
      });
      expect(new Set(places.all.map(({ endpoint }) => endpoint)).size).to.equal(1);
      expect(places.resolve('eu-central')).to.include({ region: 'eu-de', host: 'de.icr.io' });
      expect(places.resolve('mars')).to.equal(undefined);
    });
    it('in the regions of IBM, each by its own endpoint where the registry has the tokens', () => {
      const { places } = provider({ ibmRegistryTokens: {} });
      expect(places.resolve('eu-de')).to.include({ endpoint: 'https://de.icr.io' });
      expect(new Set(places.all.map(({ endpoint }) => endpoint)).size).to.equal(places.all.length);
    });
    it('on the private network where the account says so, save for regions of its own', () => {
      const regions = [{ name: 'lab', host: 'lab.example' }];
      const { places } = provider({ ibmCloud: { network: 'Private' }, regions });
      expect(places.resolve('eu-de')?.host).to.equal('private.de.icr.io');
      expect(places.resolve('lab')?.host).to.equal('lab.example');
    });
    it('in the regions that the account defines', () => {
      const regions = [{ name: 'lab', host: 'lab.example', endpoint: 'https://API.lab.example:443/' }];
      const { places } = provider({ ibmRegistryTokens: { iamEndpoint: 'https://iam.example' }, regions });
      const lab = { region: 'lab', host: 'lab.example', endpoint: 'https://api.lab.example' };
      expect(places.all).to.deep.equal([lab]);
      expect(places.resolve(undefined), 'no region of IBM').to.equal(undefined);
    });
    it('at itself where there are no regions', () => {
      const { places } = provider(HARBOR);
      const place = { region: '', host: 'harbor.example.com', endpoint: 'https://harbor.example.com' };
      expect(places).to.deep.include({ defaultRegion: undefined, all: [place] });
      for (const region of [undefined, '']) expect(places.resolve(region)).to.deep.equal(place);
      expect(places.resolve('us-south')).to.equal(undefined);
    });
  });

  it('has no scopes where tokens hang on a service ID of the account, which decides what they may do', () => {
    expect(provider({ ibmCloud: {} }).capabilities.scope).to.include({ name: 'registry namespace' });
    const { scope, access } = provider({
      ibmCloud: { serviceId: 'ServiceId-1', serviceIdAccess: 'ReadOnly' },
    }).capabilities;
    expect([scope, access]).to.deep.equal([undefined, ['ReadOnly']]);
  });

  for (const name of PROVIDER_NAMES)
    it(`offers lifetimes that go together: ${name}`, () => {
      const spec = { [name]: name === 'harbor' ? HARBOR.harbor : {} } as Spec;
      const { capabilities } = provider(spec);
      const { issue, lifetimes, find } = capabilities;
      if (issue === 'minted' && find === 'none' && lifetimes.kind === 'range')
        expect(lifetimes.never, 'a token that nobody could find again must expire').to.equal(false);
      if (lifetimes.kind !== 'range') return;
      const { minimum, maximum = Infinity, granularity, default: fallback, never } = lifetimes;
      expect(minimum % granularity).to.equal(0);
      if (fallback === 'Never') expect(never).to.equal(true);
      else expect(fallback).to.be.within(minimum, maximum);
    });
});

describe('the credentials of an account', () => {
  const KEY = { apikey: 'some-key-of-the-operator' };
  const LOGIN = { username: 'operator', password: 'some-password-of-the-operator' };

  const lacking: [spec: Spec, data: Record<string, string>, problem: string][] = [
    [{ ibmCloud: {} }, {}, 'IBM Cloud needs the key apikey, with an API key'],
    [{ ibmCloud: {} }, LOGIN, 'IBM Cloud needs the key apikey, with an API key'],
    [{ ibmRegistryTokens: {} }, {}, 'IBM registry tokens needs the key apikey, with an API key'],
    [HARBOR, {}, 'Harbor needs the keys username and password'],
    [HARBOR, { username: 'operator' }, 'Harbor needs the keys username and password'],
    [HARBOR, { password: LOGIN.password }, 'Harbor needs the keys username and password'],
    [HARBOR, KEY, 'Harbor needs the keys username and password'],
  ];
  for (const [spec, data, problem] of lacking)
    it(`with ${Object.keys(data).join(' and ') || 'nothing'} in the Secret: ${problem}`, () => {
      expect(read(spec, data)).to.deep.equal({ problem });
    });
  it('are missing where the account names no Secret', () => {
    for (const spec of [{ ibmCloud: {} }, { ibmRegistryTokens: {} }, HARBOR])
      expect(provider(spec).readCredentials(undefined))
        .to.have.property('problem')
        .that.includes('needs the key');
  });

  it('are read whatever else the Secret has', () => {
    expect(read({ ibmCloud: {} }, { ...KEY, other: 'x' })).to.have.property('connect');
    expect(read(HARBOR, { ...LOGIN, other: 'x' })).to.have.property('connect');
  });

  it('tell what of them may appear nowhere: keys and passwords, not names', () => {
    const secretsOf = (spec: Spec, data: Record<string, string>): string[] =>
      credentials(spec, data).secrets.map((secret) => secret.reveal());
    expect(secretsOf({ ibmCloud: {} }, KEY)).to.deep.equal([KEY.apikey]);
    expect(secretsOf({ ibmRegistryTokens: {} }, KEY)).to.deep.equal([KEY.apikey]);
    expect(secretsOf(HARBOR, LOGIN)).to.deep.equal([LOGIN.password]);
  });

  describe('have a fingerprint', () => {
    const before = credentials({ ibmCloud: {} }, KEY).fingerprint;
    const others: [what: string, spec: Spec, data: Record<string, string>][] = [
      ['the key', { ibmCloud: {} }, { apikey: 'another-key' }],
      ['the block', { ibmCloud: { accountId: 'account-1' } }, KEY],
      ['the login service', { ibmCloud: { iamEndpoint: 'https://iam.example' } }, KEY],
      ['the registry', { ibmRegistryTokens: {} }, KEY],
    ];
    for (const [what, spec, data] of others)
      it(`that is another with ${what}`, () => {
        expect(credentials(spec, data).fingerprint).to.not.equal(before);
      });
    it('that is the same for the same, whatever else the account says', () => {
      const regions = [{ name: 'lab', host: 'lab.example' }];
      const limits = { maxAccess: 'ReadWrite' } as const;
      const spec = { ibmCloud: {}, regions, limits, requestsPerSecond: 1 };
      expect(credentials(spec, KEY).fingerprint).to.equal(before);
    });

    it('that differs wherever they do, and gives nothing of them away', () => {
      const texts = fc.string({ minLength: 1, maxLength: 40 });
      fc.assert(
        fc.property(texts, texts, texts, texts, (username, password, otherName, otherPassword) => {
          const one = credentials(HARBOR, { username, password });
          const other = credentials(HARBOR, { username: otherName, password: otherPassword });
          const same = username === otherName && password === otherPassword;
          expect(one.fingerprint === other.fingerprint).to.equal(same);
          expect(one.fingerprint).to.match(/^[0-9a-f]{64}$/);
        }),
      );
    });
  });

  it('show no secret when they are printed', () => {
    for (const each of [credentials({ ibmCloud: {} }, KEY), credentials(HARBOR, LOGIN)]) {
      const text = inspect(each, { depth: 20, showHidden: true, getters: true }) + JSON.stringify(each);
      expect(each.secrets.filter((secret) => text.includes(secret.reveal()))).to.have.length(0);
    }
  });
});

describe('the block of an account at an API server that knows no rules', () => {
  const ROLE = 'arn:aws:iam::123456789012:role/puller';
  const faults: [spec: Spec, words: RegExp][] = [
    [{ ibmCloud: { serviceId: 'ServiceId-1' } }, /serviceId and serviceIdAccess go together/],
    [{ ibmCloud: { serviceIdAccess: 'ReadOnly' } }, /serviceId and serviceIdAccess go together/],
    [{ harbor: { url: 'harbor.example.com' } }, /spec\.harbor leads to host ""/],
    [{ harbor: { url: 'https://harbor.example.com/api/v2.0' } }, /without \/api/],
    [{ harbor: { url: 'https://harbor.example.com', host: 'Registry/team' } }, /host "Registry\/team"/],
    [{ ecr: { registryId: '123456789012' } }, /neither roleArn nor identityAccess/],
    [{ ecr: { registryId: '123456789012', roleArn: ROLE, identityAccess: 'ReadOnly' } }, /not both/],
    [{ ecr: { identityAccess: 'ReadOnly' } }, /registryId takes the twelve digits/],
    [{ ecr: { public: true, registryId: 'x.example/', identityAccess: 'ReadOnly' } }, /twelve digits/],
  ];
  for (const [spec, words] of faults)
    it(`${JSON.stringify(spec)} is at fault`, () => expect(provider(spec).fault).to.match(words));

  it('is not at fault as the rules have it', () => {
    for (const spec of [
      { ibmCloud: {} },
      { ibmCloud: { serviceId: 'ServiceId-1', serviceIdAccess: 'ReadOnly' } },
      { ibmRegistryTokens: {} },
      { harbor: { url: 'http://127.0.0.1:8080/path', host: 'registry:5000' } },
      HARBOR,
      { ecr: { registryId: '123456789012', roleArn: ROLE } },
      { ecr: { public: true, identityAccess: 'ReadWrite' } },
    ] satisfies Spec[])
      expect(provider(spec).fault).to.equal(undefined);
  });
});
