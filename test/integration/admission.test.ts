import { expect } from 'chai';
import { REGISTRIES } from '../../sandbox/registries/registries.ts';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import { InvalidSpec, readTokenSpec } from '../../src/api/registry-token.ts';
import { systemClock } from '../../src/common/clock.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import {
  REFUSED_ACCOUNTS,
  REFUSED_TOKENS,
  TAKEN_ACCOUNTS,
  TAKEN_TOKENS,
  type Refusal,
} from '../support/admission.ts';
import { aToken } from '../support/builders.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { HOST, type World } from '../support/world.ts';

const IBM_REGISTRY_TOKENS = REGISTRIES['ibm-registry-tokens']
  .prepare(systemClock)
  .account('http://127.0.0.1:1', HOST);

describe('the API server tells people what is wrong with a spec', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  /** @param spec what it says besides that it is one of IBM registry tokens */
  const createAccount = (name: string, spec: Partial<RegistryAccountSpec>): Promise<void> =>
    world.createAccount(name, { ...IBM_REGISTRY_TOKENS, ...spec });

  async function refused(create: Promise<unknown>, { field, words }: Refusal): Promise<void> {
    const error: unknown = await create.then(
      () => 'it was taken',
      (each: unknown) => each,
    );
    expect(error).to.be.instanceOf(KubeError);
    const { status, message } = error as KubeError;
    expect(status).to.equal(422);
    expect(message).to.include(words).and.not.include('should match').and.not.include('evaluat');
    expect(message).to.include(`spec${field === '' ? '' : '.'}${field}`);
  }

  for (const refusal of REFUSED_TOKENS) {
    it(`${refusal.what}: refused, with words that need no reader of patterns`, () =>
      refused(world.createToken(namespace, refusal.spec), refusal));
  }

  for (const spec of TAKEN_TOKENS) {
    it(`${JSON.stringify(spec)}: taken, here and by the operator`, async () => {
      const name = await world.createToken(namespace, { ...spec, suspend: true });
      readTokenSpec(await world.token(name));
    });
  }

  for (const refusal of REFUSED_ACCOUNTS) {
    it(`${refusal.what}: refused for an account`, () =>
      refused(createAccount(world.uniqueName('refused'), refusal.spec), refusal));
  }

  for (const spec of TAKEN_ACCOUNTS) {
    it(`${JSON.stringify(spec)}: taken for an account`, () => createAccount(world.uniqueName('taken'), spec));
  }

  it('verify: Off, which YAML reads as false, is no way to write it', async () => {
    const spec = { verify: false } as unknown as Partial<RegistryAccountSpec>;
    const error: unknown = await createAccount(world.uniqueName('refused'), spec).catch((e: unknown) => e);
    expect((error as KubeError).message).to.match(/spec\.verify.*must be of type string/);
  });
});

describe('an operator whose API server knows no rules says the same', () => {
  for (const { what, spec, field, words } of REFUSED_TOKENS) {
    it(what, () => {
      expect(() => readTokenSpec(aToken({ spec })))
        .to.throw(InvalidSpec)
        .with.property('message')
        .that.includes(words)
        .and.includes(`spec${field === '' ? '' : '.'}${field}`);
    });
  }
});
