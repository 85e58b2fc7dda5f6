/** The bundle, with the image's flags and the chart's limit of memory, among what tenants and registries may do to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MANAGED_BY_LABEL, OPERATOR, OWNER_UID_LABEL } from '../../src/api/names.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { imageCommand } from '../support/image-command.ts';
import { limitMemory, peakMemory, type MemoryLimit } from '../support/memory-limit.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { CREDENTIALS, OPERATOR_NAMESPACE, World } from '../support/world.ts';

/** The chart's limit, in bytes. */
const LIMIT = 256 * 2 ** 20;
const KIB = 1024;
/** Objects written at the same time by those who attack. */
const AT_ONCE = 8;
const PATIENCE = 600_000;

const tell = (line: string): void => void process.stdout.write(`      ${line}\n`);
const junk = (bytes: number): string => 'x'.repeat(bytes);

describe('the memory of the operator', function () {
  this.timeout(2 * PATIENCE);
  let folder: string;
  let limit: MemoryLimit;
  let command: readonly string[];
  let world: World;
  let operator: OperatorProcess | undefined;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    limit = await limitMemory(LIMIT);
    tell(`limited by ${limit.kind}`);
    command = limit.wrap(await imageCommand(folder));
  });
  beforeEach(async () => {
    world = await World.start();
  });
  afterEach(async () => {
    await operator?.kill();
    operator = undefined;
    await world.close();
  });
  after(async () => {
    await limit.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<OperatorProcess> => {
    const { kubeconfig } = world.apiServer;
    operator = await OperatorProcess.start({ kubeconfig, command });
    return operator;
  };
  const times = async (count: number, act: (n: number) => Promise<unknown>): Promise<void> => {
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < count) await act(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  };
  const createToken = (namespace: string, n: number, annotation: number): Promise<unknown> =>
    world.client.create(REGISTRY_TOKENS, {
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryToken',
      metadata: { name: `app-${n}`, namespace, annotations: { 'example.com/junk': junk(annotation) } },
      spec: {},
    });
  const createSecret = (namespace: string, n: number, labels: Record<string, string>): Promise<unknown> =>
    world.client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: `foreign-${n}`,
        namespace,
        labels,
        annotations: { 'example.com/junk': junk(250 * KIB) },
      },
      data: { junk: Buffer.from(junk(700 * KIB)).toString('base64') },
    });
  /** Lists are large here: they are not asked for before as many tokens were issued. */
  const whenReady = async (namespace: string, count: number): Promise<void> => {
    await world.eventually(
      `${count} tokens are issued`,
      () => {
        expect(operator?.running, 'the operator lives').to.equal(true);
        const { length } = world.registry.values();
        return Promise.resolve(length >= count ? { value: true } : { seen: `${length} are` });
      },
      PATIENCE,
    );
    await world.eventually(
      `${count} RegistryTokens are Ready`,
      async () => {
        const { items } = await world.client.list<RegistryToken>(REGISTRY_TOKENS, { namespace });
        const ready = items.filter(
          ({ status }) => findCondition(status?.conditions, 'Ready')?.status === 'True',
        );
        return ready.length === count ? { value: true } : { seen: `${ready.length} are` };
      },
      PATIENCE,
    );
  };
  /** Says how much memory it took. */
  const conclude = async (what: string): Promise<void> => {
    expect(operator?.running, 'the operator lives').to.equal(true);
    const peak = await peakMemory(operator?.pid ?? 0);
    tell(`${what}: ${Math.round(peak / 2 ** 20)} MiB at most`);
    expect(peak).to.be.lessThan(LIMIT);
  };

  it('lets it start among 500 RegistryTokens with 200 KiB of annotations each', async () => {
    const namespace = await world.createNamespace();
    await times(500, (n) => createToken(namespace, n, 200 * KIB));
    await start();
    await whenReady(namespace, 500);
    await conclude('500 × 200 KiB');
    await operator?.kill();
    await start();
    await world.eventually('it is ready again', async () => {
      const probe = await operator?.readiness();
      return probe?.status === 200 ? { value: true } : { seen: probe?.failed.join() ?? 'no answer' };
    });
    await conclude('the same, after a restart');
  });

  it('does not grow by its own writes to 2,000 RegistryTokens of 100 KiB each', async () => {
    const namespace = await world.createNamespace();
    await start();
    await times(2_000, (n) => createToken(namespace, n, 100 * KIB));
    await whenReady(namespace, 2_000);
    await conclude('2,000 × 100 KiB');
  });

  it('lets it sweep among 300 foreign Secrets of a mebibyte, half of them with its own label', async () => {
    const namespace = await world.createNamespace();
    const labels = { [MANAGED_BY_LABEL]: OPERATOR, [OWNER_UID_LABEL]: 'nobody' };
    await times(300, (n) => createSecret(namespace, n, n % 2 === 0 ? labels : {}));
    await start();
    await createToken(namespace, 0, 0);
    await whenReady(namespace, 1);
    await world.eventually('it sweeps', async () => {
      const { status } = await world.account('default');
      return status?.lastSweepTime === undefined ? { seen: JSON.stringify(status) } : { value: true };
    });
    await conclude('300 Secrets');
  });

  it('keeps nothing of a credentials Secret that was applied a thousand times with 200 KiB', async () => {
    const namespace = await world.createNamespace();
    await start();
    await createToken(namespace, 0, 0);
    await whenReady(namespace, 1);
    for (let n = 0; n < 1_000; n++)
      await world.client.mergePatch(
        SECRETS,
        { namespace: OPERATOR_NAMESPACE, name: CREDENTIALS },
        {
          metadata: {
            annotations: {
              'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
                stringData: { ...world.prepared.credentials, n, junk: junk(200 * KIB) },
              }),
            },
          },
        },
      );
    await createToken(namespace, 1, 0);
    await whenReady(namespace, 2);
    await conclude('1,000 × 200 KiB of credentials');
  });

  it("lets it sweep a registry's list of 100,000 rows, 64 MiB", async () => {
    const namespace = await world.createNamespace();
    world.registry.faults.add({ operation: 'list', kind: 'more-rows', rows: 100_000 });
    await start();
    await createToken(namespace, 0, 0);
    await whenReady(namespace, 1);
    await world.eventually('it sweeps', async () => {
      const { status } = await world.account('default');
      return status?.lastSweepTime === undefined ? { seen: JSON.stringify(status) } : { value: true };
    });
    await conclude('100,000 rows');
  });
});
