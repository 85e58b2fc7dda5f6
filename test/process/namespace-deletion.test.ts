import { expect } from 'chai';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { NAMESPACES, SECRETS } from '../../src/kube/client/resources.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { ProxiedWorld } from '../support/proxied-world.ts';
import { CREDENTIALS, OPERATOR_NAMESPACE } from '../support/world.ts';

/** Many more than there are workers. */
const COUNT = 40;
const DEADLINE = 30_000;
/** For the first tokens, the process's start included. */
const ISSUE = 60_000;
/** The circuit breaker's longest pause, and then the sweep's own wait. */
const RECOVERY = 90_000;

describe('a namespace is deleted while the registry is down', function () {
  this.timeout(ISSUE + DEADLINE + RECOVERY + 20_000);
  let there: ProxiedWorld;
  let operator: OperatorProcess;

  before(async () => {
    there = await ProxiedWorld.start();
  });
  beforeEach(() => start());
  afterEach(async () => {
    await there.heal();
    await operator.kill();
  });
  after(() => there.close());

  const start = async (): Promise<void> => {
    operator = await OperatorProcess.start({ kubeconfig: there.kubeconfig, flags: ['--leader-elect=false'] });
  };

  const restart = async (): Promise<void> => {
    await operator.kill();
    await start();
  };
  const refuses = (): Promise<void> => there.registry.refuse();
  const hangs = async (): Promise<void> => there.registry.add({ kind: 'black-hole' });
  const nothing = (): Promise<void> => Promise.resolve();
  const credentials = { namespace: OPERATOR_NAMESPACE, name: CREDENTIALS };
  const losesCredentials = async (): Promise<void> => {
    await there.world.client.delete(SECRETS, credentials);
    await refuses();
  };
  const credentialsReturn = (): Promise<void> => there.world.setCredentials(CREDENTIALS);
  let account: RegistryAccount;
  const losesAccount = async (): Promise<void> => {
    account = await there.world.account('default');
    await there.world.client.delete(REGISTRY_ACCOUNTS, { name: 'default' });
    await refuses();
  };
  const accountReturns = (): Promise<void> => there.world.createAccount('default', account.spec);

  for (const { how, strike, what, meanwhile } of [
    { how: 'refuses connections', strike: refuses, what: 'is back', meanwhile: nothing },
    { how: 'does not answer', strike: hangs, what: 'is back', meanwhile: nothing },
    {
      how: 'refuses connections',
      strike: refuses,
      what: 'is back, the operator killed and started in between',
      meanwhile: restart,
    },
    {
      how: 'refuses connections and the credentials are gone',
      strike: losesCredentials,
      what: 'and they are back',
      meanwhile: credentialsReturn,
    },
    {
      how: 'refuses connections and the account is gone',
      strike: losesAccount,
      what: 'and the account are back',
      meanwhile: accountReturns,
    },
  ]) {
    it(`the registry ${how}: it is gone within ${DEADLINE / 1000} s, and its tokens are revoked once the registry ${what}`, async () => {
      const { world } = there;
      const namespace = await world.createNamespace();
      const names = await Promise.all(Array.from({ length: COUNT }, () => world.createToken(namespace)));
      for (const name of names) await world.whenReady(name, { status: 'True' }, ISSUE);
      expect(world.registry.tokens()).to.have.length(COUNT);

      await strike();
      const deleted = clock.monotonic();
      await world.client.delete(NAMESPACES, { name: namespace });
      let released: number | undefined;
      await world.eventually(
        'the namespace is gone',
        async () => {
          const { items } = await world.client.list(REGISTRY_TOKENS, { namespace });
          if (items.length === 0) released ??= clock.monotonic();
          return (await world.exists(world.client.get(NAMESPACES, { name: namespace })))
            ? { seen: `still there, with ${items.length} RegistryTokens` }
            : { value: true };
        },
        DEADLINE,
      );
      const gone = clock.monotonic();
      released ??= gone;
      expect(world.registry.tokens()).to.have.length(COUNT);

      await meanwhile();
      const back = clock.monotonic();
      await there.heal();
      await world.eventually(
        'its tokens are revoked',
        () => {
          const { length } = world.registry.tokens();
          return Promise.resolve(length === 0 ? { value: true } : { seen: `${length} alive` });
        },
        RECOVERY,
      );
      const seconds = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`;
      process.stdout.write(
        `      gone after ${seconds(deleted, gone)}, its RegistryTokens after ${seconds(deleted, released)}; tokens revoked ${seconds(back, clock.monotonic())} after the registry was back\n`,
      );
    });
  }
});
