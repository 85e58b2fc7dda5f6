import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Registry } from '../../registry/port.ts';
import type { RecordedToken } from '../../token/sweep/absence.ts';

export interface AbsentTokensOptions {
  clock: Clock;
  /** Told of tokens that statuses name and that the registry no longer has. */
  onGone: (token: RecordedToken) => void;
}

/** How long one look goes on asking for tokens by their ids, in milliseconds: the rest is for the next, at once. */
const MAX_LOOK = 60_000;

/**
 * Tells which of the tokens that lists lack are gone. Where a registry can be asked for a token by its id it may have it all the
 * same, in none of its lists or in one that may not be read: then only one that it does not know by its id either is gone.
 */
export class AbsentTokens {
  readonly #options: AbsentTokensOptions;
  /** Those that were there by their ids when last asked for. */
  #there: ReadonlySet<string> = new Set();

  constructor(options: AbsentTokensOptions) {
    this.#options = options;
  }

  /**
   * @param absent missing in every list for long enough
   * @returns whether time was left for all of them, save those that were there before
   * @throws RegistryError when the registry does not answer
   */
  async tell(
    absent: readonly RecordedToken[],
    registry: Pick<Registry, 'lookUp'>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, onGone } = this.#options;
    const until = clock.monotonic() + MAX_LOOK;
    const before = new Set(absent.flatMap(({ id }) => (this.#there.has(id) ? [id] : [])));
    const there = new Set(before);
    this.#there = there;
    for (const token of absent.toSorted((a, b) => Number(before.has(a.id)) - Number(before.has(b.id)))) {
      if (clock.monotonic() >= until) return before.has(token.id);
      if (await isThere(token, registry, signal)) there.add(token.id);
      else onGone(token);
    }
    return true;
  }
}

/** One that may not be asked for stays: nobody knows. */
async function isThere(
  { id }: RecordedToken,
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
