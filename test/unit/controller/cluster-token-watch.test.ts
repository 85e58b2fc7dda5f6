import { expect } from 'chai';
import type { ClusterRegistryToken } from '../../../src/api/cluster-registry-token.ts';
import { ROTATE_ANNOTATION, TEMPLATE_ANNOTATION } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import { ClusterTokenWatch } from '../../../src/controller/cluster-token/cluster-token-watch.ts';
import type { ChangeHandler } from '../../../src/kube/cache/replica.ts';
import type { Reflector } from '../../../src/kube/cache/reflector.ts';
import { WorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { anIssuedToken, at, SECOND, type Part } from '../../support/builders.ts';
import { aClusterToken, aNamespace } from '../../support/cluster-tokens.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const { signal } = new AbortController();

/** A watch of one ClusterRegistryToken, for namespaces with the label `team`, and the queue that it feeds. */
class Scene {
  readonly clock = new VirtualClock();
  readonly queue = new WorkQueue({ clock: this.clock });
  parent = aClusterToken({
    spec: { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, template: {} },
  });
  children: RegistryToken[] = [];
  readonly watch: ClusterTokenWatch;
  #tell: ChangeHandler<ClusterRegistryToken> = () => undefined;

  constructor() {
    const store = { get: () => this.parent, list: () => [this.parent] };
    const onChange = (handler: ChangeHandler<ClusterRegistryToken>): void => void (this.#tell = handler);
    const reflector = { store, onChange } as unknown as Reflector<ClusterRegistryToken>;
    this.watch = new ClusterTokenWatch(reflector, () => this.children);
  }

  /** The ClusterRegistryToken becomes another. */
  change(metadata: Partial<ClusterRegistryToken['metadata']>): void {
    const previous = this.parent;
    this.parent = { ...previous, metadata: { ...previous.metadata, ...metadata } };
    this.#tell({ type: 'updated', object: this.parent, previous, initial: false });
  }

  namespace(object: KubeObject, previous?: KubeObject): void {
    this.watch.onNamespace({
      type: previous ? 'updated' : 'added',
      object,
      initial: false,
      ...(previous && { previous }),
    });
  }

  token(object: RegistryToken, previous?: RegistryToken): void {
    this.watch.onToken({
      type: previous ? 'updated' : 'added',
      object,
      initial: false,
      ...(previous && { previous }),
    });
  }

  /** What waits now. */
  async now(): Promise<string[]> {
    const keys: string[] = [];
    while (this.queue.length > 0) {
      const key = (await this.queue.take(signal)) ?? '';
      keys.push(key);
      this.queue.done(key);
    }
    return keys;
  }

  /** What waits two seconds later: what is counted again. */
  async later(): Promise<string[]> {
    await this.clock.advance(2 * SECOND);
    return this.now();
  }
}

const aChild = (part: Part<RegistryToken> = {}): RegistryToken =>
  anIssuedToken({ ...part, metadata: { name: 'everywhere', ...part.metadata } });
const isReady = (status: 'True' | 'False'): Part<RegistryToken> => ({
  status: {
    conditions: [
      {
        type: 'Ready',
        status,
        reason: 'Issued',
        message: '',
        lastTransitionTime: at(0),
        observedGeneration: 1,
      },
    ],
  },
});

describe('once this process leads, a watch of ClusterRegistryTokens', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = new Scene();
    scene.watch.feed(scene.queue);
    expect(await scene.now()).to.deep.equal(['everywhere']);
  });

  const changes: [string, Partial<ClusterRegistryToken['metadata']>, boolean][] = [
    ['its spec', { generation: 2 }, true],
    ['its deletion', { deletionTimestamp: at(0) }, true],
    ['a rotation that is asked for', { annotations: { [ROTATE_ANNOTATION]: '1' } }, true],
    ['a finalizer that somebody took off', { finalizers: ['others'] }, true],
    ['its status, which the operator writes', { resourceVersion: '2' }, false],
  ];
  for (const [what, metadata, concerns] of changes)
    it(`${concerns ? 'looks' : 'does not look'} at one after a change of ${what}`, async () => {
      scene.change(metadata);
      expect(await scene.now()).to.deep.equal(concerns ? ['everywhere'] : []);
    });

  it('looks at a namespace that begins or ceases to match, and counts', async () => {
    scene.namespace(aNamespace('a', { team: '1' }));
    expect(await scene.now()).to.deep.equal(['a/everywhere']);
    expect(await scene.later()).to.deep.equal(['everywhere']);
    scene.namespace(aNamespace('a'), aNamespace('a', { team: '1' }));
    expect(await scene.now()).to.deep.equal(['a/everywhere']);
  });

  it('does nothing about a namespace that matches as before, or never did', async () => {
    scene.namespace(aNamespace('a', { team: '2' }), aNamespace('a', { team: '1' }));
    scene.namespace(aNamespace('b', { other: '1' }), aNamespace('b'));
    expect([await scene.now(), await scene.later()]).to.deep.equal([[], []]);
  });

  it('looks at a RegistryToken whose spec was changed, at one that came and at one that went', async () => {
    scene.token(aChild());
    expect(await scene.now()).to.deep.equal(['team/everywhere']);
    scene.token(aChild({ metadata: { generation: 2 } }), aChild());
    expect(await scene.now()).to.deep.equal(['team/everywhere']);
    scene.watch.onToken({ type: 'deleted', object: aChild(), previous: aChild(), initial: false });
    expect(await scene.now()).to.deep.equal(['team/everywhere']);
  });

  it('counts again, once for many, when RegistryTokens become ready', async () => {
    for (const namespace of ['a', 'b', 'c'])
      scene.token(
        aChild({ ...isReady('True'), metadata: { namespace } }),
        aChild({ metadata: { namespace } }),
      );
    expect(await scene.now()).to.deep.equal([]);
    expect(await scene.later()).to.deep.equal(['everywhere']);
    scene.token(aChild({ ...isReady('True'), metadata: { resourceVersion: '9' } }), aChild(isReady('True')));
    expect(await scene.later()).to.deep.equal([]);
  });

  it('looks at one that is being deleted as soon as the last of its RegistryTokens is gone', async () => {
    scene.change({ deletionTimestamp: at(0) });
    await scene.now();
    scene.children = [aChild()];
    scene.watch.onToken({ type: 'deleted', object: aChild(), previous: aChild(), initial: false });
    expect(await scene.now()).to.deep.equal(['team/everywhere']);
    scene.children = [];
    scene.watch.onToken({ type: 'deleted', object: aChild(), previous: aChild(), initial: false });
    expect(await scene.now()).to.deep.equal(['everywhere']);
  });

  it('looks at one that is being deleted as soon as somebody has taken the last of its RegistryTokens from it', async () => {
    scene.change({ deletionTimestamp: at(0) });
    await scene.now();
    scene.token(
      aChild({ metadata: { annotations: {} } }),
      aChild({ metadata: { annotations: { [TEMPLATE_ANNOTATION]: '{}' } } }),
    );
    expect(await scene.now()).to.include('everywhere');
  });

  it('counts again when somebody takes a RegistryToken from it, or gives it one', async () => {
    const [mine, theirs] = [{ [TEMPLATE_ANNOTATION]: '{}' }, {}].map((annotations) =>
      aChild({ ...isReady('True'), metadata: { annotations } }),
    ) as [RegistryToken, RegistryToken];
    scene.token(theirs, mine);
    await scene.now();
    expect(await scene.later()).to.deep.equal(['everywhere']);
    scene.token(mine, theirs);
    await scene.now();
    expect(await scene.later()).to.deep.equal(['everywhere']);
  });

  it('looks at every namespace that comes or goes: a RegistryToken can be there that a watch told of before', async () => {
    scene.namespace(aNamespace('b'));
    expect(await scene.now()).to.deep.equal(['b/everywhere']);
    const object = aNamespace('b');
    scene.watch.onNamespace({ type: 'deleted', object, previous: object, initial: false });
    expect(await scene.now()).to.deep.equal(['b/everywhere']);
  });
});
