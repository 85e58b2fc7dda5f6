import { expect } from 'chai';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { REGISTRIES } from '../../sandbox/registries/registries.ts';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import { isStalled } from '../../src/api/reasons.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { registerSecret } from '../support/secrecy.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { CAPABILITIES, LIVES_FOR_EVER, REGION, REGISTRY, where } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const API_KEY = 'an-api-key-that-nobody-may-see';
const HOUR = 3_600_000;
const { lifetimes, scope } = CAPABILITIES;
/** Whether it has IBM Cloud's regions, none of which an account has whose API key is exchanged elsewhere. */
const IS_IBM = REGISTRY === 'ibm-cloud' || REGISTRY === 'ibm-registry-tokens';

describe('what a RegistryToken asks for can not be had', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  const refusals: {
    what: string;
    account?: Partial<RegistryAccountSpec>;
    spec: RegistryTokenSpec;
    reason: string;
    message: RegExp;
    /** Whether it can be asked of the registry; without it, of each. */
    applies?: boolean;
  }[] = [
    {
      what: 'an unknown account',
      spec: { accountRef: { name: 'nobody' } },
      reason: 'AccountNotFound',
      message: /RegistryAccount nobody does not exist; create it/,
    },
    {
      what: 'an unknown region',
      spec: { region: 'atlantis' },
      reason: 'RegionUnknown',
      message: new RegExp(`no region atlantis; it has .*${REGION}`),
      applies: REGION !== undefined,
    },
    {
      what: "a region of IBM Cloud's from an account whose API key is exchanged elsewhere",
      spec: { region: 'eu-de' },
      reason: 'RegionUnknown',
      message: /no region eu-de; it has us-south$/,
      applies: IS_IBM,
    },
    {
      what: 'the alias of a built-in region from such an account',
      spec: { region: 'us-east' },
      reason: 'RegionUnknown',
      message: /no region us-east; it has us-south$/,
      applies: IS_IBM,
    },
    {
      what: "access above the account's limit",
      account: { limits: { maxAccess: 'ReadOnly' } },
      spec: { access: 'ReadWrite' },
      reason: 'AccessNotAllowed',
      message: /allows at most ReadOnly; spec.access asks for ReadWrite/,
    },
    {
      what: 'a token that never expires where the account forbids it',
      account: { limits: { allowNeverExpiring: false } },
      spec: { lifetime: 'Never' },
      reason: 'LifetimeNotAllowed',
      message: /does not allow tokens that never expire/,
      applies: LIVES_FOR_EVER,
    },
    {
      what: "a lifetime above the account's limit",
      account: { limits: { maxLifetime: '12h' } },
      spec: { lifetime: '24h' },
      reason: 'LifetimeNotAllowed',
      message: /allows at most 12h; spec.lifetime asks for 24h/,
      applies: lifetimes.kind === 'range' && lifetimes.minimum < 12 * HOUR,
    },
    {
      what: "a lifetime that the registry rounds up above the account's limit",
      account: { limits: { maxLifetime: '36h' } },
      spec: { lifetime: '30h' },
      reason: 'LifetimeNotAllowed',
      message: /allows at most 36h, and a token for 30h lives 48h; spec.lifetime asks for 30h/,
      applies:
        lifetimes.kind === 'range' && lifetimes.minimum === 24 * HOUR && lifetimes.maximum !== 24 * HOUR,
    },
    {
      what: 'any lifetime where the account allows none that the registry has',
      account: { limits: { maxLifetime: '12h' } },
      spec: { lifetime: '6h' },
      reason: 'LifetimeNotAllowed',
      message:
        /allows no lifetime that .* offers \(24h.*\); an administrator has to raise its limits.maxLifetime/,
      applies: lifetimes.kind === 'range' && lifetimes.minimum === 24 * HOUR,
    },
    {
      what: 'a repository where a scope names what repositories are in',
      spec: { scope: ['team/app'] },
      reason: 'ScopeNotOffered',
      message: /without host and repository; write team for team\/app in spec.scope/,
      applies: scope?.covers === 'namespace',
    },
    {
      what: 'a scope from a registry whose tokens have none',
      spec: { scope: ['team'] },
      reason: 'ScopeNotOffered',
      message: /tokens of this account of IBM registry tokens are for all of it; leave out spec.scope/,
      applies: scope === undefined,
    },
    {
      what: "no scope where the account's limits name some",
      account: { limits: { scopes: ['team-*'] } },
      spec: {},
      reason: 'ScopeNotAllowed',
      message: /allows team-\*, but its tokens can't be limited/,
      applies: scope === undefined,
    },
    {
      what: 'a lifetime that the registry does not offer',
      spec: { lifetime: '25h' },
      reason: 'LifetimeNotOffered',
      message: /has tokens for at most 24h; spec.lifetime asks for 25h/,
      applies: lifetimes.kind === 'range' && lifetimes.maximum === 24 * HOUR,
    },
    {
      what: 'an account that is not for this namespace',
      account: { namespaceSelector: { matchLabels: { pull: 'yes' } } },
      spec: {},
      reason: 'NamespaceNotAllowed',
      message: /namespaceSelector does not match/,
    },
  ];
  for (const { what, account, spec, reason, message, applies = true } of refusals) {
    where(applies).it(`${what}: ${reason}, and nothing is created`, async () => {
      let accountRef = spec.accountRef;
      if (account) {
        accountRef = { name: world.uniqueName('account') };
        await world.createAccount(accountRef.name ?? '', account);
      }
      const name = await world.createToken(namespace, { ...spec, ...(accountRef && { accountRef }) });
      const { status, metadata } = await world.whenReady(name, { status: 'False', reason });
      const [ready, obstacle] = status?.conditions ?? [];
      expect(obstacle?.type).to.equal(isStalled(reason) ? 'Stalled' : 'Reconciling');
      expect(obstacle?.message).to.match(message);
      expect(ready?.message).to.equal(obstacle?.message);
      expect(await world.exists(world.secret(name))).to.equal(false);
      expect(world.tokensOf(metadata.uid)).to.deep.equal([]);
    });
  }

  it('becomes possible: the namespace gets the label, the account the region', async () => {
    const account = world.uniqueName('account');
    await world.createAccount(account, { namespaceSelector: { matchLabels: { pull: 'yes' } } });
    const name = await world.createToken(namespace, { accountRef: { name: account } });
    await world.whenReady(name, { reason: 'NamespaceNotAllowed' });
    await world.client.mergePatch(NAMESPACES, { name: namespace }, { metadata: { labels: { pull: 'yes' } } });
    await world.whenReady(name);
  });

  for (const [what, spec, message] of [
    ['a lifetime that is no duration', { lifetime: '1 day' }, /spec.lifetime/],
    ['a lifetime of nothing', { lifetime: '' }, /spec.lifetime/],
    ['an access that there is not', { access: 'Everything' }, /spec.access/],
    ['a grace period below zero', { rotation: { gracePeriod: '-1h' } }, /spec.rotation.gracePeriod/],
    ['a description that looks like a tag', { description: '[x]' }, /spec.description/],
    [
      'a pattern of hosts that leaves the domain open',
      { secret: { extraHosts: ['*.test'] } },
      /spec.secret.extraHosts/,
    ],
    ['a host with a path', { secret: { extraHosts: ['x.test/team'] } }, /spec.secret.extraHosts/],
  ] as const) {
    it(`${what}: the API server refuses it, naming the field`, async () => {
      const error = await world
        .createToken(namespace, spec as RegistryTokenSpec)
        .catch((each: unknown) => each);
      expect(error).to.be.instanceOf(KubeError);
      expect((error as KubeError).status).to.equal(422);
      expect((error as KubeError).message).to.match(message);
    });
  }

  for (const [what, spec, message] of [
    [
      'renewBefore longer than the lifetime',
      { lifetime: '24h', rotation: { renewBefore: '25h' } },
      /renewBefore must be shorter/,
    ],
    [
      'renewBefore for a token that never expires',
      { lifetime: 'Never', rotation: { renewBefore: '1h' } },
      /renewBefore needs a token that expires/,
    ],
    [
      'rotateEvery for a token that expires',
      { rotation: { rotateEvery: '1h' } },
      /rotateEvery is for lifetime Never/,
    ],
    ['a lifetime of seconds', { lifetime: '5s' }, /lifetime/],
  ] as const) {
    it(`${what}: refused by CEL where the API server has it, else InvalidSpec`, async () => {
      const outcome = await world
        .createToken(namespace, spec as RegistryTokenSpec)
        .catch((each: unknown) => each as KubeError);
      if (outcome instanceof KubeError) {
        expect(outcome.status).to.equal(422);
        expect(outcome.message).to.match(message);
        return;
      }
      const { status } = await world.whenReady(outcome, { status: 'False', reason: 'InvalidSpec' });
      expect(status?.conditions?.find(({ type }) => type === 'Stalled')?.message).to.match(message);
    });
  }

  it('the namespace is being deleted: nothing is created in it', async () => {
    const doomed = await world.createNamespace();
    const account = world.uniqueName('account');
    const name = await world.createToken(doomed, { accountRef: { name: account } });
    await world.whenReady(name, { reason: 'AccountNotFound' });
    await world.client.mergePatch(
      NAMESPACES,
      { name: doomed },
      { metadata: { finalizers: ['test.dev/hold'] } },
    );
    await world.client.delete(NAMESPACES, { name: doomed });
    await world.createAccount(account);
    const outcome = await world.eventually('it is refused, or gone', async () => {
      if (!(await world.exists(world.token(name)))) return { value: 'gone' };
      const { status } = await world.token(name);
      const reason = status?.conditions?.[0]?.reason;
      return reason === 'NamespaceTerminating' ? { value: reason } : { seen: String(reason) };
    });
    expect(outcome).to.be.oneOf(['gone', 'NamespaceTerminating']);
    await world.client.mergePatch(NAMESPACES, { name: doomed }, { metadata: { finalizers: null } });
  });
});

async function whenAccount(world: World, name: string, reason: string): Promise<{ message: string }> {
  return world.eventually(`account ${name} says ${reason}`, async () => {
    const { status } = await world.account(name);
    const [ready] = status?.conditions ?? [];
    return ready?.reason === reason ? { value: ready } : { seen: JSON.stringify(ready) };
  });
}

describe('credentials of an account', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  it('missing, then without a key, then wrong, then right: said each time, and used at once', async () => {
    const secret = world.uniqueName('credentials');
    const account = world.uniqueName('account');
    await world.createAccount(account, { credentialsSecretRef: { name: secret } });
    const name = await world.createToken(namespace, { accountRef: { name: account } });

    expect((await whenAccount(world, account, 'CredentialsNotFound')).message).to.match(
      /create it: .* needs the key/,
    );
    const { status } = await world.whenReady(name, { status: 'False', reason: 'AccountNotReady' });
    expect(status?.conditions?.[0]?.message).to.include(secret);

    await world.setCredentials(secret, { unrelated: 'wrong-field' });
    expect((await whenAccount(world, account, 'CredentialsInvalid')).message).to.match(
      /is not complete: .* needs the key/,
    );

    const wrong = Object.keys(world.prepared.credentials).map((key) => [key, 'one-that-is-not-known']);
    await world.setCredentials(secret, Object.fromEntries(wrong) as Record<string, string>);
    await whenAccount(world, account, 'RegistryUnauthorized');
    await world.whenReady(name, { status: 'False', reason: 'AccountNotReady' });

    await world.setCredentials(secret);
    await whenAccount(world, account, 'CredentialsAccepted');
    await world.whenReady(name);
    const { provider } = (await world.account(account)).status ?? {};
    expect(provider).to.deep.equal((await world.account('default')).status?.provider);
    expect(provider?.identity).to.be.a('string');
  });
});

describe('the API key of an account of IBM registry tokens', () => {
  let world: World;
  let namespace: string;
  let service: TokenService;
  before(async () => {
    service = new TokenService({
      clock: systemClock,
      apiKeys: [{ key: API_KEY, accountId: 'account-1' }],
    });
    const prepared = REGISTRIES['ibm-registry-tokens'].prepare(systemClock);
    world = await World.start({ prepared: { ...prepared, fake: service, credentials: { apikey: API_KEY } } });
    world.startOperator();
    namespace = await world.createNamespace();
  });
  after(() => world.close());

  /** An account with credentials of its own, and a RegistryToken that has a token from it. */
  async function issued(
    key: string,
  ): Promise<{ secret: string; account: string; name: ObjectName; id: string }> {
    const secret = world.uniqueName('credentials');
    const account = world.uniqueName('account');
    await world.setCredentials(secret, { apikey: key });
    await world.createAccount(account, { credentialsSecretRef: { name: secret } });
    const name = await world.createToken(namespace, { accountRef: { name: account } });
    const { status } = await world.whenReady(name);
    return { secret, account, name, id: status?.token?.id ?? '' };
  }
  /** A new API key of a registry account. */
  function aKey(accountId: string): string {
    const key = world.uniqueName('an-api-key-that-nobody-may-see');
    registerSecret(key);
    service.addApiKey({ key, accountId });
    return key;
  }

  it('changed, and the former key deleted: nothing is created for it, and what the former created is revoked', async () => {
    const former = aKey('account-1');
    const { secret, account, name, id } = await issued(former);
    service.deleteApiKey(former);
    await world.setCredentials(secret, { apikey: aKey('account-1') });
    await world
      .createToken(namespace, { accountRef: { name: account } })
      .then((other) => world.whenReady(other));
    expect((await world.token(name)).status?.token?.id).to.equal(id);
    await world.deleteToken(name);
    await world.eventually('its token is revoked', () =>
      Promise.resolve(world.isAlive(id) ? { seen: 'alive' } : { value: true }),
    );
  });

  it('of another registry account: refused, so that its tokens do not count as gone where they are not', async () => {
    const { secret, account, name, id } = await issued(API_KEY);
    await world.setCredentials(secret, { apikey: aKey('account-2') });
    expect((await whenAccount(world, account, 'CredentialsInvalid')).message).to.equal(
      'the credentials belong to account account-2, but there are tokens of account account-1; put credentials of that account there, or set spec.ibmRegistryTokens.accountId to account-2 to give those tokens up',
    );
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
    await world.eventually('a rotation waits', async () => {
      const { conditions } = (await world.token(name)).status ?? {};
      const found = conditions?.find(({ reason }) => reason === 'AccountNotReady');
      return found ? { value: found } : { seen: JSON.stringify(conditions) };
    });
    await world.setCredentials(secret);
    await world.eventually('it is rotated', async () => {
      const { lastHandledRotate } = (await world.token(name)).status ?? {};
      return lastHandledRotate === 'now' ? { value: true } : { seen: String(lastHandledRotate) };
    });
    await world.deleteToken(name);
    await world.eventually('both are revoked', () =>
      Promise.resolve(world.isAlive(id) ? { seen: 'alive' } : { value: true }),
    );
  });
});
