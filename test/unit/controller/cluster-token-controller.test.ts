import { expect } from 'chai';
import type { ClusterRegistryToken } from '../../../src/api/cluster-registry-token.ts';
import { FINALIZER } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { objectKey } from '../../../src/kube/client/object-key.ts';
import { essentialToken } from '../../../src/controller/shared/kept-fields.ts';
import { ClusterTokenController } from '../../../src/controller/cluster-token/cluster-token-controller.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { refusal } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { childManifest, wantedChild } from '../../../src/token/cluster-token/child.ts';
import { aToken, at, SECOND } from '../../support/builders.ts';
import { aClusterToken, aNamespace } from '../../support/cluster-tokens.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const { signal } = new AbortController();

/** Namespaces, a ClusterRegistryToken at a server, and what its controller does. */
class Scene {
  parent: ClusterRegistryToken | undefined = aClusterToken();
  tokens: RegistryToken[] = [];
  /** RegistryTokens at the server that a watch has not told of. */
  untold: RegistryToken[] = [];
  /** What was kept of them when they were listed. */
  kept: unknown[] = [];
  readonly calls: string[] = [];
  readonly events: string[] = [];
  readonly logs = new Logs();
  readonly lookedAt: string[] = [];
  readonly forgotten: string[] = [];
  account = { tokens: 0, quota: undefined as { registryTokens: number; why: string } | undefined };
  readonly namespaces = ['a', 'b'];
  readonly controller: ClusterTokenController;

  constructor() {
    const transport = {
      request: async (call: Call) => this.#answer(call),
      stream: () => expect.fail('nothing is watched'),
      close: async () => undefined,
    };
    this.controller = new ClusterTokenController({
      client: new KubeClient(transport, { fieldManager: 'test' }),
      parent: () => this.parent,
      namespaces: () => this.namespaces.map((name) => aNamespace(name)),
      token: ({ namespace }) => this.tokens.find(({ metadata }) => metadata.namespace === namespace),
      children: () => this.tokens,
      account: () => this.account,
      keeper: { problem: () => undefined, forget: (name) => void this.forgotten.push(name) },
      lookAt: (child) => void this.lookedAt.push(objectKey(child)),
      events: { event: (_, type, reason) => void this.events.push(`${type} ${reason}`) },
      logger: this.logs,
      clock: new VirtualClock(),
    });
  }

  reconcile = (): Promise<{ requeueAfter?: number } | void> =>
    this.controller.reconcile('everywhere', signal);

  /** Every namespace has its RegistryToken. */
  settle(status: 'True' | 'False' = 'True', reason = 'Issued'): void {
    const parent = this.parent ?? aClusterToken();
    this.tokens = this.namespaces.map((namespace) => {
      const { metadata, ...rest } = childManifest(namespace, wantedChild(parent));
      const condition = {
        type: 'Ready',
        reason,
        message: 'why',
        lastTransitionTime: at(0),
        observedGeneration: 1,
      };
      return aToken({ ...rest, metadata, status: { conditions: [{ ...condition, status }] } });
    });
  }

  /** Deletes it. */
  delete(): void {
    const parent = this.parent ?? aClusterToken();
    this.parent = {
      ...parent,
      metadata: { ...parent.metadata, finalizers: [FINALIZER], deletionTimestamp: at(0) },
    };
  }

  #answer(call: Call): unknown {
    const { method, path, body } = call;
    if (path.endsWith('/registrytokens')) {
      this.calls.push('list');
      this.kept = this.untold.map((token) => call.keep?.(structuredClone(token)) ?? token);
      return { metadata: { resourceVersion: '1' }, items: this.kept };
    }
    if (!this.parent) throw refusal(call, 404, {});
    if (method === 'GET') {
      this.calls.push('get');
      return structuredClone(this.parent);
    }
    const operations = body as { path: string; value: unknown }[];
    for (const { path: at_, value } of operations) {
      if (at_ === '/metadata/finalizers') {
        this.calls.push(`finalizers ${String(value)}`);
        this.parent = {
          ...this.parent,
          metadata: { ...this.parent.metadata, finalizers: value as string[] },
        };
      }
      if (at_ === '/status') {
        this.calls.push('status');
        this.parent = { ...this.parent, status: value as NonNullable<ClusterRegistryToken['status']> };
      }
    }
    return this.parent;
  }
}

describe('the controller of ClusterRegistryTokens', () => {
  it('takes one on, has every namespace looked at where something is to be done, and says how many are ready', async () => {
    const scene = new Scene();
    await scene.reconcile();
    expect(scene.lookedAt).to.deep.equal(['a/everywhere', 'b/everywhere']);
    expect(scene.calls).to.deep.equal(['get', `finalizers ${FINALIZER}`, 'status']);
    expect(scene.parent?.status).to.deep.include({
      reason: 'Issuing',
      namespaces: { matching: 2, ready: 0, failed: 0 },
    });
  });

  it('makes no call and looks at nothing where all is as it was', async () => {
    const scene = new Scene();
    scene.settle();
    await scene.reconcile();
    expect(scene.parent?.status?.reason).to.equal('AllReady');
    scene.calls.length = 0;
    scene.lookedAt.length = 0;
    await scene.reconcile();
    expect([scene.calls, scene.lookedAt]).to.deep.equal([[], []]);
    expect(scene.events).to.deep.equal(['Normal AllReady']);
  });

  it('names what failed, with one event and line in the log when it begins and one when it ends', async () => {
    const scene = new Scene();
    scene.settle('False', 'AccountNotReady');
    await scene.reconcile();
    await scene.reconcile();
    expect(scene.parent?.status?.failures?.map(({ namespace }) => namespace)).to.deep.equal(['a', 'b']);
    scene.settle();
    await scene.reconcile();
    expect(scene.parent?.status?.failures).to.equal(undefined);
    expect(scene.events).to.deep.equal(['Warning NamespacesFailed', 'Normal AllReady']);
    expect([scene.logs.messages('warn').length, scene.logs.messages('info').length]).to.deep.equal([1, 1]);
  });

  it("leaves somebody else's RegistryToken of its name alone, and names it as in the way, however ready that is", async () => {
    const scene = new Scene();
    scene.settle();
    const { status } = scene.tokens[0]!;
    scene.tokens[0] = aToken({ metadata: { name: 'everywhere', namespace: 'a' }, status: status! });
    await scene.reconcile();
    expect(scene.lookedAt).to.deep.equal([]);
    expect(scene.parent?.status?.namespaces).to.deep.equal({ matching: 2, ready: 1, failed: 1 });
    expect(scene.parent?.status?.failures).to.have.length(1);
    expect(scene.parent?.status?.failures?.[0]).to.include({ namespace: 'a', reason: 'InTheWay' });
  });

  it('touches no namespace while the template can never work', async () => {
    const scene = new Scene();
    scene.parent = aClusterToken({
      spec: { namespaceSelector: {}, template: { spec: { lifetime: 'soon' } } },
    });
    await scene.reconcile();
    expect([scene.lookedAt, scene.calls]).to.deep.equal([[], ['status']]);
    expect(scene.events).to.deep.equal(['Warning InvalidSpec']);
  });

  it('tells, once, that the account has no room, before the registry refuses a token', async () => {
    const scene = new Scene();
    scene.account = { tokens: 9, quota: { registryTokens: 10, why: 'each has a robot' } };
    await scene.reconcile();
    await scene.reconcile();
    expect(scene.events).to.deep.equal(['Warning QuotaTooSmall']);
    expect(scene.parent?.status?.conditions?.[0]?.message).to.include('11 are asked of it');
    scene.account.tokens = 8;
    await scene.reconcile();
    expect(scene.parent?.status?.conditions?.[0]?.message).not.to.include('asked');
  });

  it('has each RegistryToken of one that is deleted looked at until it is going too, and tells how many are left', async () => {
    const scene = new Scene();
    scene.settle();
    scene.delete();
    await scene.reconcile();
    expect(scene.lookedAt).to.deep.equal(['a/everywhere', 'b/everywhere']);
    expect(scene.parent?.status?.conditions?.[0]?.message).to.equal('2 RegistryTokens left in a, b');
    expect(scene.calls).to.deep.equal(['status']);
    scene.lookedAt.length = 0;
    scene.tokens[0]!.metadata.deletionTimestamp = at(0);
    await scene.reconcile();
    expect(scene.lookedAt).to.deep.equal(['b/everywhere']);
    expect(scene.parent?.status?.conditions?.[0]?.message).to.equal('2 RegistryTokens left in a, b');
  });

  it('lets one go when its RegistryTokens are gone, those too that a watch has not told of', async () => {
    const scene = new Scene();
    scene.settle();
    [scene.untold, scene.tokens] = [scene.tokens, []];
    scene.delete();
    expect(await scene.reconcile()).to.deep.equal({ requeueAfter: 2 * SECOND });
    scene.untold = [aToken({ metadata: { name: 'everywhere' } })];
    scene.calls.length = 0;
    await scene.reconcile();
    expect(scene.calls).to.deep.equal(['list', 'get', 'finalizers ']);
  });

  it('keeps of RegistryTokens that a watch has not told of no more than that would', async () => {
    const scene = new Scene();
    const metadata = { name: 'everywhere', annotations: { large: 'x'.repeat(1_000) } };
    scene.untold = [aToken({ metadata, spec: { scope: ['team-a'] } })];
    scene.delete();
    await scene.reconcile();
    expect(scene.kept).to.deep.equal(scene.untold.map((token) => essentialToken(structuredClone(token))));
    expect(JSON.stringify(scene.kept)).not.to.include('xxx');
  });

  it('forgets one that is gone', async () => {
    const scene = new Scene();
    scene.parent = undefined;
    await scene.reconcile();
    expect(scene.forgotten).to.deep.equal(['everywhere']);
  });
});
