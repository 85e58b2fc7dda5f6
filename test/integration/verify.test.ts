import { expect } from 'chai';
import type { Fault } from '../../sandbox/registries/shared/fault.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { CAPABILITIES, minted, where } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

const ROTATE = 'pullsecrets.dev/rotate';
/** What the service is asked when a login is tried. */
const LOGIN = ['enter', 'auth', 'enter'];
/** Any registry may take half a minute until it accepts what it made. Milliseconds. */
const PATIENCE = 60_000;
/** IBM Cloud's policies may take minutes. */
const IS_PROMPT = CAPABILITIES.settling.acceptance < PATIENCE;
const REFUSAL: Fault = { operation: 'auth', kind: 'status', status: 401 };

const doubts: { what: string; fault: Fault; message: RegExp }[] = [
  { what: 'answers HTML', fault: { operation: 'enter', kind: 'html' }, message: /502 in HTML/ },
  { what: 'does not answer', fault: { operation: 'enter', kind: 'reset' }, message: /could not be asked/ },
  { what: 'is slow', fault: { operation: 'enter', kind: 'slow', milliseconds: 60_000 }, message: /in time/ },
  {
    what: 'gives a challenge without a realm',
    fault: { operation: 'enter', kind: 'status', status: 401 },
    message: /challenge/,
  },
  {
    what: 'has a token endpoint that answers HTML',
    fault: { operation: 'auth', kind: 'html', status: 200 },
    message: /HTML/,
  },
  {
    what: 'has a token endpoint in trouble',
    fault: { operation: 'auth', kind: 'status', status: 503 },
    message: /503/,
  },
  {
    what: 'has a token endpoint that gives half an answer',
    fault: { operation: 'auth', kind: 'truncated-json' },
    message: /without a bearer/,
  },
];

minted.describe('a new token is tried at the registry before the Secret gets it', function () {
  this.timeout(2 * PATIENCE);
  let world: World;
  let namespace: string;
  let asked: string[];
  const note = ({ operation }: { operation: string }): void => void asked.push(operation);

  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });
  beforeEach(() => {
    asked = [];
    world.registry.on('answered', note);
  });
  afterEach(() => {
    world.registry.off('answered', note);
    world.registry.faults.clear();
  });

  const door = (): string[] => asked.filter((operation) => LOGIN.includes(operation));

  /** A RegistryToken of an account of its own, whose registry is the token service. */
  async function createToken(verify: 'Always' | 'Never' = 'Always'): Promise<ObjectName> {
    const account = world.uniqueName('tried');
    await world.createAccount(account, { verify, ...world.registryAt({ host: world.registryHost }) });
    return world.createToken(namespace, { accountRef: { name: account }, rotation: { gracePeriod: '0s' } });
  }

  const rotate = (name: ObjectName): Promise<RegistryToken> =>
    world.patchToken(name, { metadata: { annotations: { [ROTATE]: 'now' } } });

  /** Waits for a condition other than Ready. */
  function whenHeld(name: ObjectName, reason: string, milliseconds?: number): Promise<RegistryToken> {
    const look = async (): Promise<{ value: RegistryToken } | { seen: string }> => {
      const token = await world.token(name);
      const { status } = token;
      const condition = findCondition(status?.conditions, 'Reconciling');
      return condition?.reason === reason ? { value: token } : { seen: JSON.stringify(status) };
    };
    return world.eventually(`Reconciling with ${reason}`, look, milliseconds);
  }

  /** A token that is of no use is revoked once the status has recorded that it is to be. */
  const whenRefused = async (name: ObjectName): Promise<RegistryToken> => {
    await whenHeld(name, 'TokenRefused', PATIENCE);
    return world.eventually('nothing is left to revoke', async () => {
      const token = await world.token(name);
      const { previousTokens } = token.status ?? {};
      return previousTokens ? { seen: JSON.stringify(previousTokens) } : { value: token };
    });
  };

  const ours = ({ metadata }: RegistryToken): string[] => world.tokensOf(metadata.uid);

  it('and accepted: one login for each token, and nothing more', async () => {
    const name = await createToken();
    const { status } = await world.whenReady(name);
    expect(status?.token).to.not.have.property('unverified');
    expect(asked.filter((operation) => operation === 'mint' || LOGIN.includes(operation))).to.deep.equal([
      'mint',
      ...LOGIN,
    ]);
    await rotate(name);
    await world.eventually('it is rotated', async () => {
      const { status: now } = await world.token(name);
      return now?.lastHandledRotate === 'now' && !now.previousTokens ? { value: 1 } : { seen: '' };
    });
    expect(door()).to.deep.equal([...LOGIN, ...LOGIN]);
    expect(await world.eventReasons(name)).to.not.include('Unverified');
  });

  it('and not accepted yet: it is waited for', async () => {
    world.registry.faults.add({ ...REFUSAL, times: 2 });
    const name = await createToken();
    const waiting = await whenHeld(name, 'Verifying');
    expect(findCondition(waiting.status?.conditions, 'Ready')).to.include({
      status: 'False',
      reason: 'Verifying',
    });
    expect(await world.exists(world.secret(name))).to.equal(false);
    const ready = await world.whenReady(name);
    expect(ready.status).to.not.have.any.keys('mintIntent', 'failedAttempts', 'nextRetryTime');
    expect(ours(ready)).to.deep.equal([ready.status?.token?.id]);
    expect(door()).to.deep.equal(['enter', 'auth', 'enter', 'auth', ...LOGIN]);
  });

  where(IS_PROMPT).it(
    'and refused for good: it is revoked, the Secret never sees it, and another is tried later',
    async () => {
      world.registry.faults.add(REFUSAL);
      const name = await createToken();
      await whenHeld(name, 'Verifying');
      const stalled = await whenRefused(name);
      expect(findCondition(stalled.status?.conditions, 'Ready')?.message).to.match(/answered 401/);
      expect(stalled.status).to.include({ failedAttempts: 1 });
      expect(stalled.status?.reason).to.equal('TokenRefused');
      expect(ours(stalled)).to.deep.equal([]);
      expect(await world.exists(world.secret(name))).to.equal(false);
      expect(await world.eventReasons(name))
        .to.include('TokenRefused')
        .and.include('Revoked');

      world.registry.faults.clear();
      await world.patchToken(name, { spec: { description: 'try again' } });
      const ready = await world.whenReady(name);
      expect(ready.status?.token?.revision).to.equal(2);
      expect(ours(ready)).to.deep.equal([ready.status?.token?.id]);
    },
  );

  where(IS_PROMPT).it('and refused in a rotation: the predecessor stays in the Secret, alive', async () => {
    const name = await createToken();
    const before = await world.whenReady(name);
    const { metadata } = await world.secret(name);
    world.registry.faults.add(REFUSAL);
    await rotate(name);
    const waiting = await whenHeld(name, 'Verifying');
    expect(findCondition(waiting.status?.conditions, 'Ready')?.status).to.equal('True');
    const stalled = await whenRefused(name);
    expect(findCondition(stalled.status?.conditions, 'Ready')?.status).to.equal('True');
    expect(stalled.status?.token).to.deep.equal(before.status?.token);
    expect(ours(stalled)).to.deep.equal([before.status?.token?.id]);
    expect((await world.secret(name)).metadata.resourceVersion).to.equal(metadata.resourceVersion);
  });

  it('and the operator ends meanwhile: the next one adopts or replaces the token, tries it, and uses it', async () => {
    world.registry.faults.add(REFUSAL);
    const name = await createToken();
    await whenHeld(name, 'Verifying');
    await world.stopOperator();
    world.registry.faults.clear();
    asked = [];
    world.startOperator();
    const ready = await world.whenReady(name);
    expect(ready.status?.token?.revision).to.equal(CAPABILITIES.readBack ? 1 : 2);
    expect(ours(ready)).to.deep.equal([ready.status?.token?.id]);
    // Others may be tried again too, as the operator starts.
    expect(door()).to.include.members(LOGIN);
  });

  where(CAPABILITIES.readBack).it(
    'and the operator ends meanwhile, and the registry with it: what was refused is not used for that',
    async () => {
      world.registry.faults.add(REFUSAL);
      const name = await createToken();
      await whenHeld(name, 'Verifying');
      await world.stopOperator();
      world.registry.faults.clear();
      world.registry.faults.add({ operation: 'enter', kind: 'reset' });
      asked = [];
      world.startOperator();
      await world.eventually('the registry is asked again', async () =>
        door().length > 0 ? { value: true } : { seen: 'it is not' },
      );
      await whenHeld(name, 'Verifying');
      expect(await world.exists(world.secret(name))).to.equal(false);
      world.registry.faults.clear();
      const ready = await world.whenReady(name);
      expect(ready.status?.token).to.include({ revision: 1 }).and.not.have.property('unverified');
    },
  );

  it('and the Secret can not be written after that: the token is adopted and not tried again, there is no second', async function () {
    const { embedded } = world.apiServer;
    if (!embedded) this.skip();
    const match = { method: 'PATCH', path: new RegExp(`/namespaces/${namespace}/secrets/`) };
    embedded.faults.add({ kind: 'status', code: 500, match, times: 2 });
    const name = await createToken();
    const ready = await world.whenReady(name);
    expect(ready.status?.token?.revision).to.equal(1);
    expect(ours(ready)).to.deep.equal([ready.status?.token?.id]);
    expect(asked.filter((operation) => operation === 'mint')).to.have.length(1);
    expect(door()).to.deep.equal(LOGIN);
  });

  for (const { what, fault, message } of doubts) {
    it(`but the registry ${what}: nothing is held up, and it is said once`, async () => {
      world.registry.faults.add(fault);
      const name = await createToken();
      const { status } = await world.whenReady(name);
      expect(status?.token?.unverified).to.match(message);
      expect(status?.reason).to.equal('Unverified');
      expect(findCondition(status?.conditions, 'Ready')?.message).to.match(/accepts it is not known/);
      const events = await world.eventually('the event is there', async () => {
        const reasons = await world.eventReasons(name);
        return reasons.includes('Unverified') ? { value: reasons } : { seen: String(reasons) };
      });
      expect(events.filter((reason) => reason === 'Unverified')).to.have.length(1);
      world.registry.faults.clear();
      await rotate(name);
      const rotated = await world.eventually('it is rotated', async () => {
        const token = await world.token(name);
        return token.status?.lastHandledRotate === 'now' ? { value: token } : { seen: '' };
      });
      expect(rotated.status?.token).to.not.have.property('unverified');
      expect(rotated.status?.reason).to.not.equal('Unverified');
    });
  }

  it('and waits, but its account comes to say not to: it is used at once', async () => {
    world.registry.faults.add(REFUSAL);
    const name = await createToken();
    const { spec } = await whenHeld(name, 'Verifying');
    asked = [];
    await world.eventually('it is tried again', async () =>
      asked.includes('auth') ? { value: true } : { seen: String(asked) },
    );
    const account = { name: spec.accountRef?.name ?? '' };
    await world.client.mergePatch(REGISTRY_ACCOUNTS, account, { spec: { verify: 'Never' } });
    await world.whenReady(name, { status: 'True' }, 10_000);
  });

  it('unless the account says not to', async () => {
    const name = await createToken('Never');
    const { status } = await world.whenReady(name);
    expect(status?.token).to.not.have.property('unverified');
    expect(door()).to.deep.equal([]);
  });
});
