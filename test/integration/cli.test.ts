import { expect } from 'chai';
import { run } from '../../src/cli/program.ts';
import type { StatusReport } from '../../src/cli/status/report.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { recordOutput } from '../support/secrecy.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { minted } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

// As a program of its own, and on a real API server: test/cli.
minted.describe('the kubectl plugin with the operator', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    namespace = await world.createNamespace();
  });

  const plugin = async (...argv: string[]): Promise<string> => {
    let [out, err] = ['', ''];
    const write = (text: string): void => void (out += text);
    const tell = (text: string): void => void (err += text);
    const cluster = { client: world.client, namespace, close: async () => undefined };
    const exit = await run(argv, {
      terminal: { write, tell, colour: false, live: false },
      clock,
      signal: new AbortController().signal,
      variables: {},
      version: 'test',
      connect: () => cluster,
    });
    recordOutput(out, 'plugin');
    expect(exit, err).to.equal(0);
    return out;
  };
  const report = async (): Promise<StatusReport> =>
    JSON.parse(await plugin('status', 'app-pull', '-o', 'json')) as StatusReport;

  it('creates a RegistryToken, shows how it is, and rotates it so that the previous token is dead', async () => {
    await plugin('create', 'app-pull', '--wait');
    const before = await report();
    expect(before).to.have.nested.property('secret.state.value.state', 'Current');
    expect(await plugin('why', 'app-pull')).to.match(/: nothing is in the way\n$/);
    await plugin('rotate', 'app-pull', '--revoke-now');
    expect(world.isAlive(before.token?.id)).to.equal(false);
    const after = await report();
    expect(after).to.have.nested.property('secret.state.value.state', 'Current');
    expect(after.token?.revision).to.equal(2);
    const { spec } = await world.token({ namespace, name: 'app-pull' });
    expect(spec).to.not.have.nested.property('rotation.gracePeriod');
  });
});
