import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { Operator } from '../../../src/controller/operator.ts';
import { REGISTRY_ACCOUNTS } from '../../../src/controller/shared/resources.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { SECRETS } from '../../../src/kube/client/resources.ts';
import type { Manifest } from '../../../src/kube/client/manifest.ts';
import type { Call, StreamCall, Transport } from '../../../src/kube/transport/transport.ts';
import { workCheck } from '../../../src/ops/health.ts';
import type { RegistryDirectory } from '../../../src/registry/directory.ts';
import { ApiServer } from '../../../sandbox/apiserver/server.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../../sandbox/setup.ts';
import { contentOf, requestOf } from '../../simulation/api-call.ts';
import { anAccount } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const CRDS = new URL('../../../crds/', import.meta.url);
const nothing = (): void => undefined;
const never = (): Promise<never> => new Promise(nothing);

/** The operator on a virtual clock with an API server in the same process; its registries never answer. */
describe('the operator', () => {
  let clock: VirtualClock;
  let server: ApiServer;
  let client: KubeClient;
  let calls: string[];
  let queues: string[];
  let logs: Logs;
  let stop: AbortController;

  beforeEach(async () => {
    clock = new VirtualClock();
    server = new ApiServer({ clock, random: () => 0 });
    calls = [];
    queues = [];
    logs = new Logs();
    stop = new AbortController();
    client = new KubeClient(inProcess(), { fieldManager: 'test' });
    for (const file of readdirSync(CRDS)) {
      const definition = parse(readFileSync(new URL(file, CRDS), 'utf8')) as Manifest;
      await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition);
    }
    await clock.advance(10);
    calls.length = 0;
  });
  afterEach(() => {
    stop.abort();
    server.close();
  });

  function inProcess(): Transport {
    return {
      async request(call: Call) {
        calls.push(`${call.method} ${call.path}`);
        return contentOf(call, await server.handle(requestOf(call, stop.signal)));
      },
      async *stream(call: StreamCall) {
        const { body } = await server.handle(requestOf(call, call.signal ?? stop.signal));
        call.onOpen?.();
        if (typeof body !== 'string') yield* body;
      },
      close: () => Promise.resolve(),
    };
  }

  function begin(): { operator: Operator; led: Promise<unknown> } {
    const operator = new Operator({
      settings: {
        operatorNamespace: 'default',
        watchNamespaces: ['default'],
        workers: 1,
        mintBudget: 0,
        defaultGracePeriod: 0,
        revocationDeadline: 0,
        sweep: 'revoke',
        sweepInterval: 3_600_000,
        sweepDelay: 600_000,
        evictPods: true,
        shutdownTimeout: 0,
      },
      client,
      directory: {
        registry: () => ({ list: never }),
        verify: () => Promise.resolve({ accountId: 'account-1' }),
        skew: () => 0,
        forget: nothing,
        whenBack: nothing,
        place: () => ({ outage: undefined, backAt: undefined }),
      } as unknown as RegistryDirectory,
      identity: 'test',
      protect: nothing,
      metrics: {
        token: {
          minted: nothing,
          revoked: nothing,
          repaired: nothing,
          orphans: nothing,
          unknownTokens: nothing,
        },
        reflector: { watchEvent: nothing, relisted: nothing, refused: nothing },
        workers: { addController: nothing, start: () => nothing, terminalError: nothing, panic: nothing },
        queue(controller) {
          queues.push(controller);
          return { added: nothing, started: nothing, finished: nothing, retried: nothing };
        },
      },
      logger: logs,
      clock,
      random: () => 0,
    });
    operator.watch(stop.signal).catch(nothing);
    const led = operator.lead(stop.signal).catch((error: unknown) => error);
    return { operator, led };
  }

  it('tells its cluster by what it watches: begun work does not hang on one more answer', async () => {
    const { led } = begin();
    await clock.advance(10_000);
    expect(logs.messages('info')).to.include('working');
    expect(calls).not.to.include('GET /api/v1/namespaces/kube-system');
    stop.abort();
    expect(await led).to.equal(undefined);
  });

  it('has a queue with metrics for each controller', () => {
    begin();
    expect(queues).to.have.members([
      'registrytoken',
      'registryaccount',
      'sweep',
      'serviceaccount',
      'eviction',
    ]);
  });

  it('knows of work that hangs, a sweep too: it is not alive for ever', async () => {
    const { apiVersion, kind, metadata, spec } = anAccount();
    await client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name: spec.credentialsSecretRef.name },
      data: { apikey: Buffer.from('key').toString('base64') },
    });
    await client.create(REGISTRY_ACCOUNTS, { apiVersion, kind, metadata: { name: metadata.name }, spec });
    const { operator } = begin();
    const alive = workCheck(() => operator.longestRunning, 600_000);
    await clock.advance(60_000);
    expect(operator.longestRunning).to.be.within(50_000, 60_000);
    expect(alive()).to.include({ ok: true });
    await clock.advance(600_000);
    expect(alive()).to.include({ ok: false });
  });
});
