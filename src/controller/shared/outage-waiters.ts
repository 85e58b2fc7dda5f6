/** However surely one is told, it looks for itself after so many milliseconds. */
const MAX_UNWATCHED = 300_000;

/**
 * The RegistryTokens that wait for each place that is down, in the order of their coming. The first tries the place when
 * its time comes; the others need not look until it answers. So an outage costs the API server and the registry the same,
 * however many wait.
 */
export class OutageWaiters {
  readonly #byPlace = new Map<string, Set<string>>();
  readonly #placeOf = new Map<string, string>();
  readonly #onFirst: (key: string) => void;

  /** @param onFirst called with the key that is first from now on, since the one before it no longer waits */
  constructor(onFirst: (key: string) => void) {
    this.#onFirst = onFirst;
  }

  /**
   * Has one wait for a place.
   * @param retryAt when the place is to be tried again, milliseconds since 1970
   * @returns when this one is to look again, if it is not told before
   */
  lookAt(key: string, place: string, retryAt: number, now: number): number {
    return this.#join(key, place) ? retryAt : Math.max(retryAt, now + MAX_UNWATCHED);
  }

  /** Puts one into the line of a place. @returns whether it is to try the place */
  #join(key: string, place: string): boolean {
    if (this.#placeOf.get(key) !== place) this.leave(key);
    const waiting = this.#byPlace.get(place) ?? new Set<string>();
    waiting.add(key);
    this.#byPlace.set(place, waiting);
    this.#placeOf.set(key, place);
    return firstOf(waiting) === key;
  }

  /** Does nothing for one that does not wait. */
  leave(key: string): void {
    const place = this.#placeOf.get(key);
    const waiting = place === undefined ? undefined : this.#byPlace.get(place);
    if (place === undefined || !waiting) return;
    const wasFirst = firstOf(waiting) === key;
    this.#placeOf.delete(key);
    waiting.delete(key);
    const next = firstOf(waiting);
    if (next === undefined) this.#byPlace.delete(place);
    else if (wasFirst) this.#onFirst(next);
  }
}

function firstOf(keys: ReadonlySet<string>): string | undefined {
  const [first] = keys;
  return first;
}
