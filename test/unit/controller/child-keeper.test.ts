import { expect } from 'chai';
import { applyMergePatch } from '../../../sandbox/apiserver/patch/merge-patch.ts';
import type { JsonObject } from '../../../sandbox/apiserver/json.ts';
import type { ClusterRegistryToken } from '../../../src/api/cluster-registry-token.ts';
import { ROTATE_ANNOTATION } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { KubeObject, ObjectName, Resource } from '../../../src/common/objects.ts';
import { ChildKeeper } from '../../../src/controller/cluster-token/child-keeper.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { DeleteOptions } from '../../../src/kube/client/client.ts';
import type { Manifest } from '../../../src/kube/client/manifest.ts';
import { aToken, at, MINUTE, SECOND } from '../../support/builders.ts';
import { aClusterToken, aNamespace } from '../../support/cluster-tokens.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const NAME = { namespace: 'team', name: 'everywhere' };
const { signal } = new AbortController();
const selecting = (
  labels: Record<string, string>,
  access: 'ReadOnly' | 'ReadWrite' = 'ReadOnly',
  generation = 1,
): ClusterRegistryToken =>
  aClusterToken({
    metadata: { generation },
    spec: { namespaceSelector: { matchLabels: labels }, template: { spec: { access } } },
  });

/** A namespace at a server, the keeper of a ClusterRegistryToken that watches it, and the calls it made. */
class Scene {
  readonly clock = new VirtualClock();
  readonly calls: string[] = [];
  parent: ClusterRegistryToken | undefined = selecting({});
  namespace: KubeObject | undefined = aNamespace('team');
  token: RegistryToken | undefined;
  /** What the server has, where watches have not told of it. */
  live: { parent?: ClusterRegistryToken; namespace?: KubeObject } = {};
  /** Refuses writes. */
  refusal: KubeError | undefined;
  /** A webhook takes back what is changed. */
  mutate = false;
  problems = 0;
  readonly keeper = new ChildKeeper({
    client: {
      get: (resource: Resource) => this.#get(resource) as never,
      create: (_: Resource, object: Manifest) => this.#create(object) as never,
      mergePatch: (_: Resource, __: ObjectName, patch: object) => this.#patch(patch) as never,
      delete: (_: Resource, __: ObjectName, options?: DeleteOptions) => this.#delete(options),
    },
    parent: () => this.parent,
    namespace: () => this.namespace,
    token: () => this.token,
    logger: new Logs(),
    clock: this.clock,
    onProblem: () => void this.problems++,
  });

  reconcile = (): Promise<{ requeueAfter?: number } | void> => this.keeper.reconcile(NAME, signal);

  /** Somebody changes the RegistryToken. */
  edit(change: object): void {
    this.token = applyMergePatch(
      this.token as unknown as JsonObject,
      change as JsonObject,
    ) as unknown as RegistryToken;
  }

  async #get({ kind }: Resource): Promise<unknown> {
    this.calls.push(`get ${kind}`);
    if (kind === 'RegistryToken') return this.token;
    return kind === 'Namespace' ? (this.live.namespace ?? this.namespace) : (this.live.parent ?? this.parent);
  }

  async #create(object: Manifest): Promise<unknown> {
    this.calls.push('create');
    if (this.refusal) throw this.refusal;
    return (this.token = aToken(object));
  }

  async #patch(patch: object): Promise<unknown> {
    this.calls.push('patch');
    if (this.refusal) throw this.refusal;
    if (!this.mutate) this.edit(patch);
    return this.token;
  }

  async #delete(options: DeleteOptions = {}): Promise<void> {
    this.calls.push(`delete ${options.uid === this.token?.metadata.uid ? 'that very one' : 'any'}`);
    this.token = undefined;
  }
}

describe('the RegistryToken of a ClusterRegistryToken in one namespace', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it('is created by one call, and costs none after', async () => {
    await scene.reconcile();
    await scene.reconcile();
    expect(scene.calls).to.deep.equal(['create']);
  });

  it('is changed with the template by one call', async () => {
    await scene.reconcile();
    scene.parent = selecting({}, 'ReadWrite', 2);
    await scene.reconcile();
    expect(scene.token?.spec.access).to.equal('ReadWrite');
    expect(scene.calls).to.deep.equal(['create', 'patch']);
  });

  it('is read before it is changed where a watch does not keep all of it', async () => {
    await scene.reconcile();
    scene.edit({ metadata: { ownerReferences: null } });
    await scene.reconcile();
    expect(scene.calls).to.deep.equal(['create', 'get RegistryToken', 'patch']);
    expect(scene.token?.metadata.ownerReferences).to.have.length(1);
  });

  it('is deleted where its namespace does not match, which is looked up before', async () => {
    await scene.reconcile();
    scene.parent = selecting({ team: 'yes' });
    await scene.reconcile();
    expect(scene.calls).to.deep.equal([
      'create',
      'get ClusterRegistryToken',
      'get Namespace',
      'delete that very one',
    ]);
  });

  it('stays where only a watch has not told yet that its namespace matches', async () => {
    await scene.reconcile();
    scene.parent = selecting({ team: 'yes' });
    scene.live.namespace = aNamespace('team', { team: 'yes' });
    expect(await scene.reconcile()).to.deep.equal({ requeueAfter: 5 * SECOND });
    scene.live = { parent: selecting({}) };
    await scene.reconcile();
    expect(scene.token).not.to.equal(undefined);
  });

  it('is deleted with the ClusterRegistryToken by one call', async () => {
    await scene.reconcile();
    scene.parent = aClusterToken({ metadata: { deletionTimestamp: at(0) } });
    await scene.reconcile();
    expect(scene.calls).to.deep.equal(['create', 'delete that very one']);
  });

  it('that the API server refuses is told, and tried again in five minutes and not before', async () => {
    scene.refusal = new KubeError('POST x: 403 Forbidden - exceeded quota: few', { status: 403 });
    expect(await scene.reconcile()).to.deep.equal({ requeueAfter: 5 * MINUTE });
    expect(scene.keeper.problem(NAME)).to.deep.include({ reason: 'NotWritten' });
    await scene.clock.advance(MINUTE);
    expect(await scene.reconcile()).to.deep.equal({ requeueAfter: 4 * MINUTE });
    expect(scene.calls).to.deep.equal(['create']);
    scene.refusal = undefined;
    await scene.clock.advance(4 * MINUTE);
    await scene.reconcile();
    await scene.reconcile();
    expect(scene.keeper.problem(NAME)).to.equal(undefined);
    expect([scene.calls, scene.problems]).to.deep.equal([['create', 'create'], 2]);
  });

  const rotating = { annotations: { [ROTATE_ANNOTATION]: 'now' } };
  const namespace = aNamespace('team');
  const recreated = { ...namespace, metadata: { ...namespace.metadata, uid: 'new' } };
  const changes: [what: string, change: Partial<Pick<Scene, 'parent' | 'namespace'>>][] = [
    ['the template changes', { parent: selecting({}, 'ReadWrite', 2) }],
    ['a rotation is asked for', { parent: aClusterToken({ metadata: rotating }) }],
    [
      'there is a new ClusterRegistryToken of that name',
      { parent: aClusterToken({ metadata: { uid: 'new' } }) },
    ],
    ['there is a new namespace of that name', { namespace: recreated }],
  ];
  for (const [what, change] of changes)
    it(`that was refused is tried at once when ${what}`, async () => {
      scene.refusal = new KubeError('POST x: 422 Invalid', { status: 422 });
      await scene.reconcile();
      Object.assign(scene, { refusal: undefined, ...change });
      await scene.reconcile();
      expect(scene.calls).to.deep.equal(['create', 'create']);
    });

  it('that somebody made meanwhile is not written, and waits for the watch to tell', async () => {
    scene.refusal = new KubeError('POST x: 409', { status: 409, reason: 'AlreadyExists' });
    expect(await scene.reconcile()).to.deep.equal({ requeueAfter: 5 * SECOND });
    expect(scene.problems).to.equal(0);
  });

  it('whose namespace goes at that moment is no problem', async () => {
    const causes = [{ reason: 'NamespaceTerminating', field: '', message: '' }];
    scene.refusal = new KubeError('POST x: 403 Forbidden', { status: 403, causes });
    await scene.reconcile();
    expect(scene.keeper.problem(NAME)).to.equal(undefined);
  });

  it('that an API server in trouble does not write is left to the queue', async () => {
    scene.refusal = new KubeError('POST x: 500', { status: 500 });
    const error = await scene.reconcile().catch((each: unknown) => each);
    expect(error).to.equal(scene.refusal);
  });

  it('that somebody keeps changing is put right ever more rarely, and told who does', async () => {
    await scene.reconcile();
    const fight = (): void =>
      scene.edit({
        spec: { suspend: true },
        metadata: { managedFields: [{ manager: 'gitops', operation: 'Update', time: at(0) }] },
      });
    let waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      fight();
      const { requeueAfter } = (await scene.reconcile()) ?? {};
      if (requeueAfter === undefined || requeueAfter < 30 * SECOND) continue;
      waits = [...waits, requeueAfter];
      expect(scene.keeper.problem(NAME)).to.deep.equal({
        state: 'failed',
        reason: 'Contested',
        message: 'gitops keeps changing it, so it is put right ever more rarely',
      });
      await scene.clock.advance(requeueAfter);
    }
    expect(scene.calls.filter((call) => call === 'patch').length).to.be.below(9);
    expect(waits.at(-1)).to.be.above(waits[0] ?? Infinity);
  });

  it('is forgotten with its namespace and with the ClusterRegistryToken', async () => {
    scene.refusal = new KubeError('POST x: 403', { status: 403 });
    await scene.reconcile();
    scene.namespace = undefined;
    await scene.reconcile();
    expect(scene.keeper.problem(NAME)).to.equal(undefined);
    scene.namespace = aNamespace('team');
    await scene.reconcile();
    scene.keeper.forget('everywhere');
    expect(scene.keeper.problem(NAME)).to.equal(undefined);
  });

  it('that an API server in trouble could not write for long is written as soon as it can be, and is no fight', async () => {
    scene.refusal = new KubeError('POST x: 500', { status: 500 });
    for (let tries = 0; tries < 20; tries++) await scene.reconcile().catch(() => undefined);
    scene.refusal = undefined;
    await scene.reconcile();
    expect(scene.token).not.to.equal(undefined);
    expect(scene.keeper.problem(NAME)).to.equal(undefined);
  });

  it('whose status is written meanwhile is changed with the template once a watch has told of that, and is no fight', async () => {
    await scene.reconcile();
    scene.parent = selecting({}, 'ReadWrite', 2);
    scene.refusal = new KubeError('PATCH x: 409', { status: 409, reason: 'Conflict' });
    for (let tries = 0; tries < 5; tries++) await scene.reconcile().catch(() => undefined);
    scene.refusal = undefined;
    await scene.reconcile();
    expect(scene.token?.spec.access).to.equal('ReadWrite');
  });

  it('that is fought over is deleted at once where its namespace does not match any more', async () => {
    scene.parent = selecting({ team: 'yes' });
    scene.namespace = aNamespace('team', { team: 'yes' });
    await scene.reconcile();
    while (!scene.keeper.problem(NAME)) {
      scene.edit({ spec: { suspend: true } });
      await scene.reconcile();
    }
    scene.namespace = aNamespace('team');
    await scene.reconcile();
    expect(scene.token).to.equal(undefined);
  });

  it('is created at once in a namespace that is deleted and created again and again', async () => {
    for (let round = 0; round < 8; round++) {
      scene.namespace = aNamespace('team');
      scene.namespace.metadata.uid = `uid-${round}`;
      await scene.reconcile();
      expect(scene.token, `round ${round}`).not.to.equal(undefined);
      scene.namespace = {
        ...scene.namespace,
        metadata: { ...scene.namespace.metadata, deletionTimestamp: at(0) },
      };
      await scene.reconcile();
      scene.token = undefined;
      await scene.reconcile();
    }
  });

  it('is left as it is while what the ClusterRegistryToken says can never work, but deleted with it', async () => {
    await scene.reconcile();
    const namespaceSelector = { matchExpressions: [{ key: 'team', operator: 'In' as const }] };
    const metadata = { generation: 2 };
    scene.parent = aClusterToken({ metadata, spec: { namespaceSelector, template: { spec: {} } } });
    await scene.reconcile();
    scene.parent = aClusterToken({
      metadata,
      spec: { namespaceSelector: {}, template: { spec: { lifetime: 'soon' } } },
    });
    await scene.reconcile();
    expect(scene.calls).to.deep.equal(['create']);
    scene.parent.metadata.deletionTimestamp = at(0);
    await scene.reconcile();
    expect(scene.token).to.equal(undefined);
  });

  it('that an admission webhook keeps as it was is looked at again, and told', async () => {
    await scene.reconcile();
    scene.edit({ spec: { suspend: true } });
    scene.mutate = true;
    for (let looks = 0; looks < 10 && !scene.keeper.problem(NAME); looks++) {
      const { requeueAfter } = (await scene.reconcile()) ?? {};
      if (requeueAfter === undefined) break;
      await scene.clock.advance(requeueAfter);
    }
    expect(scene.keeper.problem(NAME)?.reason).to.equal('Contested');
  });
});
