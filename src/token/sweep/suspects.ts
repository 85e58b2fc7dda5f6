/** What was seen, by identifier: when for the first time without a break, on a monotonic clock. */
export type Suspects = ReadonlyMap<string, number>;

/**
 * Takes in what one more list showed. It is certain when an earlier list, at least `delay` ago, showed it too, and every list
 * since. Between two looks a watch can lag, a list can be behind and a mint can be under way; not for that long.
 * @param now when the list was asked for, on a monotonic clock, milliseconds
 */
export function confirm<T extends { id: string }>(
  seen: readonly T[],
  before: Suspects,
  now: number,
  delay: number,
): { suspects: Suspects; certain: T[] } {
  const suspects = new Map(seen.map(({ id }) => [id, before.get(id) ?? now]));
  const certain = seen.filter(({ id }) => {
    const since = before.get(id);
    return since !== undefined && now - since >= delay;
  });
  return { suspects, certain };
}

/**
 * When the next of the suspects can be certain; undefined when none is left that is not.
 * @param askedAt when the last list was asked for, on a monotonic clock, milliseconds
 */
export function nextCertain(suspects: Suspects, askedAt: number, delay: number): number | undefined {
  const times = [...suspects.values()].map((since) => since + delay).filter((time) => time > askedAt);
  return times.length === 0 ? undefined : Math.min(...times);
}
