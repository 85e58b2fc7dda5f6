import type { ObjectName } from '../common/objects.ts';
import type { Reflector, ReflectorHealth } from '../kube/reflector.ts';
import type { Change } from '../kube/replica.ts';
import type { ServiceAccount } from '../token/service-accounts.ts';

/**
 * Watches ServiceAccounts from the moment a RegistryToken names one: every namespace has some, and most RegistryTokens name
 * none. It watches them whole, since they hold little beside their metadata and no secret: knowing their pull secrets, a
 * restart among many that are as they should be reads none of them.
 */
export class ServiceAccountWatch {
  readonly #reflectors: readonly Reflector<ServiceAccount>[];
  readonly #needed = Promise.withResolvers<void>();
  #started = false;

  /** @param reflectors one for each namespace looked after, or one for all */
  constructor(reflectors: readonly Reflector<ServiceAccount>[]) {
    this.#reflectors = reflectors;
  }

  /** Starts watching, unless it does already. */
  start(): void {
    this.#started = true;
    this.#needed.resolve();
  }

  get started(): boolean {
    return this.#started;
  }

  get synced(): boolean {
    return this.#reflectors.every(({ synced }) => synced);
  }

  onChange(handler: (change: Change<ServiceAccount>) => void): void {
    for (const reflector of this.#reflectors) reflector.onChange(handler);
  }

  /** The ServiceAccount as last seen. */
  get(name: ObjectName): ServiceAccount | undefined {
    for (const { store } of this.#reflectors) {
      const found = store.get(name);
      if (found) return found;
    }
    return undefined;
  }

  /** For those who look after the health of watches: one that is not needed lacks nothing. */
  get watches(): { title: string; health: ReflectorHealth }[] {
    return this.#reflectors.map((reflector) => {
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
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }

  /** Resolves once it is needed and knows every ServiceAccount. @throws the signal's reason */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.whenSynced(signal)));
  }
}
