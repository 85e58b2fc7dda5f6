import { expect } from 'chai';
import { pino } from 'pino';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { httpTransport } from '../../../src/kube/transport/http-transport.ts';
import { DEPLOYMENTS, REPLICA_SETS, type Deployment } from '../../../sandbox/workloads/objects.ts';
import { Workloads } from '../../../sandbox/workloads/workloads.ts';
import { startEmbedded } from '../../support/api-servers.ts';
import { eventually } from '../../support/eventually.ts';

describe('Deployments in the sandbox', () => {
  it('that can not have what they ask for say why, once, and hold up no other', async () => {
    await using stack = new AsyncDisposableStack();
    const server = await startEmbedded();
    stack.defer(() => server.close());
    const logger = pino({ level: 'silent' });
    const transport = httpTransport(server.kubeConfig, { clock, logger, userAgent: 'test' });
    stack.defer(() => transport.close());
    const client = new KubeClient(transport, { fieldManager: 'test' });
    const told: string[] = [];
    const options = {
      client,
      kubeconfig: '/none',
      folder: '/none/',
      tell: (line: string) => told.push(line),
    };
    const stop = new AbortController();
    const running = new Workloads(options).run(stop.signal);
    stack.defer(() => {
      stop.abort();
      return running;
    });

    const namespace = 'default';
    const create = (name: string): Promise<Deployment> =>
      client.create(DEPLOYMENTS, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace },
        spec: {
          selector: { matchLabels: { app: 'a' } },
          template: {
            metadata: { labels: { app: 'a' } },
            spec: { containers: [{ name: 'a', image: 'registry.test/a:1' }] },
          },
        },
      });
    const replicaSetsOf = async (name: string): Promise<number> => {
      const { items } = await client.listPage(REPLICA_SETS, {});
      return items.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === name).length;
    };

    // Its ReplicaSet's name is too long.
    const long = 'a'.repeat(253);
    await create(long);
    for (const name of ['web', 'later']) {
      await create(name);
      await eventually(`${name} has a ReplicaSet`, async () => (await replicaSetsOf(name)) === 1);
    }
    const { status } = await client.get<Deployment>(DEPLOYMENTS, { namespace, name: long });
    const failure = status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    expect(failure).to.include({ status: 'True', reason: 'FailedCreate' });
    expect(failure?.message).to.include('must be no more than 253');
    expect(told.filter((line) => line.includes('waits'))).to.have.length(1);
  });
});
