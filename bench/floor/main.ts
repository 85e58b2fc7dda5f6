/** The floor as a process of its own. Takes orders from its parent, one after another. */
import { KubeConfig } from '@kubernetes/client-node';
import { Api } from './api.ts';
import { Floor } from './floor.ts';
import type { Done, Order } from './messages.ts';
import { Registry } from './registry.ts';

let floor: Floor | undefined;

process.on('message', (order: Order) => void answer(order));
process.on('disconnect', () => process.exit());

async function answer(order: Order): Promise<void> {
  let done: Done;
  try {
    done = await carryOut(order);
  } catch (error) {
    done = { began: 0, problem: String(error) };
  }
  process.send?.(done);
}

async function carryOut(order: Order): Promise<Done> {
  if (order.what === 'connect') floor = await connect(order);
  if (!floor) throw new Error('it is not connected');
  const worker = floor;
  const began = Date.now();
  switch (order.what) {
    case 'connect':
      return { began };
    case 'issue':
      await worker.issue(order.token);
      return { began };
    case 'read all':
      await Promise.all([worker.list(), worker.listSecrets()]);
      return { began };
    case 'issue all': {
      const tokens = await worker.list();
      const listed = Date.now();
      await worker.each(tokens, (token) => worker.issue(token));
      return { began: listed };
    }
    case 'remove deleted': {
      const tokens = await worker.list();
      const deleted = tokens.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      await worker.each(deleted, (token) => worker.remove(token));
      return { began };
    }
  }
}

async function connect(order: Extract<Order, { what: 'connect' }>): Promise<Floor> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(order.kubeconfig);
  const { workers } = order;
  const registry = new Registry(order.registry, workers);
  await registry.login();
  return new Floor(new Api(kubeConfig, workers), registry, workers);
}
