import type { RegistryToken } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import { DeadlinePassed, withDeadline } from '../common/deadline.ts';
import type { ObjectName } from '../common/objects.ts';
import { objectKey } from '../kube/object-key.ts';
import type { Reflector, ReflectorHealth } from '../kube/reflector.ts';
import type { Change } from '../kube/replica.ts';
import type { WorkQueue } from '../kube/work-queue.ts';
import { claimOn, linksOf, namedServiceAccounts, type ServiceAccount } from '../token/service-accounts.ts';

export interface ServiceAccountWatchOptions {
  /** One for each namespace looked after, or one for all. */
  reflectors: readonly Reflector<ServiceAccount>[];
  /** Takes the ServiceAccounts that a change concerns. */
  queue: WorkQueue;
  /** RegistryTokens that have to do with a ServiceAccount, or had. */
  claimants: (serviceAccount: ObjectName) => readonly RegistryToken[];
  /** Called with RegistryTokens whose status may have to say something else of their ServiceAccounts. */
  onStale: (token: RegistryToken) => void;
  clock: Clock;
}

/**
 * Watches ServiceAccounts from the moment a RegistryToken names one: every namespace has some, and most RegistryTokens name
 * none. It keeps their pull secrets, which are no secret: knowing them, a restart among many that are as they should be
 * reads none of them.
 */
export class ServiceAccountWatch {
  readonly #options: ServiceAccountWatchOptions;
  readonly #needed = Promise.withResolvers<void>();
  #started = false;

  constructor(options: ServiceAccountWatchOptions) {
    this.#options = options;
    for (const reflector of options.reflectors) reflector.onChange((change) => this.#onChange(change));
  }

  get synced(): boolean {
    return this.#options.reflectors.every(({ synced }) => synced);
  }

  /** The ServiceAccount as last seen. */
  get(name: ObjectName): ServiceAccount | undefined {
    for (const { store } of this.#options.reflectors) {
      const found = store.get(name);
      if (found) return found;
    }
    return undefined;
  }

  /** For those who look after the health of watches: one that is not needed lacks nothing. */
  get watches(): { title: string; health: ReflectorHealth }[] {
    return this.#options.reflectors.map((reflector) => {
      const idle = (): ReflectorHealth => ({ synced: true, live: true, lastHeard: -Infinity });
      const health = (): ReflectorHealth => (this.#started ? reflector.health : idle());
      return {
        title: reflector.title,
        get health() {
          return health();
        },
      };
    });
  }

  /** Watches, once it is needed, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    await Promise.race([this.#needed.promise, aborted.promise]);
    await Promise.all(this.#options.reflectors.map((reflector) => reflector.run(signal)));
  }

  /** Resolves once it is needed and knows every ServiceAccount. @throws the signal's reason */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.reflectors.map((reflector) => reflector.whenSynced(signal)));
  }

  /**
   * Gives it a while to know every ServiceAccount, if it is needed at all.
   * @param milliseconds at most
   * @throws the signal's reason
   */
  async settle(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#started) return;
    try {
      await withDeadline(this.#options.clock, milliseconds, signal, (each) => this.whenSynced(each));
    } catch (error) {
      if (!(error instanceof DeadlinePassed)) throw error;
    }
  }

  /** A RegistryToken has changed. @param previous undefined when everything about it has */
  onToken(token: RegistryToken, previous: RegistryToken | undefined): void {
    const names = new Set([token, previous].flatMap((each) => (each ? namedServiceAccounts(each) : [])));
    if (names.size > 0) this.#start();
    for (const name of names) {
      const claim = (each: RegistryToken): string => JSON.stringify(claimOn(each, name));
      if (previous && claim(token) === claim(previous)) continue;
      this.#options.queue.add(objectKey({ namespace: token.metadata.namespace, name }));
    }
  }

  #start(): void {
    this.#started = true;
    this.#needed.resolve();
  }

  #onChange({ type, object, initial }: Change<ServiceAccount>): void {
    const { queue, onStale } = this.#options;
    const claimants = this.#options.claimants(object.metadata);
    if (claimants.length === 0 && Object.keys(linksOf(object).record).length === 0) return;
    queue.add(objectKey(object.metadata), { priority: initial ? 'low' : 'high' });
    if (initial) return;
    const { name } = object.metadata;
    for (const token of claimants) {
      const former = token.spec.serviceAccounts?.includes(name) !== true;
      if (type !== 'updated' || former) onStale(token);
    }
  }
}
