import { pino } from 'pino';
import { findCondition } from '../../src/api/conditions.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { Reflector } from '../../src/kube/cache/reflector.ts';
import type { KubeClient } from '../../src/kube/client/client.ts';

/** What is kept of a RegistryToken. */
interface Seen extends KubeObject {
  ready: boolean;
  revision: number;
}

const PATIENCE = 3_600_000;

/** Watches all RegistryTokens, over one watch, and says when they are as awaited. */
export class Observer {
  readonly #reflector: Reflector<Seen>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Of each uid, the highest revision that was seen Ready. */
  readonly #ready = new Map<string, number>();
  /** How many are Ready with at least that revision. */
  readonly #counts: number[] = [];
  /** When one became Ready last, milliseconds since 1970. */
  #lastReady = 0;

  constructor(client: KubeClient) {
    this.#reflector = new Reflector<Seen>({
      client,
      resource: REGISTRY_TOKENS,
      clock,
      random: Math.random,
      logger: pino({ level: 'silent' }),
      trim: (object) => trimmed(object as unknown as RegistryToken),
    });
    this.#reflector.onChange(({ type, object }) => {
      if (type === 'deleted' || !object.ready) return;
      const before = this.#ready.get(object.metadata.uid) ?? 0;
      if (object.revision <= before) return;
      this.#ready.set(object.metadata.uid, object.revision);
      for (let revision = before + 1; revision <= object.revision; revision++)
        this.#counts[revision] = (this.#counts[revision] ?? 0) + 1;
      this.#lastReady = clock.now();
    });
    this.#running = this.#reflector.run(this.#stop.signal);
  }

  async synced(): Promise<void> {
    await this.#reflector.whenSynced(this.#stop.signal);
  }

  /**
   * Waits until so many RegistryTokens were seen Ready with a revision, from 1 on.
   * @returns when the last of them was, milliseconds since 1970
   * @throws Error when they are not within an hour, or `check` does
   */
  async whenReady(count: number, revision: number, check: () => void = () => undefined): Promise<number> {
    const isSo = (): boolean => this.countOf(revision) >= count;
    const seen = (): string => `${this.countOf(revision)} of ${count} are Ready with revision ${revision}`;
    await until(isSo, seen, check);
    return this.#lastReady;
  }

  /** How many were seen Ready with at least that revision. */
  countOf(revision: number): number {
    return this.#counts[revision] ?? 0;
  }

  /** Waits until there are no more than so many RegistryTokens. @throws as `whenReady` */
  async whenLeft(count: number, check: () => void = () => undefined): Promise<number> {
    const left = (): number => this.#reflector.store.list().length;
    await until(
      () => left() <= count,
      () => `${left()} are left`,
      check,
    );
    return clock.now();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

async function until(isSo: () => boolean, seen: () => string, check: () => void): Promise<void> {
  const end = clock.monotonic() + PATIENCE;
  while (!isSo()) {
    check();
    if (clock.monotonic() > end) throw new Error(`not within ${PATIENCE / 60_000} minutes: ${seen()}`);
    await sleep(clock, 5);
  }
}

function trimmed({ apiVersion, kind, metadata, status }: RegistryToken): Seen {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    ready: findCondition(status?.conditions, 'Ready')?.status === 'True',
    revision: status?.token?.revision ?? 0,
  };
}
