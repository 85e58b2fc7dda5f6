import { expect } from 'chai';
import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../../src/api/registry-account.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { AccountSessions, credentialsOf } from '../../../src/controller/account/account-sessions.ts';
import type { RegistryDirectory } from '../../../src/registry/directory.ts';
import { anAccount, HOUR } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const KEY = new Redacted('key');
const SINCE = '2025-12-31T12:00:00Z';

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
  it('have defaults for what its spec leaves out', () => {
    expect(credentialsOf(anAccount(), KEY)).to.deep.equal({
      name: 'default',
      provider: 'IBMRegistryTokens',
      iamEndpoint: ACCOUNT_DEFAULTS.iamEndpoint,
      accountId: undefined,
      apiKey: KEY,
      regions: [],
      requestsPerSecond: ACCOUNT_DEFAULTS.requestsPerSecond,
    });
  });

  it('are as its spec says', () => {
    const regions = [{ name: 'here', host: 'here.example' }];
    const spec = { iamEndpoint: 'https://iam.example', accountId: 'one', regions, requestsPerSecond: 1 };
    expect(credentialsOf(anAccount({ spec }), KEY)).to.include(spec);
  });

  it('name no registry account where its spec has an empty one', () => {
    expect(credentialsOf(anAccount({ spec: { accountId: '' } }), KEY)).to.have.property(
      'accountId',
      undefined,
    );
  });
});

describe('the registry of an account that can not be used', () => {
  const sessions = new AccountSessions(
    {} as RegistryDirectory,
    new VirtualClock(),
    (name) => name === 'default',
  );
  const says = (name: string): void => void sessions.registry(name, 'us-south');
  it('is refused with the reason, which is another where there is no such account', () => {
    expect(() => says('default')).to.throw(/default can't be used: its credentials have not been read yet/);
    expect(() => says('gone')).to.throw(/^RegistryAccount gone does not exist, or was deleted$/);
    sessions.update(known(false), 'v1', undefined, 'its Secret has no key apikey', undefined);
    expect(() => says('default')).to.throw(/default can't be used: its Secret has no key apikey/);
  });
});
