import { expect } from 'chai';
import type { Fault } from '../../sandbox/registries/shared/fault.ts';
import { sharedWorld } from '../support/shared-world.ts';
import {
  HAS_SESSIONS,
  LISTS_AT_ONCE,
  minted,
  REGISTRY,
  SPOILS_TOKENS,
  where,
} from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

const failures: { what: string; fault: Fault; reason: string; message: RegExp; applies?: boolean }[] = [
  {
    what: 'answers 403',
    fault: { operation: 'mint', kind: 'status', status: 403 },
    reason: 'RegistryForbidden',
    message: /403/,
  },
  {
    what: 'answers 410: the API was discontinued',
    fault: { operation: 'mint', kind: 'status', status: 410 },
    reason: 'RegistryDiscontinued',
    message: /410/,
  },
  {
    what: 'answers 422',
    fault: { operation: 'mint', kind: 'status', status: 422 },
    reason: 'RegistryRefused',
    message: /422/,
    // IBM Cloud says so of limits.
    applies: REGISTRY !== 'ibm-cloud',
  },
  {
    what: 'answers 429 with Retry-After',
    fault: { operation: 'mint', kind: 'status', status: 429, retryAfter: 1, times: 1 },
    reason: 'RegistryRateLimited',
    message: /429/,
  },
  {
    what: 'answers 500',
    fault: { operation: 'mint', kind: 'status', status: 500 },
    reason: 'MintUnconfirmed',
    message: /500/,
    applies: LISTS_AT_ONCE,
  },
  {
    what: 'answers with a page of HTML',
    fault: { operation: 'mint', kind: 'html' },
    reason: 'MintUnconfirmed',
    message: /502/,
    applies: LISTS_AT_ONCE,
  },
];

const lost: { what: string; fault: Fault }[] = [
  {
    what: 'the connection drops after the token was created',
    fault: { operation: 'mint', kind: 'drop-after-effect', times: 1 },
  },
  { what: 'the answer is truncated JSON', fault: { operation: 'mint', kind: 'truncated-json', times: 1 } },
  { what: 'the answer is empty', fault: { operation: 'mint', kind: 'empty', times: 1 } },
  ...(SPOILS_TOKENS
    ? [
        {
          what: 'the answer holds a damaged token',
          fault: { operation: 'mint', kind: 'bad-jwt', times: 1 } as const,
        },
      ]
    : []),
];

minted.describe('a registry fails', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });
  afterEach(() => world.registry.faults.clear());

  for (const { what, fault, reason, message, applies = true } of failures) {
    where(applies)
      .it(`it ${what}: ${reason}, with backoff, and nothing is lost once it is well again`, async () => {
        world.registry.faults.add(fault);
        const name = await world.createToken(namespace);
        const { status } = await world.whenReady(name, { status: 'False', reason });
        const types = status?.conditions?.map(({ type }) => type);
        expect(types).to.include('Reconciling');
        expect(status?.conditions?.[0]?.message).to.match(message);
        expect(status?.failedAttempts).to.equal(1);
        expect(status?.nextRetryTime).to.be.a('string');
        expect(await world.exists(world.secret(name))).to.equal(false);
        world.registry.faults.clear();
        // A change of what is asked for does not wait for the backoff.
        await world.patchToken(name, { spec: { description: 'try again' } });
        const after = await world.whenReady(name, { status: 'True' });
        expect(after.status).to.not.have.any.keys('mintIntent', 'failedAttempts', 'nextRetryTime');
        expect(world.tokensOf(after.metadata.uid)).to.have.length(1);
      })
      .timeout(30_000);
  }

  for (const { what, fault } of lost) {
    it(`${what}: the token is found again, or replaced, and there is one`, async () => {
      world.registry.faults.add(fault);
      const name = await world.createToken(namespace);
      const { status, metadata } = await world.whenReady(name);
      expect(world.tokensOf(metadata.uid)).to.deep.equal([status?.token?.id]);
    });
  }

  where(HAS_SESSIONS).it('it answers 401 once: the access token is renewed, nobody notices', async () => {
    world.registry.faults.add({ operation: 'mint', kind: 'status', status: 401, times: 1 });
    const name = await world.createToken(namespace);
    const { status } = await world.whenReady(name);
    expect(status).to.not.have.property('failedAttempts');
  });

  it('it fails while a rotation is wanted: the Secret keeps the token that lives, and stays Ready', async () => {
    const name = await world.createToken(namespace);
    const before = await world.whenReady(name);
    const secret = await world.secret(name);
    world.registry.faults.add({ operation: 'mint', kind: 'status', status: 503 });
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
    const during = await world.eventually('the rotation has failed', async () => {
      const token = await world.token(name);
      return token.status?.failedAttempts === 1 ? { value: token } : { seen: JSON.stringify(token.status) };
    });
    expect(during.status?.token).to.deep.equal(before.status?.token);
    expect(during.status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    expect(during.status?.conditions?.map(({ type }) => type)).to.include('Reconciling');
    expect((await world.secret(name)).metadata.resourceVersion).to.equal(secret.metadata.resourceVersion);
  });

  it('it fails to revoke: the token waits in previousTokens and is revoked later', async () => {
    const name = await world.createToken(namespace, { rotation: { gracePeriod: '0s' } });
    const before = await world.whenReady(name);
    world.registry.faults.add({ operation: 'revoke', kind: 'status', status: 503, times: 1 });
    await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
    const failing = await world.eventually('revoking failed', async () => {
      const { status } = await world.token(name);
      return status?.previousTokens?.[0]?.attempts === 1
        ? { value: status }
        : { seen: JSON.stringify(status) };
    });
    expect(failing.previousTokens?.[0]?.lastError).to.include('503');
    const pending = failing.conditions?.find(({ type }) => type === 'RevocationPending');
    expect(pending?.reason).to.equal('RevocationFailed');
    await world.eventually('it is revoked', async () => {
      const { status } = await world.token(name);
      return status?.previousTokens === undefined ? { value: true } : { seen: JSON.stringify(status) };
    });
    expect(world.isAlive(before.status?.token?.id)).to.equal(false);
  });
});
