import { expect } from 'chai';
import type { ObjectName } from '../../src/common/objects.ts';
import { LEASES, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { minted } from '../support/tested-registry.ts';
import { CREDENTIALS, World } from '../support/world.ts';

const TOKENS_EACH = 5;
/** Besides the ServiceAccount there. */
const SERVICE_ACCOUNT = 'builder';

/** A release of the operator for a namespace of its own. */
interface Shard {
  namespace: string;
  /** Where the operator is. */
  home: string;
  tokens: ObjectName[];
  operator: OperatorProcess;
}

minted.describe(
  'two operators, each for namespaces of its own, with one account and one cluster id',
  function () {
    this.timeout(150_000);
    let world: World;
    const shards: Shard[] = [];

    before(async () => {
      world = await World.start();
    });
    after(async () => {
      await Promise.all(shards.map(({ operator }) => operator.kill()));
      await world.close();
    });

    const start = async (): Promise<Shard> => {
      const [home, namespace] = [
        await world.createNamespace(world.uniqueName('operator')),
        await world.createNamespace(),
      ];
      await world.setCredentials(CREDENTIALS, world.prepared.credentials, home);
      await world.createServiceAccount({ namespace, name: SERVICE_ACCOUNT });
      const operator = await OperatorProcess.start({
        kubeconfig: world.apiServer.kubeconfig,
        flags: [
          `--operator-namespace=${home}`,
          `--watch-namespaces=${namespace}`,
          '--revocation-deadline=1s',
        ],
      });
      const tokens = await Promise.all(
        Array.from({ length: TOKENS_EACH }, () =>
          world.createToken(namespace, { serviceAccounts: [SERVICE_ACCOUNT] }),
        ),
      );
      const shard = { namespace, home, tokens, operator };
      shards.push(shard);
      await Promise.all(tokens.map((name) => world.whenReady(name, { status: 'True' }, 60_000)));
      return shard;
    };
    const idOf = async (name: ObjectName): Promise<string> =>
      (await world.token(name)).status?.token?.id ?? 'none';
    const alive = (): string[] => world.registry.tokens().map(({ id }) => id);

    it('issue one token for each RegistryToken, and lead by leases of their own', async () => {
      const first = await start();
      // Its first sweep finds the tokens of the first.
      const second = await start();
      for (const { home, tokens, namespace } of [first, second]) {
        const lease = await world.client.get(LEASES, { namespace: home, name: 'registry-token-operator' });
        expect(lease.metadata.namespace).to.equal(home);
        for (const name of tokens) expect((await world.token(name)).status?.token?.revision).to.equal(1);
        const account = await world.eventually('its ServiceAccount has the pull secrets', async () => {
          const found = await world.client.get<ServiceAccount>(SERVICE_ACCOUNTS, {
            namespace,
            name: SERVICE_ACCOUNT,
          });
          const count = found.imagePullSecrets?.length;
          return count === TOKENS_EACH ? { value: found } : { seen: `${count}` };
        });
        expect(account.imagePullSecrets).to.have.deep.members(tokens.map(({ name }) => ({ name })));
      }
      const ids = await Promise.all([...first.tokens, ...second.tokens].map(idOf));
      expect(alive()).to.have.members(ids);
    });

    it("revoke what their own RegistryTokens left behind, and none of the other's tokens", async () => {
      for (const shard of shards) {
        const [name = { name: '' }, ...rest] = shard.tokens;
        const left = await idOf(name);
        for (const operation of ['revoke', 'list'] as const)
          world.registry.faults.add({ operation, kind: 'status', status: 503 });
        await world.deleteToken(name);
        await world.whenGone(name);
        expect(alive()).to.include(left);
        world.registry.faults.clear();
        await world.eventually('the sweep revokes what it left', () =>
          Promise.resolve(alive().includes(left) ? { seen: 'it lives' } : { value: true }),
        );
        shard.tokens = rest;
      }
      const ids = await Promise.all(shards.flatMap(({ tokens }) => tokens.map(idOf)));
      expect(alive()).to.have.members(ids);
      for (const { operator } of shards) {
        const revoked = operator.log.filter(({ msg }) => msg === 'orphan token revoked');
        expect(revoked).to.have.length(1);
      }
    });

    it('leave the RegistryTokens, Secrets and tokens of one that stops as they are', async () => {
      const [first, second] = shards;
      if (!first || !second) return expect.fail('the tests before have begun none');
      const versions = (): Promise<string[]> =>
        Promise.all(
          first.tokens
            .flatMap((name) => [world.token(name), world.secret(name)])
            .map(async (object) => {
              return (await object).metadata.resourceVersion;
            }),
        );
      await first.operator.kill();
      const before = await versions();
      const name = await world.createToken(second.namespace);
      await world.whenReady(name);
      second.tokens.push(name);
      await world.deleteToken(second.tokens[0] ?? { name: '' });
      const [, ...kept] = second.tokens;
      const ids = await Promise.all([...first.tokens, ...kept].map(idOf));
      await world.eventually('the token of the deleted RegistryToken is revoked', () =>
        Promise.resolve(alive().length === ids.length ? { value: true } : { seen: `${alive().length} live` }),
      );
      expect(alive()).to.have.members(ids);
      expect(await versions()).to.deep.equal(before);
    });
  },
);
