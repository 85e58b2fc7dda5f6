import { expect } from 'chai';
import type { PreparedRegistry } from '../../sandbox/registries/registry-kind.ts';
import { REGISTRIES, REGISTRY_NAMES, type RegistryName } from '../../sandbox/registries/registries.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { installAccount } from '../../sandbox/setup.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { providerOf, type Provider } from '../../src/registry/backends.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { runSeed, seededRandom } from '../support/random.ts';
import { registerSecret } from '../support/secrecy.ts';
import { Workload } from '../support/workload.ts';
import { HOST, OPERATOR_NAMESPACE, World } from '../support/world.ts';
import { ExchangeWitness } from './exchange-witness.ts';
import { MintWitness } from './mint-witness.ts';

/** How long it is killed again and again. */
const SECONDS = Number(process.env.CRASH_SECONDS ?? 60);
const SIZE = 30;
const ACCOUNT = 'crashes';
/** A token in doubt is looked for until a list shows it, a minute and more at IBM Cloud; RegistryTokens that failed wait for their backoff. */
const RECOVERY = 180_000;

for (const name of REGISTRY_NAMES) describeCrashes(name);

function describeCrashes(registryName: RegistryName): void {
  describe(`the operator is killed again and again, with ${REGISTRIES[registryName].title}`, function () {
    this.timeout(SECONDS * 1000 + 2 * RECOVERY + 60_000);
    const seed = runSeed();
    const random = seededRandom(seed);
    let world: World;
    let registry: PreparedRegistry;
    let server: Server;
    let provider: Provider;
    let operator: OperatorProcess | undefined;

    before(async () => {
      world = await World.start();
      registry = REGISTRIES[registryName].prepare(clock);
      server = await serve(registry.fake, { port: 0 });
      const options = { name: ACCOUNT, namespace: OPERATOR_NAMESPACE, registry, url: server.url };
      await installAccount(world.client, { ...options, host: HOST }, new AbortController().signal);
      // Its host is nowhere, and IBM Cloud takes several requests for a token.
      const patch = { spec: { verify: 'Never', requestsPerSecond: 1000 } };
      const { spec } = await world.client.mergePatch<RegistryAccount>(
        REGISTRY_ACCOUNTS,
        { name: ACCOUNT },
        patch,
      );
      const named = providerOf(spec);
      if (!named) throw new Error('the account names a registry');
      provider = named;
    });
    after(async () => {
      await operator?.kill();
      for (const value of registry.fake.values()) registerSecret(value);
      await server.close();
      await world.close();
    });

    const start = async (): Promise<OperatorProcess> => {
      const { kubeconfig } = world.apiServer;
      operator = await OperatorProcess.start({ kubeconfig, flags: ['--leader-elect=false'] });
      return operator;
    };

    async function whenReady(victim: OperatorProcess, until: number): Promise<void> {
      while (clock.monotonic() < until && (await victim.readiness())?.status !== 200) await sleep(clock, 50);
    }

    /** Waits for a random moment of its work: some time, or right after the registry did something. */
    async function fatalMoment(until: number): Promise<void> {
      const patience = Math.min(until - clock.monotonic(), 1_500 + random() * 2_000);
      // An exchange serves all, and is never revoked: it does not happen often.
      const isMinted = provider.capabilities.issue === 'minted';
      const event = !isMinted || random() < 0.7 ? 'issued' : 'revoked';
      const count = random() * (isMinted ? 30 : 2);
      const delay = random() * 25;
      if (random() < 0.3) return sleep(clock, patience);
      let seen = 0;
      const struck = Promise.withResolvers<void>();
      const strike = (): void => void (++seen > count && struck.resolve());
      registry.fake.on(event, strike);
      await Promise.race([struck.promise.then(() => sleep(clock, delay)), sleep(clock, patience)]);
      registry.fake.off(event, strike);
    }

    it(`every RegistryToken ends as asked for, with no token too many and nothing left (seed ${seed}, ${SECONDS} s)`, async () => {
      const { issue, readBack } = provider.capabilities;
      const witness =
        issue === 'minted'
          ? new MintWitness(world, registry.fake, readBack)
          : new ExchangeWitness(world, registry);
      const workload = new Workload(world, {
        namespace: await world.createNamespace(),
        size: SIZE,
        random,
        spec: { accountRef: { name: ACCOUNT }, scope: registry.scopes.slice(0, 1).map(({ name }) => name) },
      });
      const until = clock.monotonic() + SECONDS * 1000;
      const users = (async () => {
        while (clock.monotonic() < until) {
          await workload.step();
          await sleep(clock, 20 + random() * 30);
        }
      })();
      let kills = 0;
      while (clock.monotonic() < until) {
        const victim = await start();
        // Now and then while it starts; else at work, however slow the machine is.
        if (random() < 0.85) await whenReady(victim, until);
        await fatalMoment(until);
        expect(victim.running, 'it ended by itself').to.equal(true);
        await victim.kill();
        kills++;
        await witness.killed();
      }
      await users;
      await start();
      const tokens = await witness.whenInOrder(RECOVERY);

      const { created, rotated, changed, deleted } = workload.counts;
      process.stdout.write(
        `      ${kills} kills, ${created} created, ${deleted} deleted, ${rotated + changed} rotations, ${tokens.length} RegistryTokens left, ${witness.figures()}\n`,
      );
      expect(witness.complaints(workload)).to.deep.equal([]);

      for (const { metadata } of tokens)
        await world.deleteToken({ namespace: metadata.namespace ?? '', name: metadata.name });
      await world.eventually(
        'nothing is left',
        async () => {
          const left = await witness.left();
          return left.length === 0 ? { value: true } : { seen: left.join() };
        },
        RECOVERY,
      );
    });
  });
}
