import { expect } from 'chai';
import { findCondition } from '../../src/api/conditions.ts';
import type { RegistryTokenStatus } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { World } from '../support/world.ts';

const MANY = 40;
const WORKERS = 4;
const LONG_AGO = '2026-01-01T00:00:00Z';

describe('many tokens that expired while the operator did not run', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  it('all say so before the first is replaced, then all are', async () => {
    const namespace = await world.createNamespace();
    const settings = { workers: WORKERS };
    world.startOperator(settings);
    const names = await Promise.all(Array.from({ length: MANY }, () => world.createToken(namespace)));
    await Promise.all(names.map((name) => world.whenReady(name)));
    await world.stopOperator();
    const expire = (name: ObjectName): Promise<unknown> =>
      world.client.mergePatch(
        REGISTRY_TOKENS,
        name,
        { status: { token: { issuedAt: LONG_AGO, expiresAt: LONG_AGO } } },
        { subresource: 'status' },
      );
    await Promise.all(names.map(expire));

    const told = new Set<string>();
    let toldBeforeMint: number | undefined;
    world.intercept = (call, pass) => {
      if (call.method === 'PATCH' && call.path.endsWith('/status')) {
        for (const status of statusesIn(call.body)) {
          const ready = findCondition(status.conditions, 'Ready');
          if (ready?.status === 'False' && ready.reason === 'Rotating') told.add(call.path);
        }
      }
      return pass();
    };
    const note = ({ operation }: { operation: string }): void => {
      if (operation === 'mint') toldBeforeMint ??= told.size;
    };
    world.registry.on('answered', note);
    world.startOperator(settings);
    for (const name of names)
      await world.eventually(`${name.name} has another token`, async () => {
        const { status } = await world.token(name);
        const ready = findCondition(status?.conditions, 'Ready');
        return status?.token?.revision === 2 && ready?.status === 'True'
          ? { value: true }
          : { seen: JSON.stringify(status) };
      });
    world.registry.off('answered', note);
    // What the other workers have in hand at that moment may not have been written yet.
    expect(toldBeforeMint).to.be.at.least(MANY - WORKERS);
    expect(told.size).to.equal(MANY);
  });
});

/** The statuses that a JSON patch writes. */
function statusesIn(body: unknown): RegistryTokenStatus[] {
  const operations = Array.isArray(body) ? (body as { path: string; value?: RegistryTokenStatus }[]) : [];
  return operations.flatMap(({ path, value }) => (path === '/status' && value ? [value] : []));
}
