import { expect } from 'chai';
import { findCondition, type Condition } from '../../../src/api/conditions.ts';
import type { RegistryAccount, RegistryAccountStatus } from '../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import {
  AccountController,
  type AccountControllerOptions,
} from '../../../src/controller/account/account-controller.ts';
import { AccountSessions } from '../../../src/controller/account/account-sessions.ts';
import type { Redacted } from '../../../src/common/redacted.ts';
import type { RegistryDirectory } from '../../../src/registry/directory.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, type Part, PLACE } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** One account, its credentials, and an identity service that says whose they are or can't be asked. */
class Stage {
  /** The registry account that the key belongs to; undefined: the identity service is down. */
  owner: string | undefined = 'one';
  /** Of the Secret that holds the key. */
  secretVersion = '1';
  tokens: RegistryToken[] = [anIssuedToken()];
  /** undefined: it was deleted. */
  account: RegistryAccount | undefined;
  /** Of the credentials Secret; undefined: there is no such Secret. */
  data: Record<string, string> | undefined = { apikey: Buffer.from('key').toString('base64') };
  /** Warnings logged. */
  readonly warnings: { fields: unknown; message: string }[] = [];
  readonly #clock = new VirtualClock();
  readonly sessions = new AccountSessions(
    { forget: () => undefined } as unknown as RegistryDirectory,
    this.#clock,
    () => true,
  );
  readonly #controller: AccountController;

  constructor(part: Part<RegistryAccount> = { status: { accountId: 'one' } }) {
    this.account = anAccount(part);
    const stored = (): object | undefined =>
      this.data && { metadata: { uid: 'secret', resourceVersion: this.secretVersion }, data: this.data };
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
      secrets: {
        read: () => (this.unread ? Promise.reject(this.unread) : Promise.resolve(stored())),
      },
      sessions: this.sessions,
      directory: {
        verify: () =>
          this.owner === undefined
            ? Promise.reject(new RegistryError('Unavailable', `no answer (request ${Math.random()})`))
            : Promise.resolve({ accountId: this.owner }),
      },
      events: { event: nothing },
      logger: {
        debug: nothing,
        info: nothing,
        warn: (fields: unknown, message: string) => void this.warnings.push({ fields, message }),
        error: nothing,
      },
      clock: this.#clock,
      random: () => 0,
      operatorNamespace: 'system',
      sweep: 'revoke',
      protect: (secret: Redacted) => void this.protected.push(secret.reveal()),
      onChange: () => void this.changes++,
    };
    this.#controller = new AccountController(options as unknown as AccountControllerOptions);
  }

  /** Why the credentials Secret can't be read. */
  unread: Error | undefined;
  /** What was written to the account last, as JSON. */
  written = '';
  /** Whether there are namespaces whose RegistryTokens are not known. */
  unreadable = false;
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
    return {
      inUse: this.sessions.credentials('default') !== undefined,
      problem: this.sessions.problem('default'),
    };
  }

  /** The Ready condition that is written. */
  async ready(): Promise<Condition | undefined> {
    await this.look();
    const [, , operations] = JSON.parse(this.written) as [
      unknown,
      unknown,
      { path: string; value: RegistryAccountStatus }[],
    ];
    const status = operations.find(({ path }) => path === '/status')?.value;
    return findCondition(status?.conditions, 'Ready');
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
      { retainedTokens: [{ id: 'a', region: 'r', place: PLACE, namespace: 'n', name: 'x' }] },
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
    Object.assign(stage, { owner: 'two', tokens: [], unreadable: true });
    expect(await stage.look()).to.include({ inUse: false });
    stage.unreadable = false;
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

describe('a deleted account', () => {
  const deleted: [string, RegistryAccount | undefined][] = [
    ['that is gone', undefined],
    [
      'that finalizers of others hold',
      anAccount({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
  ];
  for (const [what, account] of deleted) {
    it(`${what} is warned of with the number of RegistryTokens that refer to it`, async () => {
      const stage = new Stage();
      await stage.next();
      Object.assign(stage, { account, tokens: [anIssuedToken(), anIssuedToken()] });
      await stage.next();
      expect(stage.warnings).to.deep.equal([
        {
          fields: { account: 'default', tokens: 2 },
          message:
            'RegistryAccount deleted while RegistryTokens refer to it: their tokens are neither rotated nor revoked before it exists again',
        },
      ]);
    });
  }

  it('is warned of once, however often it is looked at, and again when another of its name goes', async () => {
    const stage = new Stage();
    const { account } = stage;
    await stage.next();
    for (const each of [undefined, undefined, account, undefined]) {
      Object.assign(stage, { account: each });
      await stage.next();
    }
    expect(stage.warnings).to.have.length(2);
  });

  it('that never was there is not warned of, though RegistryTokens refer to it', async () => {
    const stage = new Stage();
    Object.assign(stage, { account: undefined });
    await stage.next();
    expect(stage.warnings).to.deep.equal([]);
  });

  it('that no RegistryToken refers to is not warned of', async () => {
    const stage = new Stage();
    await stage.next();
    Object.assign(stage, { account: undefined, tokens: [] });
    await stage.next();
    expect(stage.warnings).to.deep.equal([]);
  });
});

describe('the Ready condition of an account says', () => {
  const without: [string, Record<string, string> | undefined, string, string][] = [
    [
      'that its credentials Secret is not there',
      undefined,
      'CredentialsNotFound',
      'credentials Secret system/ibm-cloud is not there; create it with the API key under the key apikey',
    ],
    [
      'that the Secret has other keys only',
      { password: 'eA==' },
      'CredentialsInvalid',
      'credentials Secret system/ibm-cloud has no key apikey; put the API key there',
    ],
    ...['', Buffer.from(' \n').toString('base64')].map(
      (apikey): [string, { apikey: string }, string, string] => [
        `that the key ${apikey === '' ? 'is there and empty' : 'holds nothing but white space'}`,
        { apikey },
        'CredentialsInvalid',
        'credentials Secret system/ibm-cloud has an empty key apikey; put the API key there',
      ],
    ),
  ];
  for (const [what, data, reason, message] of without) {
    it(what, async () => {
      const stage = new Stage();
      stage.data = data;
      expect(await stage.ready()).to.include({ status: 'False', reason, message });
    });
  }

  it('that the credentials Secret can not be read, and what to grant', async () => {
    const stage = new Stage();
    stage.unread = new KubeError('GET secrets/ibm-cloud: 403 Forbidden', { status: 403 });
    expect(await stage.ready()).to.include({
      status: 'False',
      reason: 'CredentialsNotFound',
      message:
        "credentials Secret system/ibm-cloud can't be read: GET secrets/ibm-cloud: 403 Forbidden; let the operator get Secrets in its own namespace",
    });
  });

  it('that its limits leave no lifetime which the registry offers', async () => {
    const stage = new Stage({ spec: { limits: { maxLifetime: '12h', allowNeverExpiring: false } } });
    expect(await stage.ready()).to.include({
      status: 'False',
      reason: 'LifetimeNotOffered',
      message:
        'spec.limits allow no lifetime that IBMRegistryTokens offers, which are 24h and Never; raise maxLifetime or allow tokens that never expire',
    });
  });

  const enough = [{ maxLifetime: '24h', allowNeverExpiring: false }, { maxLifetime: '12h' }, {}];
  for (const limits of enough) {
    it(`that it works with the limits ${JSON.stringify(limits)}, which leave one`, async () => {
      const stage = new Stage({ spec: { limits } });
      expect(await stage.ready()).to.include({ status: 'True', reason: 'CredentialsAccepted' });
    });
  }

  it('what is wrong with the credentials, where the limits are wrong too', async () => {
    const stage = new Stage({ spec: { limits: { maxLifetime: '12h', allowNeverExpiring: false } } });
    stage.data = undefined;
    expect(await stage.ready()).to.include({ reason: 'CredentialsNotFound' });
  });
});
