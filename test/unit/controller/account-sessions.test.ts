import { expect } from 'chai';
import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../../src/api/registry-account.ts';
import type { Place } from '../../../src/api/registry-token.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import {
  AccountSessions,
  credentialsOf,
  leadsOf,
  type Issued,
} from '../../../src/controller/account/account-sessions.ts';
import { providerOf, type Credentials } from '../../../src/registry/backends.ts';
import type { RegistryDirectory } from '../../../src/registry/directory.ts';
import { anAccount, HOUR } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** What an account works with, as its credentials Secret gives it. */
const KEY = readKey(anAccount());
const SINCE = '2025-12-31T12:00:00Z';

function readKey({ spec }: RegistryAccount): Credentials {
  const read = providerOf(spec)?.readCredentials(new Map([['apikey', new Redacted('key')]]));
  return read && 'places' in read ? read : expect.fail('no credentials');
}

/** An account whose status says that it has been ready, of that generation, since noon. */
function known(ready = true, observedGeneration = 1): RegistryAccount {
  return anAccount({
    metadata: { generation: 1 },
    status: { observedGeneration, ...(ready ? { readySince: SINCE } : {}) },
  });
}

describe('when an account last changed', () => {
  let clock: VirtualClock;
  let sessions: AccountSessions;
  beforeEach(() => {
    clock = new VirtualClock();
    sessions = new AccountSessions({} as RegistryDirectory, clock, (name) => name === 'default');
  });

  it('is what its status says, when the operator starts and finds it as it was: no backoff ends for that', () => {
    sessions.update(known(), 'v1', KEY, undefined, 'account-1');
    expect(sessions.changedAt('default')).to.equal(Date.parse(SINCE));
  });

  const changes: [string, RegistryAccount, string | undefined][] = [
    ['it was not ready', known(false), undefined],
    ['its spec has changed', known(true, 0), undefined],
    ['it has ceased to work', known(), 'the key was refused'],
    ['it has no status yet', anAccount({ metadata: { generation: 1 } }), undefined],
  ];
  for (const [what, account, problem] of changes) {
    it(`is now, when the operator starts and ${what}`, () => {
      sessions.update(account, 'v1', KEY, problem, undefined);
      expect(sessions.changedAt('default')).to.equal(clock.now());
    });
  }

  it('is now, when it changes under the operator’s eyes, and stays so while nothing does', async () => {
    sessions.update(known(), 'v1', KEY, undefined, 'account-1');
    await clock.advance(HOUR);
    const changed = clock.now();
    expect(sessions.update(known(), 'v2', KEY, undefined, 'account-1')).to.equal(true);
    await clock.advance(HOUR);
    expect(sessions.update(known(), 'v2', KEY, undefined, 'account-1')).to.equal(false);
    expect(sessions.changedAt('default')).to.equal(changed);
  });
});

describe('the credentials of an account', () => {
  it('come with its name, and a default for the rate that its spec leaves out', () => {
    expect(credentialsOf(anAccount(), KEY)).to.deep.equal({
      name: 'default',
      credentials: KEY,
      caBundle: undefined,
      requestsPerSecond: ACCOUNT_DEFAULTS.requestsPerSecond,
    });
  });

  it('come with the rate and the authorities that its spec names', () => {
    const account = anAccount({ spec: { requestsPerSecond: 1, caBundle: 'PEM' } });
    expect(credentialsOf(account, KEY)).to.include({ requestsPerSecond: 1, caBundle: 'PEM' });
  });
});

describe('whose the credentials of an account are', () => {
  const recorded = (name: string): RegistryAccount['status'] => ({
    provider: { name, identity: 'recorded' },
  });
  const named = { ibmRegistryTokens: { accountId: 'named' } };

  it('is what the registry said last, though another is recorded', () => {
    const leads = leadsOf(anAccount({ status: recorded('ibmRegistryTokens') }), 'seen');
    expect(leads).to.include({ identity: 'seen', isChosen: false });
  });

  it('is what was recorded, while the registry can not be asked', () => {
    const leads = leadsOf(anAccount({ status: recorded('ibmRegistryTokens') }), undefined);
    expect(leads).to.include({ identity: 'recorded', isChosen: false });
  });

  it('is not what was recorded while the account was one of another registry', () => {
    const leads = leadsOf(anAccount({ status: recorded('ibmCloud') }), undefined);
    expect(leads).to.include({ identity: undefined, isChosen: false });
  });

  it('is what the account names, whatever was recorded', () => {
    const leads = leadsOf(anAccount({ spec: named, status: recorded('ibmRegistryTokens') }), undefined);
    expect(leads).to.include({ identity: 'named', isChosen: true });
  });

  it('is what the registry says where the account names an empty one', () => {
    const leads = leadsOf(anAccount({ spec: { ibmRegistryTokens: { accountId: '' } } }), 'seen');
    expect(leads).to.include({ identity: 'seen', isChosen: false });
  });

  it('is the registry itself where that has no accounts: it is chosen with the URL', () => {
    const spec = { ibmRegistryTokens: undefined, harbor: { url: 'https://Harbor.example/' } };
    const leads = leadsOf(anAccount({ spec, status: recorded('harbor') }), undefined);
    expect(leads).to.deep.equal({
      provider: 'harbor',
      regions: [{ name: '', endpoint: 'https://harbor.example' }],
      identity: 'https://harbor.example',
      isChosen: true,
      abandoned: [],
    });
  });

  it('is not known of an account that names no registry, or two: an old API server takes those', () => {
    const both = { harbor: { url: 'https://harbor.example' } };
    for (const spec of [{ ibmRegistryTokens: undefined }, both])
      expect(leadsOf(anAccount({ spec, status: recorded('ibmRegistryTokens') }), undefined)).to.deep.equal({
        provider: undefined,
        regions: [],
        identity: undefined,
        isChosen: false,
        abandoned: [],
      });
  });
});

describe('the registry of an account that can not be used', () => {
  const sessions = new AccountSessions(
    {} as RegistryDirectory,
    new VirtualClock(),
    (name) => name === 'default',
  );
  const says = (name: string): void => void sessions.placeOf(name, 'us-south');
  it('is refused with the reason, which is another where there is no such account', () => {
    expect(() => says('default')).to.throw(/default can't be used: its credentials have not been read yet/);
    expect(() => says('gone')).to.throw(/^RegistryAccount gone does not exist, or was deleted$/);
    sessions.update(known(false), 'v1', undefined, 'its Secret has no key apikey', undefined);
    expect(() => says('default')).to.throw(/default can't be used: its Secret has no key apikey/);
  });
});

describe('where an account leads', () => {
  const OTHER = 'https://other.example';
  const regions = [
    { name: 'one', host: 'one.example' },
    { name: 'same', host: 'same.example', endpoint: 'https://one.example' },
    { name: 'two', host: 'two.example' },
  ];
  const account = anAccount({ spec: { regions, abandonedEndpoints: ['https://gone.example'] } });
  const place = (endpoint: string, identity = 'account-1'): Place => ({
    endpoint,
    identity,
    provider: 'ibmRegistryTokens',
  });
  const of = (endpoint: string, region = 'one', identity?: string): Issued => ({
    account: 'default',
    region,
    place: place(endpoint, identity),
  });
  let asked: string[];
  let sessions: AccountSessions;
  beforeEach(() => {
    asked = [];
    const ask =
      (what: string) =>
      (_: unknown, region: string): unknown => {
        asked.push(`${what} ${region}`);
        return { host: `${region}.example`, outage: undefined, backAt: undefined };
      };
    const directory = {
      registry: ask('registry'),
      loginProbe: ask('loginProbe'),
      place: ask('place'),
      tryNow: ask('tryNow'),
      registryNow: (_: string, region: string) => (region === 'one' ? HOUR : 0),
      forget: (name: string) => void asked.push(`forget ${name}`),
    } as unknown as RegistryDirectory;
    sessions = new AccountSessions(directory, new VirtualClock(), () => true);
    sessions.update(account, 'v1', KEY, undefined, 'account-1');
  });

  const reaches: [what: string, issued: Issued, reach: unknown][] = [
    ['by the region that is named', of('https://one.example', 'same'), { region: 'same' }],
    [
      'by the first that leads there, where the one named does not',
      of('https://one.example', 'two'),
      { region: 'one' },
    ],
    ['nowhere that it has a region for', of(OTHER), 'elsewhere'],
    ['to another account’s', of('https://one.example', 'one', 'account-2'), 'elsewhere'],
    ['where it gave up', of('https://gone.example'), 'given up'],
  ];
  for (const [what, issued, reach] of reaches)
    it(`is ${what}`, () => {
      expect(sessions.reach(issued)).to.deep.equal(reach);
    });

  it('issues tokens as its registry does, whoever’s the credentials are', () => {
    expect(sessions.issueAt(of('https://one.example', 'one', 'account-2'))).to.equal('minted');
    expect(sessions.issueAt(of(OTHER))).to.equal(undefined);
    expect(sessions.issueAt({ ...of('https://one.example'), account: 'another' })).to.equal(undefined);
  });

  it('is not known of one that was not looked at, nor of one whose credentials could not be tried yet', () => {
    expect(sessions.reach({ ...of(OTHER), account: 'another' })).to.equal('unknown');
    sessions.update(account, 'v1', KEY, undefined, undefined);
    expect(sessions.reach(of('https://one.example'))).to.equal('unknown');
    expect(() => sessions.registryOf(of('https://one.example'))).to.throw(/is not known yet/);
    expect(() => sessions.placeOf('default', 'one')).to.throw(/is not known yet/);
  });

  it('is the place of a region, unless it has no such region', () => {
    expect(sessions.leadsTo('default', 'one')).to.deep.equal(place('https://one.example'));
    expect(sessions.placeOf('default', 'same')).to.deep.equal(place('https://one.example'));
    expect([sessions.leadsTo('default', 'mars'), sessions.leadsTo('another', 'one')]).to.deep.equal([
      undefined,
      undefined,
    ]);
    expect(() => sessions.placeOf('default', 'mars')).to.throw(/has no region mars/);
  });

  it('is not said of one whose credentials are not in use, though it is known', () => {
    sessions.update(account, 'v2', undefined, 'no key', 'account-1');
    expect(sessions.leadsTo('default', 'one')).to.deep.equal(place('https://one.example'));
    expect(() => sessions.placeOf('default', 'one')).to.throw(/can't be used: no key/);
  });

  it('is where tokens are asked for, by the region that leads there', () => {
    sessions.registryOf(of('https://one.example', 'former'));
    expect(asked).to.deep.equal(['registry one']);
    expect(() => sessions.registryOf(of(OTHER))).to.throw(/does not lead any more/);
  });

  it('is where tokens are tried, unless the region has another host by now', () => {
    expect(sessions.loginProbe('default', 'one', 'one.example')).to.have.property('host', 'one.example');
    expect(() => sessions.loginProbe('default', 'one', 'former.example')).to.throw(/was not looked at yet/);
  });

  it('is asked how it does, and tried before its time, where credentials are in use', () => {
    sessions.place('default', 'one');
    sessions.tryNow('default', 'one');
    expect(asked).to.deep.equal(['place one', 'tryNow one']);
    expect(sessions.place('another', 'one')).to.deep.equal({ outage: undefined, backAt: undefined });
    sessions.tryNow('another', 'one');
    expect(asked).to.have.length(2);
  });

  it('has a clock of its own', () => {
    expect(['one', 'two'].map((region) => sessions.registryNow('default', region))).to.deep.equal([HOUR, 0]);
  });

  it('is forgotten with the account', () => {
    expect([sessions.knows('default'), sessions.identity('default')]).to.deep.equal([true, 'account-1']);
    sessions.forget('default');
    expect([sessions.knows('default'), sessions.identity('default')]).to.deep.equal([false, undefined]);
    expect(asked).to.deep.equal(['forget default']);
  });
});

describe('an account as it was last taken into use', () => {
  const account = anAccount({ metadata: { generation: 1 } });
  let sessions: AccountSessions;
  beforeEach(() => {
    sessions = new AccountSessions({} as RegistryDirectory, new VirtualClock(), () => true);
  });

  it('is that version of it alone', () => {
    expect(sessions.isCurrent(account)).to.equal(false);
    sessions.update(account, 'v1', KEY, undefined, undefined);
    expect(sessions.isCurrent(account)).to.equal(true);
    expect(sessions.isCurrent(anAccount({ metadata: { generation: 2 } }))).to.equal(false);
    expect(sessions.isCurrent(anAccount({ metadata: { generation: 1, uid: 'another' } }))).to.equal(false);
    expect([sessions.version('default'), sessions.version('another')]).to.deep.equal(['v1', undefined]);
  });

  it('uses the key of that version alone, and only where there is one', () => {
    sessions.update(account, 'v1', KEY, undefined, undefined);
    expect(['v1', 'v2'].map((version) => sessions.uses(account, version))).to.deep.equal([true, false]);
    sessions.update(account, 'v1', undefined, 'no key', undefined);
    expect(sessions.uses(account, 'v1')).to.equal(false);
  });

  const verifying: [what: string, verify: 'Always' | 'Never' | undefined, verifies: boolean][] = [
    ['where it says so', 'Always', true],
    ['where it says nothing', undefined, true],
    ['not where it says Never', 'Never', false],
  ];
  for (const [what, verify, verifies] of verifying)
    it(`has its tokens tried at the registry ${what}`, () => {
      expect(sessions.verifies('default'), 'before it was looked at').to.equal(true);
      sessions.update(anAccount({ spec: { verify } }), 'v1', KEY, undefined, undefined);
      expect(sessions.verifies('default')).to.equal(verifies);
    });
});
