import type { RegistryToken } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import { DeadlinePassed, withDeadline } from '../../common/deadline.ts';
import type { Logger } from '../../common/logger.ts';
import type { ObjectName } from '../../common/objects.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { fits, isPattern } from '../../api/syntax/pattern.ts';
import type { Change } from '../../kube/cache/replica.ts';
import type { ScopedReflectors, WatchHealth } from '../../kube/cache/scoped-reflectors.ts';
import type { Priority } from '../../kube/queue/waiting-keys.ts';
import {
  claimOn,
  includesServiceAccount,
  linksOf,
  serviceAccountEntries,
  type ServiceAccount,
} from '../../token/workloads/service-accounts.ts';

export interface ServiceAccountWatchOptions {
  reflectors: ScopedReflectors<ServiceAccount>;
  /** Takes the ServiceAccounts that a change concerns. */
  enqueue: (name: ObjectName, priority: Priority) => void;
  /** RegistryTokens that have to do with a ServiceAccount, or had. */
  claimants: (serviceAccount: ObjectName) => readonly RegistryToken[];
  /** RegistryTokens in a namespace; undefined: in all of them. */
  tokensIn: (namespace: string | undefined) => readonly RegistryToken[];
  /** Called with RegistryTokens whose status may have to say something else of their ServiceAccounts. */
  onStale: (token: RegistryToken) => void;
  /** Calls back with the metadata of every ServiceAccount there is. @throws KubeError */
  listAll: (visit: (account: Pick<ServiceAccount, 'metadata'>) => void, signal: AbortSignal) => Promise<void>;
  logger: Logger;
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
    options.reflectors.onChange((change) => this.#onChange(change));
    options.reflectors.onReadable((namespace) => this.#onReadable(namespace));
  }

  /** Whether every ServiceAccount of a namespace is known. */
  sees(namespace: string | undefined): boolean {
    return this.#options.reflectors.sees(namespace);
  }

  /** The ServiceAccount as last seen. */
  get(name: ObjectName): ServiceAccount | undefined {
    return this.#options.reflectors.get(name);
  }

  /** The ServiceAccounts, as last seen, that a name or pattern stands for. */
  named(namespace: string | undefined, entry: string): ServiceAccount[] {
    if (!isPattern(entry)) return [this.get({ namespace, name: entry })].filter((each) => each !== undefined);
    return this.#options.reflectors
      .byIndex('namespace', namespace ?? '')
      .filter(({ metadata }) => fits(entry, metadata.name));
  }

  /** For those who look after the health of watches: one that is not needed lacks nothing. */
  get watches(): { title: string; readonly health: WatchHealth }[] {
    return this.#options.reflectors.watches.map((watch) => {
      const health = (): WatchHealth => (this.#started ? watch.health : IDLE);
      return {
        title: watch.title,
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
    await this.#options.reflectors.run(signal);
  }

  /** Resolves once it is needed and knows every ServiceAccount that it is let see. @throws the signal's reason */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await this.#options.reflectors.whenSynced(signal);
  }

  /**
   * Watches also where no RegistryToken names a ServiceAccount, if one has something of a RegistryToken that is gone. That takes a
   * list: it is for a process that begins to lead, and knows nothing of what others left undone.
   */
  async lookForLeft(signal: AbortSignal): Promise<void> {
    if (this.#started) return;
    let isLeft = false;
    try {
      await this.#options.listAll((account) => (isLeft ||= holdsLinks(account)), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KubeError)) throw error;
      const fields = { error: error.message };
      this.#options.logger.info(
        fields,
        'what was left in ServiceAccounts is not looked for before the next start',
      );
    }
    if (isLeft) this.#start();
  }

  /** Enqueues every ServiceAccount that RegistryTokens have to do with, or that has something of one. */
  enqueueAll(tokens: readonly RegistryToken[]): void {
    const { reflectors, enqueue } = this.#options;
    for (const token of tokens) for (const name of this.#concerned(token)) enqueue(name, 'low');
    for (const account of reflectors.list()) if (holdsLinks(account)) enqueue(account.metadata, 'low');
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
    const entries = new Set([token, previous].flatMap((each) => (each ? serviceAccountEntries(each) : [])));
    if (entries.size > 0) this.#start();
    if (previous && claimsOf(token) === claimsOf(previous)) return;
    const { namespace } = token.metadata;
    for (const entry of entries) {
      for (const name of this.#namesOf(namespace, entry)) {
        // One that is named is waited for, those that a pattern stands for are not.
        const claim = (each: RegistryToken): string =>
          JSON.stringify([
            claimOn(each, name),
            isPattern(entry) || serviceAccountEntries(each).includes(entry),
          ]);
        if (previous && claim(token) === claim(previous)) continue;
        // Those that are named do not wait for the many that a pattern can stand for.
        this.#options.enqueue({ namespace, name }, isPattern(entry) ? 'low' : 'high');
      }
    }
  }

  /** Names that an entry stands for: of a pattern those that are known; others are looked at when they are seen. */
  #namesOf(namespace: string | undefined, entry: string): string[] {
    if (!isPattern(entry)) return [entry];
    return this.named(namespace, entry).map(({ metadata }) => metadata.name);
  }

  #concerned(token: RegistryToken): ObjectName[] {
    const { namespace } = token.metadata;
    const names = serviceAccountEntries(token).flatMap((entry) => this.#namesOf(namespace, entry));
    return names.map((name) => ({ namespace, name }));
  }

  #start(): void {
    this.#started = true;
    this.#needed.resolve();
  }

  /** What was said and decided without knowing the ServiceAccounts there is looked at again. */
  #onReadable(namespace: string | undefined): void {
    const concerned = this.#options
      .tokensIn(namespace)
      .filter((token) => serviceAccountEntries(token).length > 0);
    this.enqueueAll(concerned);
    for (const token of concerned) this.#options.onStale(token);
  }

  #onChange({ type, object, initial }: Change<ServiceAccount>): void {
    const { enqueue, onStale } = this.#options;
    const claimants = this.#options.claimants(object.metadata);
    if (claimants.length === 0 && !holdsLinks(object)) return;
    enqueue(object.metadata, initial ? 'low' : 'high');
    if (initial) return;
    const { name } = object.metadata;
    for (const token of claimants) {
      const { serviceAccounts = [] } = token.spec;
      // Of those that a pattern stands for it tells nothing but what is in the way.
      const former = !includesServiceAccount(serviceAccounts, name);
      if (former || (type !== 'updated' && serviceAccounts.includes(name))) onStale(token);
    }
  }
}

const IDLE: WatchHealth = { synced: true, live: true, lastHeard: -Infinity, refused: false, excused: false };

const holdsLinks = (account: Pick<ServiceAccount, 'metadata'>): boolean =>
  Object.keys(linksOf(account).record).length > 0;

/** All that `claimOn` reads of a RegistryToken. */
const claimsOf = ({ metadata, spec, status }: RegistryToken): string =>
  JSON.stringify([
    metadata.uid,
    metadata.deletionTimestamp,
    spec.serviceAccounts,
    spec.suspend,
    status?.serviceAccounts,
    status?.secretRef?.name,
  ]);
