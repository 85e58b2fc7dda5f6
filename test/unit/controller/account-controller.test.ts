import { expect } from 'chai';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import {
  AccountController,
  type AccountControllerOptions,
} from '../../../src/controller/account-controller.ts';
import { AccountSessions } from '../../../src/controller/account-sessions.ts';
import type { Redacted } from '../../../src/common/redacted.ts';
import type { RegistryDirectory } from '../../../src/registry/directory.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, type Part } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** One account, its credentials, and an identity service that says whose they are or can't be asked. */
class Stage {
  /** The registry account that the key belongs to; undefined: the identity service is down. */
  owner: string | undefined = 'one';
  /** Of the Secret that holds the key. */
  secretVersion = '1';
  tokens: RegistryToken[] = [anIssuedToken()];
  account: RegistryAccount;
  readonly #clock = new VirtualClock();
  readonly sessions = new AccountSessions(
    { forget: () => undefined } as unknown as RegistryDirectory,
    this.#clock,
    () => true,
  );
  readonly #controller: AccountController;

  constructor(part: Part<RegistryAccount> = { status: { accountId: 'one' } }) {
    this.account = anAccount(part);
    const stored = (): object => ({
      metadata: { uid: 'secret', resourceVersion: this.secretVersion },
      data: { apikey: Buffer.from('key').toString('base64') },
    });
    const nothing = (): void => undefined;
    const options = {
      account: () => this.account,
      tokensOf: () => this.tokens,
      unreadable: () => this.unreadable,
      client: {
        jsonPatch: (...call: unknown[]) => {
          this.written = JSON.stringify(call);
          return Promise.resolve(this.account);
        },
      },
      secrets: { read: () => Promise.resolve(stored()) },
      sessions: this.sessions,
      directory: {
        verify: () =>
          this.owner === undefined
            ? Promise.reject(new RegistryError('Unavailable', `no answer (request ${Math.random()})`))
            : Promise.resolve({ accountId: this.owner }),
      },
      events: { event: nothing },
      logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      clock: this.#clock,
      random: () => 0,
      operatorNamespace: 'system',
      sweep: 'revoke',
      protect: (secret: Redacted) => void this.protected.push(secret.reveal()),
      onChange: () => void this.changes++,
    };
    this.#controller = new AccountController(options as unknown as AccountControllerOptions);
  }

  /** What was written to the account last, as JSON. */
  written = '';
  /** Namespaces whose RegistryTokens are not known. */
  unreadable = new Set<string>();
  /** Keys that no log may show. */
  readonly protected: string[] = [];
  /** How often others were told that something about the account has changed. */
  changes = 0;

  /** When it is to be looked at again, in milliseconds. */
  async next(): Promise<number | undefined> {
    const result = await this.#controller.reconcile('default', new AbortController().signal);
    return result?.requeueAfter;
  }

  async look(): Promise<{ inUse: boolean; problem: string | undefined }> {
    await this.#controller.reconcile('default', new AbortController().signal);
    const { name } = this.account.metadata;
    return { inUse: this.sessions.credentials(name) !== undefined, problem: this.sessions.problem(name) };
  }
}

describe('the key of an account is in use', () => {
  it('when it is the recorded account’s', async () => {
    expect(await new Stage().look()).to.deep.equal({ inUse: true, problem: undefined });
  });

  it('when no account is recorded yet, though nobody can say whose it is', async () => {
    const stage = new Stage({});
    stage.owner = undefined;
    expect(await stage.look()).to.include({ inUse: true });
  });

  it('while nobody can say whose it is, if that was known before', async () => {
    const stage = new Stage();
    await stage.look();
    stage.owner = undefined;
    expect(await stage.look()).to.include({ inUse: true });
  });

  it('when it is another account’s that the spec names, or of whose tokens none is left', async () => {
    const named = new Stage({ spec: { accountId: 'two' }, status: { accountId: 'one' } });
    const empty = new Stage();
    empty.tokens = [anIssuedToken({ status: { token: undefined } })];
    for (const stage of [named, empty]) {
      stage.owner = 'two';
      expect(await stage.look()).to.include({ inUse: true });
    }
  });
});

describe('what an account asks for and can not have', () => {
  it('is told where its defaultRegion is none of its regions; its tokens may name others', async () => {
    const stage = new Stage({ spec: { defaultRegion: 'mars' } });
    expect(await stage.look()).to.deep.equal({ inUse: true, problem: undefined });
    expect(stage.written).to.match(
      /the credentials work for account one; its defaultRegion mars is none of its regions \(.*us-south.*\), so RegistryTokens have to name one/,
    );
  });

  it('is not told of a defaultRegion that there is', async () => {
    const stage = new Stage({ spec: { defaultRegion: 'eu-central' } });
    await stage.look();
    expect(stage.written).to.include('CredentialsAccepted').and.not.include('defaultRegion');
  });

  for (const [what, spec, message] of [
    [
      'a host that is none',
      { regions: [{ name: 'here', host: 'us.icr.io/team' }] },
      'spec.regions holds host "us.icr.io/team"; it takes the host of a registry as in images\' names, in lower case, such as us.icr.io, registry:5000 or [fd00::1]:5000',
    ],
    [
      'a maximum in days',
      { limits: { maxLifetime: '7d' } },
      'spec.limits.maxLifetime is "7d"; it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s; a day is 24h',
    ],
    [
      'a maximum that no token can keep to',
      { limits: { maxLifetime: '30s' } },
      'spec.limits.maxLifetime is "30s"; it takes at least 1m',
    ],
  ] as const) {
    it(`is no reason to use its key: ${what}, which an old API server takes`, async () => {
      const stage = new Stage({ spec } as Part<RegistryAccount>);
      expect(await stage.look()).to.deep.equal({ inUse: false, problem: message });
      expect(stage.written).to.include('InvalidSpec');
    });
  }
});

describe('the key of an account is not in use', () => {
  it('before it is known whose it is, where tokens are another’s perhaps', async () => {
    const stage = new Stage();
    await stage.look();
    Object.assign(stage, { owner: undefined, secretVersion: '2' });
    expect(await stage.look()).to.include({ inUse: false });
  });

  const left: [string, Part<RegistryAccount>['status'], RegistryToken[]][] = [
    ['a token in force', {}, [anIssuedToken()]],
    [
      'a token that is kept on purpose',
      { retainedTokens: [{ id: 'a', region: 'r', namespace: 'n', name: 'x' }] },
      [],
    ],
  ];
  for (const [what, status, tokens] of left) {
    it(`when it is another account's, as long as there is ${what}`, async () => {
      const stage = new Stage({ status: { accountId: 'one', ...status } });
      Object.assign(stage, { owner: 'two', tokens });
      expect(await stage.look()).to.deep.equal({
        inUse: false,
        problem:
          'the credentials belong to account two, but there are tokens of account one; put a key of that account there, or set spec.accountId to two to give those tokens up',
      });
    });
  }
});

describe('the key of another account', () => {
  it('is not in use while a namespace can not be read, since tokens may be there', async () => {
    const stage = new Stage({ status: { accountId: 'one' } });
    Object.assign(stage, { owner: 'two', tokens: [], unreadable: new Set(['team']) });
    expect(await stage.look()).to.include({ inUse: false });
    stage.unreadable.clear();
    expect(await stage.look()).to.include({ inUse: true });
  });
});

describe('an account that can not be tried', () => {
  it('is told of once, however the messages differ', async () => {
    const stage = new Stage();
    stage.owner = undefined;
    for (let look = 0; look < 3; look++) await stage.look();
    expect(stage.changes).to.equal(1);
    expect((await stage.look()).problem).to.equal('no answer');
  });
});

describe('an account', () => {
  it('that can not be tried is tried again at growing intervals, and as ever once it works', async () => {
    const stage = new Stage();
    const works = await stage.next();
    stage.owner = undefined;
    expect([await stage.next(), await stage.next(), await stage.next()]).to.deep.equal([2_000, 4_000, 8_000]);
    stage.owner = 'one';
    expect(await stage.next()).to.equal(works);
    stage.owner = undefined;
    expect(await stage.next()).to.equal(2_000);
  });

  it('has its key kept out of logs before anything is done with it', async () => {
    const stage = new Stage();
    stage.owner = undefined;
    await stage.look();
    expect(stage.protected).to.deep.equal(['key']);
  });

  it('that is gone is forgotten, and others are told', async () => {
    const stage = new Stage();
    await stage.look();
    const told = stage.changes;
    stage.account = anAccount({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(await stage.next()).to.equal(undefined);
    expect(stage.sessions.credentials('default')).to.equal(undefined);
    expect(stage.changes).to.equal(told + 1);
  });
});
