import { expect } from 'chai';
import { pino } from 'pino';
import { Watches } from '../../../src/controller/watches.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { WorkQueue } from '../../../src/kube/work-queue.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const unused: Transport = {
  request: () => Promise.reject(new Error('nothing is asked')),
  stream: () => {
    throw new Error('nothing is asked');
  },
  close: () => Promise.resolve(),
};

function titles(watchNamespaces: string[]): string[] {
  const clock = new VirtualClock(0);
  const watches = new Watches({
    client: new KubeClient(unused, { fieldManager: 'test' }),
    operatorNamespace: 'system',
    watchNamespaces,
    tokenQueue: new WorkQueue({ clock }),
    accountQueue: new WorkQueue({ clock }),
    linkQueue: new WorkQueue({ clock }),
    clock,
    random: () => 0,
    logger: pino({ level: 'silent' }),
    metrics: { watchEvent: () => undefined, relisted: () => undefined },
  });
  return watches.watches.map(({ title }) => title);
}

describe('watches', () => {
  it('each have a title of their own, by which health pages and metrics tell them apart', () => {
    expect(titles([])).to.have.members([
      'registrytokens.pullsecrets.dev',
      'secrets',
      'registryaccounts.pullsecrets.dev',
      'namespaces',
      'credentials',
      'serviceaccounts',
    ]);
    expect(titles(['one', 'system'])).to.have.members([
      'registrytokens.pullsecrets.dev in one',
      'registrytokens.pullsecrets.dev in system',
      'secrets in one',
      'secrets in system',
      'registryaccounts.pullsecrets.dev',
      'namespaces',
      'credentials',
      'serviceaccounts in one',
      'serviceaccounts in system',
    ]);
  });
});
