import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import type { Dice } from './dice.ts';
import type { Provider, Wish } from './registries/provider.ts';
import { REGIONS } from './registries/regions.ts';

/** A wish as a merge patch has it: null takes it back. */
export type Wishes = { [K in keyof Wish]?: Wish[K] | null } & { rotation?: { rotateEvery: null } };

/** A change of a spec. */
export type Change = Omit<RegistryTokenSpec, keyof Wish | 'rotation'> & Wishes;

/** What a RegistryToken may ask of a registry. */
export function someWishes(dice: Dice, { hasRegions, scopes, lifetimes, neverExpires }: Provider): Wish {
  const lifetime = neverExpires && dice.chance(0.15) ? 'Never' : dice.pick(lifetimes);
  return {
    ...(hasRegions && dice.chance(0.5) && { region: dice.pick(REGIONS) }),
    ...(dice.chance(0.5) && { lifetime }),
    ...(scopes.length > 0 && dice.chance(0.6) && { scope: someScope(dice, scopes) }),
  };
}

/** One name, or some. */
export function someScope(dice: Dice, scopes: readonly string[]): string[] {
  const one = dice.pick(scopes);
  return dice.chance(0.7) ? [one] : [...new Set([one, dice.pick(scopes)])];
}

/** What of a spec has to change for another registry to have it. @param region where the registry has regions */
export function fitting(provider: Provider, spec: RegistryTokenSpec, region: string | undefined): Wishes {
  const { scope, lifetime, rotation } = spec;
  const isNever = lifetime === 'Never';
  const isLifetime =
    lifetime === undefined || (isNever ? provider.neverExpires : provider.lifetimes.includes(lifetime));
  return {
    region: provider.hasRegions ? (region ?? spec.region ?? null) : null,
    ...(scope && provider.scopes.length === 0 && { scope: null }),
    ...(!isLifetime && { lifetime: null }),
    // It is only for a lifetime of Never.
    ...(!isLifetime && rotation?.rotateEvery !== undefined && { rotation: { rotateEvery: null } }),
  };
}
