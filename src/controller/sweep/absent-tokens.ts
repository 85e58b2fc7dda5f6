import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Registry } from '../../registry/port.ts';

/** How long one look goes on asking for tokens by their ids, in milliseconds: the rest is for the next, at once. */
const MAX_LOOK = 60_000;
/** Milliseconds to the next try where the registry does not answer. */
const RETRY = 60_000;

/** What was found out of the tokens that lists lack. */
export interface Absence<T> {
  gone: T[];
  /** Whether time was left for all that were not asked for before. */
  done: boolean;
}

/**
 * Finds out which of the tokens that lists lack are gone. A registry that can be asked for a token by its id may have it all the
 * same: it is in no list, or in one that may not be read. Only one that it does not know by its id either is gone. One that it
 * fails at or may not be read counts as there: nobody knows.
 */
export class AbsentTokens {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Ids of those that are gone: they are not asked for again. */
  #gone: ReadonlySet<string> = new Set();
  /** When the others were last asked for, by id, on the monotonic clock. */
  #askedAt: ReadonlyMap<string, number> = new Map();
  #retryAt: number | undefined;

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** When the registry may answer what it did not, on the monotonic clock; undefined: it answered, or did not again. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  /**
   * @param absent missing in every list for long enough
   * @param dead ids of those that a list shows, as dead
   * @throws the signal's reason
   */
  async findGone<T extends { id: string }>(
    absent: readonly T[],
    dead: ReadonlySet<string>,
    registry: Pick<Registry, 'lookUp'>,
    signal: AbortSignal,
  ): Promise<Absence<T>> {
    const ids = new Set(absent.map(({ id }) => id));
    this.#gone = new Set([...ids].filter((id) => dead.has(id) || this.#gone.has(id)));
    this.#askedAt = new Map([...this.#askedAt].filter(([id]) => ids.has(id)));
    this.#retryAt = undefined;
    const done = await this.#ask(
      [...ids].filter((id) => !this.#gone.has(id)),
      registry,
      signal,
    );
    return { gone: absent.filter(({ id }) => this.#gone.has(id)), done };
  }

  /** Those first that were never asked for, or longest ago. @returns as `Absence.done` */
  async #ask(
    ids: readonly string[],
    registry: Pick<Registry, 'lookUp'>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const before = this.#askedAt;
    const lastAskedAt = (id: string): number => before.get(id) ?? -1;
    const until = this.#clock.monotonic() + MAX_LOOK;
    const gone = new Set(this.#gone);
    const askedAt = new Map(before);
    this.#gone = gone;
    this.#askedAt = askedAt;
    for (const id of ids.toSorted((a, b) => lastAskedAt(a) - lastAskedAt(b))) {
      const now = this.#clock.monotonic();
      if (now >= until) return before.has(id);
      try {
        const row = await registry.lookUp?.(id, signal);
        if (row === undefined || row.revoked) gone.add(id);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        this.#logger.debug({ id }, `not known whether the token is gone: ${error.message}`);
        const { concernsAll } = error;
        if (concernsAll || (error.retryable && !before.has(id)))
          this.#retryAt = now + Math.max(RETRY, error.retryAfter ?? 0);
        if (concernsAll) return true;
      }
      askedAt.set(id, now);
    }
    return true;
  }
}
