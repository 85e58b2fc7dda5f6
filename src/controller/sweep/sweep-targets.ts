import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import type { Places } from '../../registry/port.ts';
import { providerOf } from '../../registry/backends.ts';
import { namedRegions } from '../../token/sweep/sweep-regions.ts';

/** An endpoint of an account, which is looked at once, however many regions lead there. */
export interface SweepTarget {
  endpoint: string;
  /** The region that stands for all of these: the default one, if it is among them. Empty where there are no regions. */
  region: string;
  /** Whether anything in the cluster points there. */
  isNamed: boolean;
}

/**
 * Every endpoint of an account, those first that something points to.
 * @param open endpoints where something is known to be left
 */
export function sweepTargets(
  account: RegistryAccount,
  tokens: Iterable<RegistryToken>,
  open: ReadonlySet<string>,
): SweepTarget[] {
  const { spec } = account;
  const places = providerOf(spec)?.places;
  if (!places) return [];
  const defaultRegion = usualRegion(spec, places);
  const usual = places.resolve(defaultRegion);
  const named = [...namedRegions(account, defaultRegion, tokens)].flatMap(
    (region) => places.resolve(region) ?? [],
  );
  const pointedTo = new Set([...open, ...named.map(({ endpoint }) => endpoint)]);
  const targets = new Map<string, SweepTarget>();
  for (const { endpoint, region } of [...(usual ? [usual] : []), ...places.all, ...named])
    if (!targets.has(endpoint)) targets.set(endpoint, { endpoint, region, isNamed: pointedTo.has(endpoint) });
  return [...targets.values()].sort((a, b) => Number(b.isNamed) - Number(a.isNamed));
}

/** The region of a RegistryToken that names none; empty where the registry has no regions, whatever the account says of them. */
function usualRegion({ defaultRegion }: RegistryAccount['spec'], places: Places): string {
  return places.defaultRegion === undefined ? '' : defaultRegion || places.defaultRegion;
}
