/** The middle of some figures, and how far apart they are. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** @throws RangeError where there are no figures */
export function spreadOf(figures: readonly number[]): Spread {
  return { median: quantile(figures, 0.5), least: quantile(figures, 0), most: quantile(figures, 1) };
}

/**
 * The figure below which a share of them lies, between two where the share falls between them.
 * @param share from 0 to 1
 * @throws RangeError where there are no figures
 */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) throw new RangeError('there are no figures');
  return below + (above - below) * (position - Math.floor(position));
}
