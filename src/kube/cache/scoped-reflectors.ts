import type { KubeObject, ObjectName } from '../../common/objects.ts';
import type { Reflector, ReflectorHealth } from './reflector.ts';
import type { Change } from './replica.ts';

export interface WatchHealth extends ReflectorHealth {
  /** The server refuses it in this namespace, but not in all of them. */
  excused: boolean;
}

/**
 * One resource watched in several namespaces, or in all by one watch, as if it were one. A namespace that the server does not let be
 * read (it is gone, or a Role is) holds up no other. Where one watch is for all, its refusal leaves nothing to go on with.
 */
export class ScopedReflectors<T extends KubeObject> {
  /** By namespace; undefined for all. */
  readonly #reflectors: ReadonlyMap<string | undefined, Reflector<T>>;

  /** @param namespaces empty: all */
  constructor(namespaces: readonly string[], reflectorOf: (namespace: string | undefined) => Reflector<T>) {
    const scopes = namespaces.length === 0 ? [undefined] : namespaces;
    this.#reflectors = new Map(scopes.map((namespace) => [namespace, reflectorOf(namespace)]));
  }

  get(name: ObjectName): T | undefined {
    return this.#of(name.namespace)?.store.get(name);
  }

  list(): T[] {
    return this.#all.flatMap(({ store }) => store.list());
  }

  byIndex(index: string, value: string): T[] {
    return this.#all.flatMap(({ store }) => store.byIndex(index, value));
  }

  /** Whether all that is in a namespace is known. */
  sees(namespace: string | undefined): boolean {
    const { synced, refused } = this.#of(namespace)?.health ?? {};
    return synced === true && refused === false;
  }

  /** Whether the server does not let a namespace be read, by itself or with all others. */
  refuses(namespace: string | undefined): boolean {
    return this.#of(namespace)?.health.refused === true;
  }

  /** Whether the server does not let all be read that is to be watched. */
  get refused(): boolean {
    return this.#all.some(({ health }) => health.refused);
  }

  /** For those who look after the health of watches. */
  get watches(): { title: string; readonly health: WatchHealth }[] {
    return this.#all.map((reflector) => {
      const health = (): WatchHealth => this.#healthOf(reflector);
      return {
        title: reflector.title,
        get health() {
          return health();
        },
      };
    });
  }

  #healthOf({ health }: Reflector<T>): WatchHealth {
    const excused = health.refused && this.#all.some((other) => !other.health.refused);
    return { ...health, excused };
  }

  onChange(handler: (change: Change<T>) => void): void {
    for (const reflector of this.#all) reflector.onChange(handler);
  }

  /** Calls the handler when a namespace can be read that could not be; with undefined when all of them can. */
  onReadable(handler: (namespace: string | undefined) => void): void {
    for (const [namespace, reflector] of this.#reflectors)
      reflector.onRefusal((refused) => {
        if (!refused) handler(namespace);
      });
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((reflector) => reflector.run(signal)));
  }

  /**
   * Resolves once all is known, but for namespaces that the server refuses. A refusal for all of them by one watch is waited out:
   * nothing would be known.
   * @throws the signal's reason
   */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(
      [...this.#reflectors].map(([namespace, reflector]) =>
        namespace === undefined ? reflector.whenSynced(signal) : reflector.whenSyncedOrRefused(signal),
      ),
    );
  }

  get #all(): Reflector<T>[] {
    return [...this.#reflectors.values()];
  }

  #of(namespace: string | undefined): Reflector<T> | undefined {
    return this.#reflectors.get(namespace) ?? this.#reflectors.get(undefined);
  }
}
