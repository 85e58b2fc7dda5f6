import type { ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import type { KubeObject } from '../../common/objects.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { Change } from '../../kube/cache/replica.ts';
import type { Reflector } from '../../kube/cache/reflector.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';
import { isMatching } from '../../token/cluster-token/child-decision.ts';
import { isChild } from '../../token/cluster-token/child.ts';
import { childState } from '../../token/cluster-token/summary.ts';
import { rotateValue } from '../../token/decide/rotate-now.ts';

/** The numbers in a status follow the RegistryTokens at this distance, in milliseconds, many at a time. */
const COUNT_DELAY = 2_000;

/**
 * Knows the ClusterRegistryTokens, and what a change of one, of a namespace or of a RegistryToken calls for: to look at all
 * namespaces of one (key: its name), or at one of them (key: that of the RegistryToken there).
 */
export class ClusterTokenWatch {
  readonly #reflector: Reflector<ClusterRegistryToken>;
  readonly #childrenOf: (name: string) => readonly RegistryToken[];
  #queue: WorkQueue | undefined;

  /** @param childrenOf the RegistryTokens of a ClusterRegistryToken, by its name */
  constructor(
    reflector: Reflector<ClusterRegistryToken>,
    childrenOf: (name: string) => readonly RegistryToken[],
  ) {
    this.#reflector = reflector;
    this.#childrenOf = childrenOf;
    reflector.onChange((change) => this.#onChange(change));
  }

  get(name: string): ClusterRegistryToken | undefined {
    return this.#reflector.store.get({ name });
  }

  list(): ClusterRegistryToken[] {
    return this.#reflector.store.list();
  }

  /** From now on what there is to look at goes into this queue, and at once every ClusterRegistryToken. */
  feed(queue: WorkQueue): void {
    this.#queue = queue;
    for (const { metadata } of this.list()) queue.add(metadata.name, { priority: 'low' });
  }

  /**
   * One that stays is concerned only where it begins or ceases to match. In one that comes a RegistryToken can be that another watch
   * told of before; of one that goes nothing is to be remembered.
   */
  onNamespace({ type, object, previous, initial }: Change<KubeObject>): void {
    if (!this.#queue || initial) return;
    const now = type === 'deleted' ? undefined : object;
    const { name: namespace } = object.metadata;
    for (const parent of this.list()) {
      const child = { namespace, name: parent.metadata.name };
      const changes = isMatching(parent, now) !== isMatching(parent, previous);
      if (changes || type !== 'updated') this.#queue.add(objectKey(child));
      if (changes) this.count(parent.metadata.name);
    }
  }

  onToken({ type, object, previous, initial }: Change<RegistryToken>): void {
    const { name } = object.metadata;
    const parent = this.get(name);
    if (!this.#queue || initial || !parent) return;
    const now = type === 'deleted' ? undefined : object;
    // With the last of them goes what holds it, be it that somebody made that one his own.
    if (parent.metadata.deletionTimestamp !== undefined && this.#childrenOf(name).length === 0)
      return this.#queue.add(name);
    if (!now || !previous || differs(now, previous)) this.#queue.add(objectKey(object.metadata));
    if (!now || !previous || toldOf(now) !== toldOf(previous)) this.count(name);
  }

  /** The numbers of one may have changed. */
  count(name: string): void {
    this.#queue?.addAfter(name, COUNT_DELAY);
  }

  #onChange({ type, object, previous, initial }: Change<ClusterRegistryToken>): void {
    if (initial || (type === 'updated' && previous && versionOf(previous) === versionOf(object))) return;
    this.#queue?.add(object.metadata.name);
  }
}

/** Changes with all that a ClusterRegistryToken asks for. */
export const versionOf = ({ metadata }: ClusterRegistryToken): string =>
  JSON.stringify([
    metadata.uid,
    metadata.generation,
    metadata.deletionTimestamp,
    rotateValue({ metadata }),
    metadata.finalizers,
  ]);

/** Whether what is compared with the template has changed. */
function differs(now: RegistryToken, before: RegistryToken): boolean {
  const compared = ({ metadata }: RegistryToken): string => {
    const { uid, generation, deletionTimestamp, labels, annotations, ownerReferences } = metadata;
    return JSON.stringify([uid, generation, deletionTimestamp, labels, annotations, ownerReferences]);
  };
  return compared(now) !== compared(before);
}

const toldOf = (token: RegistryToken): string => JSON.stringify([isChild(token), childState(token)]);
