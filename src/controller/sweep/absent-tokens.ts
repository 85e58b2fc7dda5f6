import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Registry } from '../../registry/port.ts';

/** How long one look goes on asking for tokens by their ids, in milliseconds: the rest is for the next, at once. */
const MAX_LOOK = 60_000;

/**
 * Finds out which of the tokens that lists lack are gone. A registry that can be asked for a token by its id may have it all the
 * same: it is in no list, or in one that may not be read. Only one that it does not know by its id either is gone.
 */
export class AbsentTokens {
  readonly #clock: Clock;
  /** Those that were there by their ids when last asked for. */
  #there: ReadonlySet<string> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param absent missing in every list for long enough
   * @returns those that are gone, and whether time was left for all, except those that were there before
   * @throws RegistryError when the registry does not answer
   */
  async findGone<T extends { id: string }>(
    absent: readonly T[],
    registry: Pick<Registry, 'lookUp'>,
    signal: AbortSignal,
  ): Promise<{ gone: T[]; done: boolean }> {
    const until = this.#clock.monotonic() + MAX_LOOK;
    const before = new Set(absent.flatMap(({ id }) => (this.#there.has(id) ? [id] : [])));
    const there = new Set(before);
    this.#there = there;
    const gone: T[] = [];
    for (const token of absent.toSorted((a, b) => Number(before.has(a.id)) - Number(before.has(b.id)))) {
      if (this.#clock.monotonic() >= until) return { gone, done: before.has(token.id) };
      if (await isThere(token.id, registry, signal)) there.add(token.id);
      else gone.push(token);
    }
    return { gone, done: true };
  }
}

/** A token that may not be read counts as there. */
async function isThere(
  id: string,
  registry: Pick<Registry, 'lookUp'>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const row = await registry.lookUp?.(id, signal);
    return row !== undefined && !row.revoked;
  } catch (error) {
    if (error instanceof RegistryError && error.isRefusal) return true;
    throw error;
  }
}
