import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import type { Dice } from './dice.ts';
import type { Provider, Wish } from './registries/provider.ts';
import { REGIONS } from './registries/regions.ts';

/** A wish as a merge patch has it: null takes it back. */
export type Wishes = { [K in keyof Wish]?: Wish[K] | null } & { rotation?: { rotateEvery: null } };

/** A change of a spec. */
export type Change = Omit<RegistryTokenSpec, keyof Wish | 'rotation'> & Wishes;

/** What a RegistryToken may ask of a registry. */
export function someWishes(dice: Dice, provider: Provider): Wish {
  const { hasRegions, access, scopes, lifetimes, neverExpires, isOfOneName } = provider;
  const lifetime = neverExpires && dice.chance(0.15) ? 'Never' : dice.pick(lifetimes);
  return {
    ...(hasRegions && dice.chance(0.5) && { region: dice.pick(REGIONS) }),
    ...(dice.chance(0.5) && { lifetime }),
    ...(scopes.length > 0 && (isOfOneName || dice.chance(0.6)) && { scope: someScope(dice, provider) }),
    // Who asks for none asks for ReadOnly.
    ...((!access.includes('ReadOnly') || dice.chance(0.3)) && { access: dice.pick(access) }),
  };
}

/** One name, or some where that can be. */
export function someScope(dice: Dice, { scopes, isOfOneName }: Provider): string[] {
  const one = dice.pick(scopes);
  return isOfOneName || dice.chance(0.7) ? [one] : [...new Set([one, dice.pick(scopes)])];
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
    ...(provider.isOfOneName && scope?.length !== 1 && { scope: provider.scopes.slice(0, 1) }),
    ...(!provider.access.includes(spec.access ?? 'ReadOnly') && { access: provider.access[0] }),
    ...(!isLifetime && { lifetime: null }),
    // It is only for a lifetime of Never.
    ...(!isLifetime && rotation?.rotateEvery !== undefined && { rotation: { rotateEvery: null } }),
  };
}
